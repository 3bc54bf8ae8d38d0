"""The wall clock jumps while the daemon runs; the monotonic clock doesn't, as on a real machine."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.books import Books
from tests.chaos.ledger import Ledger
from tests.chaos.program import Program, wait_for

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")
JUMPS = ("-1y", "+13y", "-56y", "+0")
"""Back a year, beyond 2038, back to 1970, and right again."""
ODD_TIMES = (0, 2**31 + 5, 2**33, -(10**9))
"""Of the files themselves: 1970, beyond 2038, the year 2242, 1938."""
pytestmark = pytest.mark.chaos


@pytest.fixture
def faketime() -> str:
    found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern[1:])]
    if not found:
        pytest.skip("libfaketime is not installed (Debian: apt install faketime)")
    return str(found[0])


def test_the_clock_jumps(books: Books, ledger: Ledger, tmp_path: Path, faketime: str) -> None:
    """Pictures are filed and moves by hand learned as if nothing had happened."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    daemon = Program.daemon(
        books.workspace,
        LD_PRELOAD=faketime,
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        NO_FAKE_STAT="1",
    )
    for jump, odd in zip(JUMPS, ODD_TIMES, strict=True):
        clock.write_text(jump)
        for path in books.drop(3):
            os.utime(path, (odd, odd))
        wait_for(lambda: books.waiting() == 0, f"the images after a jump of {jump}")
    assert daemon.stop() == 0
    with closing(sqlite3.connect(books.workspace.database)) as log:
        years = log.execute("SELECT DISTINCT substr(arrived_at, 1, 4) FROM arrivals").fetchall()
    assert len(years) == len(JUMPS), "the clock never jumped"
    ledger.fault("the clock jumps", books.harm(), len(JUMPS))
