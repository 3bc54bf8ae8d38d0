"""From a number of pictures to units: who runs which, and which are left. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from imgsort.errors import BackfillMisused

_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``of`` programs that share a job without talking to each other; counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """``3/20``. Raises BackfillMisused."""
        found = _SHARD.fullmatch(text.strip())
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= of:
            raise BackfillMisused(f"--shard takes a part such as 3/20, from 1/20 on, not {text!r}.")
        return cls(number, of)

    @property
    def is_whole(self) -> bool:
        return self.of == 1

    def has(self, unit: int) -> bool:
        return unit % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def units_of(pictures: int, unit_images: int) -> int:
    """How many units they make."""
    return -(-pictures // unit_images)


def size_of(unit: int, pictures: int, unit_images: int) -> int:
    """How many pictures a unit has; the last may have fewer."""
    return min(unit_images, pictures - unit * unit_images)


def units_left(
    units: int, done: Collection[int], failed: Collection[int] = (), shard: Shard | None = None
) -> list[int]:
    """Units that are to be judged, in order."""
    mine = shard or Shard()
    return [n for n in range(units) if n not in done and n not in failed and mine.has(n)]
