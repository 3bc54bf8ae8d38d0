"""What was freed really leaves the process."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
PINNED = """
from pathlib import Path
from imgsort.daemon.trim import give_back

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_goes_back() -> None:
    """Sixty megabytes between blocks that stay."""
    done = subprocess.run(
        [sys.executable, "-c", PINNED], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    before, freed, after = map(int, done.stdout.split())
    assert freed - before > 40
    assert after - before < 20
