"""Is a new class name only a slip of the pen for a known one? Pure."""

import re
import unicodedata
from collections.abc import Collection

_SHORT = 6
"""In a shorter name one letter may be wrong, else two."""


def slip(name: str, known: Collection[str]) -> str | None:
    """The known class that is within a small edit distance, the nearest first.

    Names that differ in their digits (``type 1``, ``type 2``) are a series, no slips, and so are
    single letters.
    """
    written = _plain(name)
    near = [
        (distance, one)
        for one in known
        if (other := _plain(one)) != written
        and _digits(other) == _digits(written)
        and (distance := edits(written, other)) <= _allowed(written, other)
    ]
    return min(near)[1] if near else None


def _allowed(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return min(1 if shorter < _SHORT else 2, shorter - 1)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _digits(name: str) -> list[str]:
    return re.findall(r"\d+", name)


def edits(one: str, other: str) -> int:
    """Letters to add, drop, exchange or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            swapped = i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted)
            row.append(min(best, earlier[j - 2] + 1) if swapped else best)
    return row[-1]
