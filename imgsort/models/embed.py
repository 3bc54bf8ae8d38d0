"""Embeddings of known images: those that are stored, and the missing ones computed once."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import ImgsortError
from imgsort.images.outcome import Outcome, Picture
from imgsort.images.pool import DecoderPool, open_decoder
from imgsort.models.embedding_cache import PLAIN, EmbeddingStore
from imgsort.models.serving import Serving
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

Floats = NDArray[np.float32]
Augment = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""Pictures [N, H, W, 3], and the number of a view -> the pictures altered as that view says."""
Progress = Callable[[int, int], None]
"""Told how many of how many pictures have been decoded."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What is known of the images that were asked for."""

    vectors: dict[str, Floats]
    """sha256 -> [1 + views, D]; the first row is the picture as it is."""
    missing: dict[str, str]
    """sha256 -> why its picture could not be read."""
    decoded: int
    """How many pictures had to be opened."""

    def plain(self, sha256: str) -> Floats:
        """[D]: the picture as it is."""
        return np.asarray(self.vectors[sha256][0], np.float32)


@dataclass(frozen=True, slots=True)
class Views:
    """Which altered pictures are wanted beside the plain one.

    Their embeddings are stored under their numbers (above 0): another way of altering needs others.
    """

    numbers: tuple[int, ...] = ()
    augment: Augment | None = None

    def altered(self, pixels: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
        if view == PLAIN or self.augment is None:
            return pixels
        return self.augment(pixels, view)


NO_VIEWS = Views()


def embeddings_for(  # noqa: PLR0913, PLR0917 - three to work with, three to say what is wanted
    workspace: Workspace,
    store: Store,
    serving: Serving,
    images: Mapping[str, Path],
    views: Views = NO_VIEWS,
    progress: Progress | None = None,
) -> Embedded:
    """Embeddings of ``images`` (sha256 -> a file with that content) in the serving's space.

    Only pictures of which something is missing are decoded.
    """
    with EmbeddingStore.open(workspace.embeddings) as kept:
        work = _ToEmbed(serving, kept, views)
        lacking = {sha256: images[sha256] for sha256 in work.look_up(list(images))}
        if lacking:
            size = serving.backbone.input_size
            with open_decoder(
                workspace.config.decode, size, store.attempts, workspace.picture_folders
            ) as pool:
                for batch in _decoded(pool, lacking, workspace.config.model.batch_size):
                    work.take(batch)
                    if progress is not None:
                        progress(work.done, len(lacking))
        return work.embedded(images)


def _decoded(
    pool: DecoderPool, images: Mapping[str, Path], size: int
) -> Iterator[dict[str, Outcome]]:
    """Batches of outcomes; the next batch is being decoded while one is worked on."""
    waiting: list[dict[str, Future[Outcome]]] = []
    keys = list(images)
    for start in range(0, len(keys), size):
        waiting.append({key: pool.submit(images[key]) for key in keys[start : start + size]})
        if len(waiting) > 1:
            yield _outcomes(waiting.pop(0))
    for batch in waiting:
        yield _outcomes(batch)


def _outcomes(batch: Mapping[str, Future[Outcome]]) -> dict[str, Outcome]:
    return {sha256: future.result() for sha256, future in batch.items()}


@dataclass(slots=True)
class _ToEmbed:
    serving: Serving
    kept: EmbeddingStore
    views: Views
    found: dict[int, dict[str, Floats]] = field(default_factory=dict)
    """view -> sha256 -> [D]"""
    missing: dict[str, str] = field(default_factory=dict)
    decoded: int = 0
    _told: bool = False

    @property
    def done(self) -> int:
        return self.decoded + len(self.missing)

    @property
    def _space(self) -> tuple[str, str]:
        return self.serving.backbone.id, self.serving.runtime.precision

    def look_up(self, sha256s: Sequence[str]) -> list[str]:
        """Take what is stored; the answer is what lacks something."""
        for view in (PLAIN, *self.views.numbers):
            self.found[view] = self.kept.get(*self._space, sha256s, view)
        return [
            sha256
            for sha256 in sha256s
            if any(sha256 not in stored for stored in self.found.values())
        ]

    def take(self, outcomes: Mapping[str, Outcome]) -> None:
        """Embed what one batch lacks, and store it."""
        pixels: dict[str, NDArray[np.uint8]] = {}
        for sha256, outcome in outcomes.items():
            if not isinstance(outcome, Picture):
                self.missing[sha256] = outcome.reason
            elif outcome.sha256 != sha256:
                self.missing[sha256] = "its file holds another picture now"
            else:
                pixels[sha256] = outcome.pixels
        self.decoded += len(pixels)
        for view, stored in self.found.items():
            lacking = [sha256 for sha256 in pixels if sha256 not in stored]
            if lacking:
                stacked = np.stack([pixels[sha256] for sha256 in lacking])
                embedded = self.serving.embed(self.views.altered(stacked, view))
                fresh = dict(zip(lacking, embedded, strict=True))
                stored.update(fresh)
                self._keep(fresh, view)

    def _keep(self, fresh: Mapping[str, Floats], view: int) -> None:
        try:
            self.kept.put(*self._space, fresh, view)
        except ImgsortError as problem:  # they are at hand now; the next time computes them again
            if not self._told:
                _log.warning("embeddings could not be stored: %s", problem)
            self._told = True

    def embedded(self, images: Mapping[str, Path]) -> Embedded:
        vectors = {
            sha256: np.stack([stored[sha256] for stored in self.found.values()])
            for sha256 in images
            if all(sha256 in stored for stored in self.found.values())
        }
        return Embedded(vectors, self.missing, self.decoded)
