"""Memory for the pixels of pictures, used again as soon as nobody holds a view of it any more.

A picture has more bytes than the C library keeps at hand, so that fresh memory for each would be
mapped, filled with zeros page by page, and unmapped, which takes longer than the copying.
"""

import weakref

import numpy as np
from numpy.typing import NDArray


class PixelMemory:
    """For pictures [size, size, 3] of one thread; what it gave may be held by any."""

    def __init__(self, size: int) -> None:
        self._shape = size, size, 3
        self._free: list[bytearray] = []

    def copy_of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        room = self._free.pop() if self._free else bytearray(pixels.nbytes)
        # Every view of the copy, and of such a view, holds ``whole``: what NumPy notes down for a
        # view is the last array on the way to the memory.
        whole = np.frombuffer(room, np.uint8)
        weakref.finalize(whole, self._free.append, room).atexit = False
        copy = whole.reshape(self._shape)
        copy[:] = pixels
        return copy
