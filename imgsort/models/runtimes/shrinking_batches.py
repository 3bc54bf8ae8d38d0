"""Go on in smaller batches when the device's memory runs out, and grow back slowly."""

import logging
from collections.abc import Callable

import numpy as np

from imgsort.models.runtimes.base import DeviceMemoryExhausted, Embeddings, Images

LOG = logging.getLogger(__name__)
GROW_AFTER = 50
"""Full batches that went well before twice as many images are tried."""


class Halving:
    """Runs at most ``limit`` images at once; ``run`` raises DeviceMemoryExhausted for too many."""

    def __init__(self, run: Callable[[Images], Embeddings], width: int, largest: int) -> None:
        self.limit = largest
        self._run, self._width, self._largest = run, width, largest
        self._well = 0

    def embed(self, images: Images) -> Embeddings:
        """Any N. Raises DeviceMemoryExhausted when not even one image fits."""
        embeddings = np.empty((len(images), self._width), np.float32)
        done = 0
        while done < len(images):
            part = images[done : done + self.limit]
            try:
                embeddings[done : done + len(part)] = self._run(part)
            except DeviceMemoryExhausted:
                if self.limit == 1:
                    raise
                # A single image may have been filled up to more: a smaller limit fills up less.
                self._shrink(len(part) if len(part) > 1 else self.limit)
            else:
                self._note_success(len(part))
                done += len(part)
        return embeddings

    def _shrink(self, failed: int) -> None:
        self.limit, self._well = failed // 2, 0
        LOG.warning("the device's memory ran out; going on with batches of %d", self.limit)

    def _note_success(self, count: int) -> None:
        if count < self.limit or self.limit == self._largest:
            return
        self._well += 1
        if self._well >= GROW_AFTER:
            self.limit, self._well = min(self._largest, self.limit * 2), 0
            LOG.info("trying batches of %d again", self.limit)
