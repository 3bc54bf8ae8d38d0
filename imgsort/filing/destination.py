"""Which unused name does a file get? ``cat.jpg``, then ``cat_2.jpg``, ``cat_3.jpg`` and so on."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from imgsort.filing.folders import Folder
from imgsort.workspace.template import LONGEST_NAME, fitted, split_name

# Enough for every name that repeats in one sitting; forgetting one only costs looks at the disk.
_REMEMBERED = 4096


def destination(
    name: str,
    taken: Callable[[str], bool],
    *,
    first: int = 1,
    tails: Sequence[str] = (),
    longest: int = LONGEST_NAME,
) -> tuple[str, int]:
    """The first of name, stem_2.ext, stem_3.ext… that is not taken, and its number. Pure.

    ``first`` is the number to begin with. ``tails`` are what sidecars add to the same stem: their
    names must be free too. ``longest`` is in bytes.
    """
    tail = max((len(os.fsencode(tail)) for tail in tails), default=0)
    for number in count(first):
        candidate = fitted(name, "" if number == 1 else f"_{number}", longest, tail)
        stem = split_name(candidate)[0]
        if not taken(candidate) and not any(taken(stem + tail) for tail in tails):
            return candidate, number
    raise AssertionError("numbers never end")


@dataclass(slots=True)
class Numbers:
    """The last number each name got in a folder.

    It saves 1,000 different files called a.jpg from half a million looks at the disk.
    """

    _last: dict[tuple[Path, str], int] = field(default_factory=dict)

    def next(self, folder: Path, name: str) -> int:
        return self._last.get((folder, name), 0) + 1

    def given(self, folder: Path, name: str, number: int) -> None:
        if number == 1:
            return  # a name that was free needs no memory: the usual case
        self._last.pop((folder, name), None)
        self._last[folder, name] = number
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]


class NameReservations:
    """Reserves names for one batch: unused on disk, and by no other file of the batch."""

    def __init__(self, numbers: Numbers, reserved: Iterable[Path] = ()) -> None:
        """``reserved`` are targets that the journal still holds for others."""
        self._numbers = numbers
        self._reserved: dict[Path, set[str]] = {}
        for path in reserved:
            self._reserved.setdefault(path.parent, set()).add(path.name)

    def reserve(self, folder: Folder, wanted: str, tails: Sequence[str] = ()) -> str:
        """An unused name as near to ``wanted`` as can be. Raises OSError."""
        reserved = self._reserved.setdefault(folder.path, set())
        name, number = destination(
            wanted,
            lambda candidate: candidate in reserved or folder.holds(candidate),
            first=self._numbers.next(folder.path, wanted),
            tails=tails,
            longest=folder.longest_name,
        )
        self._numbers.given(folder.path, wanted, number)
        stem = split_name(name)[0]
        reserved.update((name, *(stem + tail for tail in tails)))
        return name
