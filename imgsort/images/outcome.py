"""What becomes of a file that is to be decoded."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded: ``sha256`` and ``pixels`` (uint8 RGB [size, size, 3]) are of the same bytes."""

    path: Path
    identity: Identity
    sha256: str
    facts: ImageFacts
    pixels: NDArray[np.uint8]

    def without_pixels(self) -> "Picture":
        """What is left of it once it is judged: the pixels are most of it."""
        return Picture(self.path, self.identity, self.sha256, self.facts, _NO_PIXELS)


_NO_PIXELS = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Refused:
    """No usable picture, now or later: it belongs in rejected/."""

    path: Path
    identity: Identity
    sha256: str
    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing can be said of it now (vanished, changing, no permission): it stays where it is."""

    path: Path
    reason: str


Outcome = Picture | Refused | Deferred


class Attempts(Protocol):
    """How often each file has crashed or hung a decoder; kept across restarts by the Store.

    Called from several threads.
    """

    def count(self, identity: Identity) -> int: ...

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        """Returns once it is on disk: the next try may take the machine down."""


class NoAttempts:
    """Attempts that last as long as the program: for classify and bench."""

    def __init__(self) -> None:
        self._counts: Counter[Identity] = Counter()

    def count(self, identity: Identity) -> int:
        return self._counts[identity]

    def record(self, identity: Identity, path: Path, reason: str) -> None:  # noqa: ARG002
        self._counts[identity] += 1
