"""What was freed really leaves the process, and threads don't spread it over many heaps."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
PINNED = """
from pathlib import Path
from imgsort.daemon.service.malloc import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20

before = resident()
blocks = [bytes(3000) for _ in range(20_000)]
kept = blocks[::100]  # they pin the heap, so that it can't shrink from its end
del blocks
freed = resident()
give_back()
print(before, freed, resident())
"""


HEAPS = """
import ctypes, sys, threading
from imgsort.daemon.service.malloc import settle_heap

if sys.argv[1] == "few":
    settle_heap()
ready = threading.Barrier(7)
kept = []

def work():
    ready.wait()
    kept.extend(bytes(3000) for _ in range(1000))
    ready.wait()

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
ready.wait()
ready.wait()
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, stream)
library.fflush(stream)
"""

LARGE = """
import sys
from pathlib import Path
from imgsort.daemon.service.malloc import settle_heap

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20

if sys.argv[1] == "settled":
    settle_heap()
before = resident()
first = bytes(30 << 20)
del first
kept = []
for _ in range(30):
    large = bytes(b"x") * (1 << 20)
    kept.append((large, bytes(3000)))
kept = [small for _, small in kept]
print(resident() - before)
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library than glibc"
)


def printed(code: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_threads_share_two_heaps() -> None:
    """Left to itself, glibc makes more."""
    assert printed(HEAPS, "many").count("<heap nr") > 2
    assert printed(HEAPS, "few").count("<heap nr") <= 2


def test_large_arrays_leave_no_holes() -> None:
    """glibc takes to serving them from the heap once one was freed; what comes after pins them."""
    left, settled = (int(printed(LARGE, which)) for which in ("left", "settled"))
    assert left > 20
    assert settled < 5


def test_freed_memory_goes_back() -> None:
    """Sixty megabytes between blocks that stay."""
    before, freed, after = map(int, printed(PINNED).split())
    assert freed - before > 40
    assert after - before < 20
