"""Memory that was freed goes back to the system, instead of staying with the C library."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of glibc's malloc.h."""
_ARENAS = 2
_LARGE = 128 << 10
_BETWEEN_SEARCHES = 10_000
"""Objects that are made and still held, of those that may be part of a cycle."""


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


def settle_collector() -> None:
    """Have Python's search for cycles leave out all that is there once everything is loaded, and
    search less often. Call it when nothing more is to be loaded.

    Else it goes through half a million objects of libraries again and again, for those few that a
    batch makes: it took a tenth of the main process's time. What has no cycle, which is nearly
    all, is freed at once in any case.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BETWEEN_SEARCHES, 10, 10)


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
