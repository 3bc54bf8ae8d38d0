"""Answers that a large log makes dear: given anew once they have rested long enough."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

REST = 20
"""Times as long as the answer took, so that counting takes a twentieth of a core at most; what
takes 5 ms is a tenth of a second old."""


class Seldom(Generic[T]):
    """Every thread may ask; one of them finds out while the others are given what is known."""

    def __init__(self, find_out: Callable[[], T]) -> None:
        self._find_out = find_out
        self._first, self._busy = threading.Lock(), threading.Lock()
        self._known: list[T] = []
        self._until = 0.0

    def __call__(self) -> T:
        if not self._known:
            with self._first:
                if not self._known:
                    self._renew()
        elif time.monotonic() >= self._until and self._busy.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._busy.release()
        return self._known[0]

    def _renew(self) -> None:
        used = time.thread_time()
        self._known = [self._find_out()]
        # The processor's time: what else the machine does makes no answer dearer.
        self._until = time.monotonic() + REST * (time.thread_time() - used)
