"""Pictures that crashed or hung their decoder, counted across restarts."""

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from imgsort.disk.identity import Identity
from imgsort.store.engine import Database
from imgsort.store.file_columns import identity_columns, identity_of, identity_values, path_values
from imgsort.store.paths import Anchor
from imgsort.store.tables import DECODE_ATTEMPTS
from imgsort.store.topic import Topic, now

_FILE = identity_columns(DECODE_ATTEMPTS)


def counts(connection: Connection) -> dict[Identity, int]:
    """How often decoding each file has failed hard so far; few files ever do."""
    rows = connection.execute(select(*_FILE, DECODE_ATTEMPTS.c.attempts))
    return {identity_of(row): row.attempts for row in rows}


def count(connection: Connection, identity: Identity) -> int:
    """The same of one file."""
    found = connection.scalar(select(DECODE_ATTEMPTS.c.attempts).where(_is(identity)))
    return found or 0


def record(
    connection: Connection, identity: Identity, path: bytes, reason: str, now: datetime
) -> None:
    """Count one more. ``path`` as the database keeps it."""
    before = count(connection, identity)
    values = {
        **path_values(path),
        "attempts": before + 1,
        "reason": reason,
        "last_at": now,
    }
    if before:
        connection.execute(update(DECODE_ATTEMPTS).where(_is(identity)).values(values))
        return
    connection.execute(insert(DECODE_ATTEMPTS).values(identity_values(identity) | values))


def forget(connection: Connection, identities: Sequence[Identity]) -> None:
    """Files that have left the inbox need no count any more. Costs one look when there is none."""
    if connection.scalar(select(DECODE_ATTEMPTS.c.attempts).limit(1)) is None:
        return
    for identity in identities:
        connection.execute(delete(DECODE_ATTEMPTS).where(_is(identity)))


def _is(identity: Identity) -> ColumnElement[bool]:
    file = identity_values(identity)
    return and_(*(column == file[column.name] for column in _FILE))


class AttemptTopic(Topic):
    """``images.outcome.Attempts`` that outlast a restart."""

    def __init__(self, database: Database, anchor: Anchor) -> None:
        super().__init__(database, anchor)
        self._counts: dict[Identity, int] = {}
        self._read_after: object = self  # nothing was read yet
        self._lock = threading.Lock()

    def count(self, identity: Identity) -> int:
        """How often decoding this file has crashed or hung; kept at hand, every image asks."""
        with self._lock:
            if self._read_after is not self.database.last_write:
                now_at = self.database.last_write
                with self.read() as connection:
                    self._counts = counts(connection)
                self._read_after = now_at
            return self._counts.get(identity, 0)

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        """Count one more crash or hang; on disk when this returns. Forgotten once it is filed."""
        with self.write() as connection:
            record(connection, identity, self.anchor.stored(path), reason, now())
