"""Which revision of the schema a database file is at, and whether this program may use it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from imgsort.errors import DatabaseProblem
from imgsort.store.engine import connect, require_writable, translated
from imgsort.store.tables import REVISIONS
from imgsort.workspace.way_back import way_back


def head_revision() -> str:
    """The revision this program reads and writes."""
    return REVISIONS[-1]


def revision_of(database: Path) -> str | None:
    """The revision a database file is at; None if it is missing or has no schema yet.

    Changes nothing, but for undoing what a killed program left half written outside of WAL mode.
    Raises DatabaseProblem for a file that is no database.
    """
    if not database.exists():
        return None
    half_written = database.with_name(f"{database.name}-journal").exists()
    mode = "rw" if half_written else "ro"
    with translated(database), closing(connect(database, mode=mode)) as connection:
        return _stamped(connection)


def _stamped(connection: sqlite3.Connection) -> str | None:
    there = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    row = there and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def require_current(database: Path) -> None:
    """Raise DatabaseProblem unless the database is there, writable and at this revision."""
    if not database.exists():
        raise DatabaseProblem(f"{database} is missing; {way_back(database.parent.parent)}.")
    require_writable(database)
    revision = revision_of(database)
    if revision == head_revision():
        return
    if revision is not None and revision not in REVISIONS:
        raise newer(database, revision, head_revision())
    raise DatabaseProblem(
        f"{database} is at revision {revision or 'none'}, this imgsort needs {head_revision()}; "
        f"run `imgsort migrate`."
    )


def newer(database: Path, revision: str, head: str) -> DatabaseProblem:
    return DatabaseProblem(
        f"{database} is at revision {revision}, which this imgsort doesn't know (it knows up to "
        f"{head}): a newer imgsort made it, so run that one; nothing was changed."
    )
