"""A list too long for one query, in parts: SQLite takes a limited number of variables."""

from collections.abc import Collection, Iterator
from typing import TypeVar

CHUNK = 500

Item = TypeVar("Item")


def parts(wanted: Collection[Item]) -> Iterator[list[Item]]:
    """Lists of at most ``CHUNK`` of them; none where there are none."""
    ordered = list(wanted)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
