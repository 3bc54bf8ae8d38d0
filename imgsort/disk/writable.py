"""Why a file or folder can't be written: its disk takes nothing, or this user may not."""

import os
from pathlib import Path


def why_not_written(place: Path, who: str = "correct its owner or mode") -> str:
    """A sentence with the next step; ``who``: that for a user who may not."""
    if _takes_nothing(place):
        return f"{place} is mounted read-only; mount it writable."
    return f"{place} can't be written by this user; {who}."


def _takes_nothing(place: Path) -> bool:
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False
