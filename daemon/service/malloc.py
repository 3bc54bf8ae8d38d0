"""Memory that was freed goes back to the system, instead of staying with the C library."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of glibc's malloc.h."""
_ARENAS = 2
_LARGE = 128 << 10


def settle_heap() -> None:
    """Keep glibc's heap free of holes. Call it before there are threads.

    By default it makes eight heaps a core, and soon takes arrays of megabytes from them: a daemon
    at work held 30 MB of holes, and 1 MB more with every 10,000 pictures. Two heaps, and a mapping
    of its own for whatever is large, as glibc begins with, leave 4 MB and cost no time that could
    be told from noise.
    """
    with _glibc() as library:
        library.mallopt(_M_ARENA_MAX, _ARENAS)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Have glibc return the free pages between what is in use, such as a look at the folders
    leaves. Takes some milliseconds.
    """
    with _glibc() as library:
        library.malloc_trim(0)


@contextmanager
def _glibc() -> Iterator[ctypes.CDLL]:
    """Other C libraries have no such calls, and need none."""
    with suppress(AttributeError, OSError):
        yield ctypes.CDLL(None)
