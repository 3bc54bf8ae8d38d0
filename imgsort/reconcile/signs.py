"""Which files are expected where they are: nine bytes each, for there may be millions."""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np

from imgsort.disk.identity import Identity


def sign_of(path: str, identity: Identity) -> int:
    """64 bits that stand for a file at its path, within this process."""
    return hash((path, identity))


class Signs:
    """Signs that are ticked off one by one. A set would take ninety bytes each."""

    def __init__(self, signs: Iterable[int] = ()) -> None:
        self._sorted = np.unique(np.fromiter(signs, np.int64)).data
        self._ticked = bytearray(len(self._sorted))
        self.left = len(self._sorted)
        """How many are not ticked off."""

    def __len__(self) -> int:
        return len(self._sorted)

    def tick_off(self, sign: int) -> bool:
        """False where it isn't one of them."""
        at = self._place(sign)
        if at is None:
            return False
        if not self._ticked[at]:
            self._ticked[at] = True
            self.left -= 1
        return True

    def still_has(self, sign: int) -> bool:
        """Is it one of them, and not ticked off?"""
        at = self._place(sign)
        return at is not None and not self._ticked[at]

    def _place(self, sign: int) -> int | None:
        at = bisect_left(self._sorted, sign)
        return at if at < len(self._sorted) and self._sorted[at] == sign else None
