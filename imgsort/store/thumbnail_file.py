"""thumbnails.db: small pictures that were made before, by content and size.

Derived data. The file may be deleted or damaged at any time: whoever notices goes without it.
"""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from imgsort.disk.closing import Closing
from imgsort.store.embeddings import files_of
from imgsort.store.engine import connect

_FORM = 1
_TABLE = """CREATE TABLE thumbnails (
    id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, side INTEGER NOT NULL, jpeg BLOB NOT NULL,
    size INTEGER NOT NULL, UNIQUE (sha256, side))"""
_SLACK = 0.1
"""Trimming goes this far below the limit, so that it is rare."""


class ThumbnailFile(Closing):
    """Threads may share it. Nothing that goes wrong in it is worth telling: it can be made anew."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max = path, max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._bytes = 0
        if max_bytes > 0 and not self._opened():
            for part in files_of(path):
                with suppress(OSError):
                    part.unlink(missing_ok=True)
            self._opened()

    def close(self) -> None:
        with self._lock:
            self._given_up()

    def get(self, sha256: str, side: int) -> bytes | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                row = self._connection.execute(
                    "SELECT jpeg FROM thumbnails WHERE sha256 = ? AND side = ?",
                    (bytes.fromhex(sha256), side),
                ).fetchone()
            except sqlite3.DatabaseError:
                self._given_up()
                return None
        return None if row is None else bytes(row[0])

    def put(self, sha256: str, side: int, jpeg: bytes) -> None:
        """Keep it; the oldest make room."""
        with self._lock:
            if self._connection is None:
                return
            try:
                self._connection.execute(
                    "INSERT OR IGNORE INTO thumbnails (sha256, side, jpeg, size)"
                    " VALUES (?, ?, ?, ?)",
                    (bytes.fromhex(sha256), side, jpeg, len(jpeg)),
                )
                self._bytes += len(jpeg)
                if self._bytes > self._max:
                    self._trim(self._connection)
            except sqlite3.DatabaseError:  # a full disk too: then there is none to keep it on
                self._given_up()

    def _opened(self) -> bool:
        try:
            connection = connect(self._path, mode="rwc")
        except sqlite3.DatabaseError:
            return False
        try:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _FORM:
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {_FORM}")
            total = connection.execute("SELECT total(size) FROM thumbnails").fetchone()
        except sqlite3.DatabaseError:
            connection.close()
            return False
        self._connection, self._bytes = connection, int(total[0])
        return True

    def _trim(self, connection: sqlite3.Connection) -> None:
        wanted = self._bytes - int(self._max * (1 - _SLACK))
        last = 0
        for number, size in connection.execute("SELECT id, size FROM thumbnails ORDER BY id"):
            if wanted <= 0:
                break
            wanted -= size
            self._bytes -= size
            last = number
        connection.execute("DELETE FROM thumbnails WHERE id <= ?", (last,))
        connection.executescript("PRAGMA incremental_vacuum")

    def _given_up(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
