"""embeddings.db: its tables and every statement on them.

Derived data. The file may be deleted or damaged at any time, also while it is open: whoever notices
makes a new one.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from imgsort.store.chunks import parts
from imgsort.store.engine import connect, meaning

_FORM = 1
"""Of the tables; a file of another form is made anew."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF
_SELECT = (
    "SELECT sha256, vector, crc FROM embeddings WHERE space_id = ? AND view = ? AND sha256 IN "
)
_INSERT = (
    "INSERT OR IGNORE INTO embeddings (space_id, sha256, view, vector, crc) VALUES (?, ?, ?, ?, ?)"
)
_TOGETHER = 32
"""Rows of one statement: between two Python's lock is given up, and has to be waited for."""
_TABLES = (
    """CREATE TABLE spaces (
        id INTEGER PRIMARY KEY, backbone_id TEXT NOT NULL, precision TEXT NOT NULL,
        UNIQUE (backbone_id, precision))""",
    # The id grows with age. crc guards what SQLite doesn't: a flipped bit inside a vector.
    """CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY, space_id INTEGER NOT NULL REFERENCES spaces (id),
        sha256 BLOB NOT NULL, view INTEGER NOT NULL, vector BLOB NOT NULL, crc INTEGER NOT NULL,
        UNIQUE (space_id, sha256, view))""",
)


class Damaged(Exception):
    """The file is not what was written; str() says how SQLite put it."""


@dataclass(frozen=True, slots=True)
class Space:
    """Vectors can be compared only within one: the same backbone, calculated the same way."""

    backbone_id: str
    precision: str


@dataclass(frozen=True, slots=True)
class Vector:
    """One embedding as it is stored."""

    sha256: str
    view: int
    content: bytes

    @property
    def crc(self) -> int:
        return zlib.crc32(self.content, zlib.crc32(bytes.fromhex(self.sha256)))


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored vector without its numbers. Ids grow with age."""

    id: int
    sha256: str


class VectorFile:
    """One open embeddings.db. Not to be shared by threads at the same moment.

    Every method may raise Damaged, StoreFull, StoreBusy, StoreBroken, or DatabaseProblem for a file
    that this user can't write.
    """

    def __init__(self, path: Path, *, checkpointer: bool) -> None:
        self.path = path
        with _told(path):
            self._connection = connect(path, checkpointer=checkpointer, mode="rwc")
            try:
                self._checkpointer = checkpointer
                self._prepare()
                status = path.stat()
            except BaseException:
                self._connection.close()
                raise
        self._inode = (status.st_dev, status.st_ino)

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded by a new file only
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the newest
        if self._number("PRAGMA user_version") == _FORM:
            return
        with self._writing():
            if self._number("SELECT count(*) FROM sqlite_master"):
                if self._number("PRAGMA user_version") == _FORM:
                    return  # another process was quicker
                raise Damaged("it holds other tables")
            for table in _TABLES:
                self._connection.execute(table)
            self._connection.execute(f"PRAGMA user_version = {_FORM}")

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def is_there(self) -> bool:
        """Is the file still the one at this path?"""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._inode

    def put(self, space: Space, vectors: Iterable[Vector]) -> None:
        """Add vectors in one transaction; those that are there already stay."""
        with _told(self.path), self._writing():
            number = self._space(space, make=True)
            rows = [(number, bytes.fromhex(v.sha256), v.view, v.content, v.crc) for v in vectors]
            whole = len(rows) - len(rows) % _TOGETHER
            for start in range(0, whole, _TOGETHER):
                values = chain.from_iterable(rows[start : start + _TOGETHER])
                self._connection.execute(_INSERT + ", (?, ?, ?, ?, ?)" * (_TOGETHER - 1), [*values])
            self._connection.executemany(_INSERT, rows[whole:])

    def get(self, space: Space, sha256s: Sequence[str], view: int) -> list[Vector]:
        """Those of these that are there, and whole."""
        found: list[Vector] = []
        with _told(self.path):
            number = self._space(space)
            for part in parts(sha256s):
                keys = [bytes.fromhex(sha256) for sha256 in part]
                rows = self._connection.execute(
                    _SELECT + f"({','.join('?' * len(keys))})", (number, view, *keys)
                )
                read = ((Vector(key.hex(), view, content), crc) for key, content, crc in rows)
                found += [vector for vector, crc in read if vector.crc == crc]
        return found

    def forget(self, ids: Sequence[int]) -> None:
        """Delete entries, a few hundred a transaction so that others get in between."""
        with _told(self.path):
            for part in parts(ids):
                with self._writing():
                    self._connection.executemany(
                        "DELETE FROM embeddings WHERE id = ?", ((number,) for number in part)
                    )

    def entries(self) -> Iterator[Entry]:
        """All of them, oldest first."""
        with _told(self.path):
            for number, key in self._connection.execute(
                "SELECT id, sha256 FROM embeddings ORDER BY id"
            ):
                yield Entry(number, key.hex())

    def used_bytes(self) -> int:
        """What the file holds, without the room that deleted entries have left."""
        with _told(self.path):
            pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
            return pages * self._number("PRAGMA page_size")

    def shrink(self) -> None:
        """Give the room of deleted entries back to the disk."""
        with _told(self.path):
            # execute() would step it once, which gives back one page.
            self._connection.executescript("PRAGMA incremental_vacuum")
            if self._checkpointer:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _space(self, space: Space, *, make: bool = False) -> int | None:
        key = (space.backbone_id, space.precision)
        if make:
            self._connection.execute(
                "INSERT OR IGNORE INTO spaces (backbone_id, precision) VALUES (?, ?)", key
            )
        row = self._connection.execute(
            "SELECT id FROM spaces WHERE backbone_id = ? AND precision = ?", key
        ).fetchone()
        return None if row is None else int(row[0])

    def _number(self, statement: str) -> int:
        return int(self._connection.execute(statement).fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def files_of(path: Path) -> tuple[Path, Path, Path]:
    """The database with its write-ahead log and that one's index."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def size_on_disk(path: Path) -> int:
    """Bytes of an embeddings.db with its write-ahead log; 0 where there is none."""
    return sum(part.stat().st_size for part in files_of(path)[:2] if part.exists())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in _DAMAGE or code == sqlite3.SQLITE_ERROR:  # a table or column that isn't there
            raise Damaged(str(problem)) from problem
        known = meaning(path, problem)
        if known is None:
            raise
        raise known from problem
