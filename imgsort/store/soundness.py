"""A look at the database file that takes no longer than one is willing to wait."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_STEPS = 2_000
"""Of SQLite's virtual machine between two looks at the clock."""


def damage(database: Path, seconds: float) -> str | None:
    """What is wrong with the file, in SQLite's words; None when nothing was found.

    Needs no right to write. A file too large to be checked in ``seconds`` is checked in part;
    `imgsort run` checks all of it when it starts.
    """
    if not database.exists():
        return "it is missing"
    deadline = time.monotonic() + seconds
    try:
        place = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=0.1)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        return str(problem) if code in _DAMAGE else None  # busy, a full disk, no right to look
    return None if found == "ok" else str(found)
