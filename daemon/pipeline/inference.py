"""The infer stage: look up what is known, embed the rest once, judge all of it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imgsort.filing import InboxPicture
from imgsort.images.outcome import Picture
from imgsort.models.serving import Looked, Serving
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
        self._memory = _BatchMemory()

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]:
        """Verdicts in the order of ``batch``, without the pixels; equal bytes are embedded once.

        Raises StoreBusy, or DeviceMemoryExhausted when not even one image fits.
        """
        serving = self._current()
        pictures = {
            one.outcome.sha256: one.outcome for one in batch if isinstance(one.outcome, Picture)
        }
        version = serving.card.version
        before = self._remembered.of(list(pictures), version)
        # The thresholds may have changed since.
        renewed = ((sha256, serving.decide_again(said)) for sha256, said in before.items())
        verdicts = {sha256: said for sha256, said in renewed if said is not None}
        fresh = [picture for sha256, picture in pictures.items() if sha256 not in verdicts]
        if fresh:
            looked = serving.look(self._memory.stacked(fresh))
            names = [one.sha256 for one in fresh]
            verdicts.update(zip(names, looked.verdicts, strict=True))
            self._keep(serving, names, looked)
        return [
            InboxPicture(one.candidate, read.without_pixels(), verdicts[read.sha256], version)
            if isinstance(read := one.outcome, Picture)
            else one
            for one in batch
        ]

    def _keep(self, serving: Serving, names: Sequence[str], looked: Looked) -> None:
        if self._keeper is None:
            return
        for precision, places, embedded in looked.embeddings:
            vectors = {names[at]: row for at, row in zip(places.tolist(), embedded, strict=True)}
            self._keeper.keep(serving.backbone.id, precision, vectors)


class _BatchMemory(threading.local):
    """A batch for each thread that judges, used again: fresh memory would be mapped each time."""

    def __init__(self) -> None:
        self._room = np.empty((0, 0, 0, 3), np.uint8)

    def stacked(self, pictures: Sequence[Picture]) -> NDArray[np.uint8]:
        """[N, H, W, 3], until the next call."""
        shape = pictures[0].pixels.shape
        if len(self._room) < len(pictures) or self._room.shape[1:] != shape:
            self._room = np.empty((len(pictures), *shape), np.uint8)
        return np.stack([picture.pixels for picture in pictures], out=self._room[: len(pictures)])
