"""Predict pictures anywhere on disk without moving or recording anything."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.disk.display import display
from imgsort.errors import ImgsortError
from imgsort.images import READABLE_SUFFIXES
from imgsort.images.outcome import NoAttempts, Picture
from imgsort.images.pool import DecoderPool, open_decoder
from imgsort.images.thumbnails import views
from imgsort.models.annotate import annotated, write_png
from imgsort.models.serving import Serving, open_serving
from imgsort.records.reasons import Reason, ReasonCode
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.workspace.config import DecodeSettings
from imgsort.workspace.workspace import Workspace

DISPLAY_SIDE = 1200
"""Longest side of an annotated picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Classified:
    """One file and its verdict, or the reason why there is none."""

    path: Path
    verdict: Verdict | None
    reason: Reason | None
    """Why it is unsure, or can't be read; None when it would be filed."""
    model: int
    """Version of the model that was asked."""
    threshold: float | None
    """What the best class needs to be filed; None where no confidence is enough, or there is no
    such class."""

    def as_dict(self) -> dict[str, Any]:
        """The form `classify --json` promises to scripts."""
        verdict = self.verdict
        return {
            "path": os.fsencode(self.path).decode("utf-8", "backslashreplace"),
            "label": verdict.label or None if verdict else None,
            "confidence": verdict.confidence if verdict else None,
            "decision": verdict.decision if verdict else "rejected",
            "top_k": [asdict(score) for score in verdict.top_k] if verdict else [],
            "reason": self.reason and self.reason.sentence,
            "reason_code": self.reason and self.reason.code.value,
            "threshold": self.threshold,
            "unlikeness": verdict.unlikeness if verdict else None,
            "model": self.model,
        }

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row `classify` shows."""
        if self.verdict is None:
            return (
                display(self.path),
                "",
                "",
                "rejected",
                self.reason.sentence if self.reason else "",
            )
        best = ", ".join(f"{score.label} {score.confidence:.2f}" for score in self.verdict.top_k)
        verdict = self.verdict
        return (
            display(self.path),
            verdict.label,
            f"{verdict.confidence:.2f}",
            verdict.decision,
            best,
        )


def pictures_in(paths: Iterable[Path], readable: Collection[str] = READABLE_SUFFIXES) -> list[Path]:
    """The files named, and every picture below the folders named, in a stable order.

    ``readable``: suffixes of pictures.

    Raises ImgsortError for a path that doesn't exist. Links below a folder aren't followed.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(_below(path, readable))
        elif path.exists():
            found.append(path)
        else:
            raise ImgsortError(f"{path} doesn't exist; name a picture or a folder of pictures.")
    return found


def _below(folder: Path, readable: Collection[str]) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in readable:
                yield Path(parent, name)


def classify(
    workspace: Workspace, paths: Sequence[Path], top_k: int | None = None
) -> Iterator[Classified]:
    """Verdicts in the order of ``paths``; a picture that can't be read yields its reason.

    ``top_k`` None means the configuration's.
    """
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store)
    if top_k is not None:
        serving = replace(serving, top_k=top_k)
    size = workspace.config.model.batch_size
    with open_decoder(workspace.config.decode, serving.backbone.input_size, NoAttempts()) as pool:
        for start in range(0, len(paths), size):
            yield from _one_batch(serving, pool, paths[start : start + size])


def refuse_target(target: Path, picture: Path) -> None:
    """Raise ImgsortError where an annotated picture must not be written."""
    if target.suffix.lower() != ".png":
        raise ImgsortError(
            f"--annotate writes PNG, but {target} is named otherwise; end it in .png."
        )
    if target.exists() and target.samefile(picture):
        raise ImgsortError(f"{target} is the picture itself; name another file with --annotate.")


def draw(picture: Path, verdict: Verdict, target: Path, config: DecodeSettings) -> None:
    """Write the picture as PNG with its label and scores on it. Raises ImgsortError."""
    refuse_target(target, picture)
    (seen,) = views([picture], DISPLAY_SIDE, config)
    if not isinstance(seen, Picture):
        raise ImgsortError(
            f"{picture} can't be drawn on ({seen.reason}); it changed meanwhile, so try again."
        )
    write_png(target, annotated(seen.pixels, verdict))


def _one_batch(serving: Serving, pool: DecoderPool, paths: Sequence[Path]) -> Iterator[Classified]:
    outcomes = [future.result() for future in [pool.submit(path) for path in paths]]
    pictures = [outcome for outcome in outcomes if isinstance(outcome, Picture)]
    verdicts = iter(serving.judge(np.stack([p.pixels for p in pictures])) if pictures else ())
    model = serving.card.version
    for path, outcome in zip(paths, outcomes, strict=True):
        if isinstance(outcome, Picture):
            said = next(verdicts)
            needs = serving.classifier.needs(said.label)
            yield Classified(path, said, said.doubt, model, needs)
        else:
            refused = Reason(ReasonCode.UNREADABLE, outcome.reason)
            yield Classified(path, None, refused, model, None)
