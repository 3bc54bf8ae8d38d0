"""The infer stage: look up what is known, embed the rest once, judge all of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Verdict
from imgsort.daemon.pipeline import Decoded
from imgsort.decoder import Picture
from imgsort.filing import Judged
from imgsort.serving import Serving


class Remembered(Protocol):
    """What models said before (``Store``)."""

    def predictions_for(self, sha256s: Sequence[str], model: int) -> Mapping[str, Verdict]: ...


class ModelInference:
    """Judges batches with the model that ``current`` gives, asked once a batch."""

    def __init__(self, remembered: Remembered, current: Callable[[], Serving]) -> None:
        self._remembered = remembered
        self._current = current

    def judge(self, batch: Sequence[Decoded]) -> list[Judged]:
        """Verdicts in the order of ``batch``; equal bytes are embedded once.

        Raises StoreBusy, or DeviceMemoryExhausted when not even one image fits.
        """
        serving = self._current()
        pictures = {
            one.outcome.sha256: one.outcome for one in batch if isinstance(one.outcome, Picture)
        }
        version = serving.card.version
        before = self._remembered.predictions_for(list(pictures), version)
        decide = serving.classifier.decide_again  # the thresholds may have changed since
        verdicts = {sha256: decide(verdict) for sha256, verdict in before.items()}
        fresh = [picture for sha256, picture in pictures.items() if sha256 not in verdicts]
        if fresh:
            judged = serving.judge(_stacked(fresh))
            verdicts.update(zip((one.sha256 for one in fresh), judged, strict=True))
        return [_judged(one, verdicts.get(one.outcome.sha256), version) for one in batch]


def _stacked(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    """[N, H, W, 3]"""
    return np.stack([picture.pixels for picture in pictures])


def _judged(decoded: Decoded, verdict: Verdict | None, model: int) -> Judged:
    candidate = decoded.candidate
    return Judged(
        outcome=decoded.outcome,
        verdict=verdict,
        model=None if verdict is None else model,
        subfolder=candidate.subfolder,
        arrived_at=candidate.arrived_at,
    )
