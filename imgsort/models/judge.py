"""What does the active model say of pictures that are filed already? Without opening them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgsort.models.embed import Progress, embeddings_for
from imgsort.models.serving import Serving
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

_AT_ONCE = 2000
"""Pictures whose embeddings are in memory together: 16 MB with resnet50."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts by content hash, and why there are none for the rest."""

    verdicts: dict[str, Verdict]
    missing: dict[str, str]
    decoded: int


def judged_again(
    workspace: Workspace,
    store: Store,
    serving: Serving,
    images: Mapping[str, Path],
    progress: Progress | None = None,
) -> Judgement:
    """Of ``images`` (sha256 -> a file of that content): what this model said before, decided by the
    thresholds of now; what its stored embedding says; and only without one, the picture itself.
    """
    before = store.predictions.of(list(images), serving.card.version)
    renewed = ((sha256, serving.decide_again(verdict)) for sha256, verdict in before.items())
    verdicts = {sha256: verdict for sha256, verdict in renewed if verdict is not None}
    fresh = [sha256 for sha256 in images if sha256 not in verdicts]
    missing: dict[str, str] = {}
    decoded = 0
    for start in range(0, len(fresh), _AT_ONCE):
        part = {sha256: images[sha256] for sha256 in fresh[start : start + _AT_ONCE]}
        found = embeddings_for(workspace, store, serving, part, progress=progress)
        missing |= found.missing
        decoded += found.decoded
        if found.vectors:
            stacked = np.stack([found.plain(sha256) for sha256 in found.vectors])
            verdicts.update(zip(found.vectors, serving.decide(stacked), strict=True))
    return Judgement(verdicts, missing, decoded)
