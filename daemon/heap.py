"""Memory that was freed goes back to the system, instead of staying with the C library."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
_ARENAS = 2


def few_heaps() -> None:
    """Let threads share two heaps. By default glibc makes eight a core, each with holes of its own:
    a daemon at work grew by 1 MB per 10,000 pictures. Call it before there are threads.
    """
    with _glibc() as library:
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Have glibc return the free pages between what is in use, which it keeps of its own accord:
    15 MB within a minute of work. Takes some milliseconds.
    """
    with _glibc() as library:
        library.malloc_trim(0)


@contextmanager
def _glibc() -> Iterator[ctypes.CDLL]:
    """Other C libraries have no such calls, and need none."""
    with suppress(AttributeError, OSError):
        yield ctypes.CDLL(None)
