"""The infer stage: look up what is known, embed the rest once, judge all of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imgsort.filing import InboxPicture
from imgsort.images.outcome import Picture
from imgsort.models.serving import Serving
from imgsort.records.verdict import Verdict


class Remembered(Protocol):
    """What models said before (``PredictionTopic``)."""

    def of(self, sha256s: Sequence[str], model: int) -> Mapping[str, Verdict]: ...


class Keeper(Protocol):
    """Takes embeddings [D] by content hash for later; never waits, never fails."""

    def keep(
        self, backbone_id: str, precision: str, vectors: Mapping[str, NDArray[np.float32]]
    ) -> None: ...


class ModelInference:
    """Judges batches with the model that ``current`` gives, asked once a batch."""

    def __init__(
        self,
        remembered: Remembered,
        current: Callable[[], Serving],
        keeper: Keeper | None = None,
    ) -> None:
        self._remembered = remembered
        self._current = current
        self._keeper = keeper

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]:
        """Verdicts in the order of ``batch``; equal bytes are embedded once.

        Raises StoreBusy, or DeviceMemoryExhausted when not even one image fits.
        """
        serving = self._current()
        pictures = {
            one.outcome.sha256: one.outcome for one in batch if isinstance(one.outcome, Picture)
        }
        version = serving.card.version
        before = self._remembered.of(list(pictures), version)
        decide = serving.classifier.decide_again  # the thresholds may have changed since
        verdicts = {sha256: decide(verdict) for sha256, verdict in before.items()}
        fresh = [picture for sha256, picture in pictures.items() if sha256 not in verdicts]
        if fresh:
            embedded = serving.embed(_stacked(fresh))
            vectors = dict(zip((one.sha256 for one in fresh), embedded, strict=True))
            verdicts.update(zip(vectors, serving.decide(embedded), strict=True))
            if self._keeper is not None:
                self._keeper.keep(serving.backbone.id, serving.runtime.precision, vectors)
        return [
            replace(one, verdict=verdicts[sha256], model=version)
            if (sha256 := one.outcome.sha256) in verdicts
            else one
            for one in batch
        ]


def _stacked(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    """[N, H, W, 3]"""
    return np.stack([picture.pixels for picture in pictures])
