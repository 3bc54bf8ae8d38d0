"""Does a disk take nothing at all, whoever writes?"""

import os
from pathlib import Path


def is_read_only(place: Path) -> bool:
    """Is what holds it mounted so? The system does that by itself where a disk has errors."""
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False
