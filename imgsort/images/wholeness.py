"""Has a picture file its end? What a program is still saving has not, however long it pauses.

A hint, from a few bytes at either end; whoever decodes a picture finds out for certain.
"""

import os
from pathlib import Path

from imgsort.disk.identity import open_regular

_TAIL = 4096
_HEAD = 16


def is_cut_short(path: str) -> bool:
    """Surely without its end; False for formats that don't tell, and for what can't be opened."""
    try:
        descriptor = open_regular(Path(path))
    except OSError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, _HEAD, 0)
        return lacks_its_end(head, os.pread(descriptor, _TAIL, max(0, size - _TAIL)), size)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def lacks_its_end(head: bytes, tail: bytes, size: int) -> bool:
    """``head`` and ``tail``: the first and the last bytes of a file of ``size`` bytes. Pure."""
    if head.startswith(b"\xff\xd8\xff"):
        return b"\xff\xd9" not in tail
    if head.startswith(b"\x89PNG"):
        return b"IEND" not in tail
    if head.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")):
        return b"\xff\xd9" not in tail
    if head.startswith(b"RIFF"):
        return int.from_bytes(head[4:8], "little") + 8 > size
    if head.startswith(b"BM"):
        return int.from_bytes(head[2:6], "little") > size
    return False
