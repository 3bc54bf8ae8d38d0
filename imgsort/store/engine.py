"""The connection to imgsort.db: how it is opened, and what its failures mean to a user.

Everything that only SQLite understands lives here, in ``counting`` and in ``imgsort.store.schema``.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError

from imgsort.disk.read_only import is_read_only
from imgsort.errors import DatabaseProblem, ImgsortError, StoreBroken, StoreBusy, StoreFull

BUSY_SECONDS = 30
_PRIMARY_CODE = 0xFF
_STATEMENTS = 32
"""Prepared ones that a connection keeps, 10 kB each. An IN list is another one at each length, so
that a hundred are soon full of those that won't come again."""
_CACHE_KB = 1_000
"""Pages that a connection keeps; the system has them all in its own cache."""
_WRITERS_CACHE_KB = 4_000
"""Of who writes batches: a page that has no room is written before the transaction ends, and then
again."""


class Database:
    """One SQLite file. Threads may share it; each transaction has a connection of its own."""

    def __init__(self, path: Path, *, checkpointer: bool) -> None:
        self.path = path
        self._engine = _engine(path, checkpointer)
        self._writing = self._engine.execution_options(imgsort_write=True)
        self.last_write: object = None
        """Another object after each transaction that wrote: what is kept at hand goes by it."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the database; never blocks a writer."""
        with translated(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that takes the write lock at once, and commits to the disk at the end."""
        with translated(self.path), self._writing.begin() as connection:
            yield connection
        self.last_write = object()

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound."""
        try:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(20)").scalars().all()
        except DatabaseError as problem:
            return [str(problem.orig)]
        return [str(line) for line in found if line != "ok"]

    def close(self) -> None:
        self._engine.dispose()


def _engine(path: Path, checkpointer: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite"),  # as text it would be parsed, which takes 3 ms
        creator=lambda: connect(path, checkpointer=checkpointer),
        poolclass=QueuePool,
        # Each connection has a page cache of its own: the one used last has the freshest, and those
        # that are seldom needed at the same time shouldn't fill theirs.
        pool_use_lifo=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A reader that turns writer fails with BUSY_SNAPSHOT whatever the timeout, so writers say so
    # from the start; a plain reader must never take the write lock.
    writes = connection.get_execution_options().get("imgsort_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def connect(
    path: Path, *, checkpointer: bool = True, mode: str = "rw", foreign_keys: bool = True
) -> sqlite3.Connection:
    """A connection in which only an explicit BEGIN opens a transaction. ``mode``: ro, rw, rwc."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    cache = _WRITERS_CACHE_KB if checkpointer else _CACHE_KB
    connection.execute(f"PRAGMA cache_size = -{cache}")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    connection.execute("PRAGMA synchronous = FULL")
    if checkpointer:
        # What a single row's update, should it fail, is taken back with: else it is a file, and
        # that is two thirds of all that is written for an arrival, which has a dozen indexes.
        connection.execute("PRAGMA temp_store = MEMORY")
    else:
        # SQLite before 3.51.3 can lose a WAL that two processes checkpoint at once.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def write_ahead(path: Path) -> None:
    """Put a database into WAL mode, in which readers and the writer don't wait for each other.

    It stays so; but a backup's database, which is one file, isn't. Only for the ``checkpointer``.
    """
    with translated(path), closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def sqlite_version() -> str:
    """Of the library in use, which may be newer than the one Python was built with."""
    return sqlite3.sqlite_version


def require_writable(path: Path) -> None:
    """Raise DatabaseProblem unless this user may write the database and its journal."""
    for place in (path, path.parent):
        if not os.access(place, os.R_OK | os.W_OK):
            raise DatabaseProblem(_why_not_written(place))


def _why_not_written(place: Path) -> str:
    if is_read_only(place):
        return f"{place} is mounted read-only; mount it writable."
    return (
        f"{place} can't be written by this user; run imgsort as its owner, or correct its owner or "
        f"mode."
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite reports into the few errors that a caller or a user can act upon."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as problem:
        known = meaning(path, problem.orig if isinstance(problem, DatabaseError) else problem)
        if known is None:
            raise
        raise known from problem


def meaning(path: Path, problem: BaseException | None) -> ImgsortError | None:
    """The error to show for one of SQLite's; None for what can only be a bug of ours."""
    code = getattr(problem, "sqlite_errorcode", 0)
    # The first file to be made on a full disk is the WAL's index; SQLite calls that an I/O error.
    match sqlite3.SQLITE_FULL if code == sqlite3.SQLITE_IOERR_SHMSIZE else code & _PRIMARY_CODE:
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"The disk that holds {path} is full; make room on it.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(
                f"Another program has kept {path} locked for {BUSY_SECONDS} seconds; close it, "
                f"or wait for it."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return DatabaseProblem(_why_not_written(path))
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(problem))
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return StoreBroken(
                f"{path} could not be read or written ({problem}); look after the disk, then start "
                f"imgsort again."
            )
    return None


def damaged(path: Path, detail: str) -> DatabaseProblem:
    return DatabaseProblem(
        f"{path} is damaged ({detail}); stop imgsort and bring a backup back with "
        f"`imgsort restore FILE`: no picture has been touched."
    )
