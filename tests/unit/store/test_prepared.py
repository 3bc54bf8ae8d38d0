"""Rows written past SQLAlchemy are the rows that SQLAlchemy reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, bindparam, create_engine, insert, select, update

from imgsort.store.chunks import rows_in
from imgsort.store.numbered import insert_numbered
from imgsort.store.prepared import execute_each
from imgsort.store.tables import DECODE_ATTEMPTS, METADATA, RUNS

NOON = datetime(2026, 11, 28, 12, 0, 0, 5000, tzinfo=UTC)
ELSEWHERE = NOON.astimezone(timezone(timedelta(hours=5)))
HUGE, LATE = 2**64 - 3, 2**63 + 12
"""An inode beyond 63 bits, an mtime beyond 2262."""


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        yield connection


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 100])
def test_rows_get_the_next_numbers_in_their_order(connection: Connection, count: int) -> None:
    """However many go with one statement; each kind of value is kept as SQLAlchemy keeps it."""
    connection.execute(insert(RUNS).values(id=7, kind="run", started_at=NOON))
    rows = [(f"run {number}", ELSEWHERE, None) for number in range(count)]
    ids = insert_numbered(connection, RUNS, ("kind", "started_at", "ended_at"), rows)
    assert list(ids) == list(range(8, 8 + count))
    found = connection.execute(select(RUNS).where(RUNS.c.id > 7).order_by(RUNS.c.id)).all()
    assert [row.kind for row in found] == [row[0] for row in rows]
    assert {(row.started_at, row.ended_at) for row in found} == {(NOON, None)}


def test_numbers_no_signed_column_holds_are_written_found_and_changed(
    connection: Connection,
) -> None:
    """Inodes and times beyond 63 bits go through the same wrapping on every way."""
    columns = DECODE_ATTEMPTS.c
    values = {"path": "p", "path_bytes": b"p", "reason": "r", "last_at": NOON, "attempts": 1}
    file = {"dev": 1, "ino": HUGE, "size": 3, "mtime_ns": LATE}
    connection.execute(insert(DECODE_ATTEMPTS).values(values | file))
    asked = select(columns.ino, columns.mtime_ns)
    assert [tuple(row) for row in rows_in(connection, asked, columns.ino, [HUGE, 5])] == [
        (HUGE, LATE)
    ]
    assert len(list(rows_in(connection, asked, columns.path_bytes, [b"p", b"q"]))) == 1
    changed = (
        update(DECODE_ATTEMPTS)
        .where(columns.ino == bindparam("which"))
        .values(attempts=9, mtime_ns=bindparam("when"))
    )
    execute_each(connection, changed, ("unused", "when", "which"), [(0, LATE + 1, HUGE)])
    row = connection.execute(select(columns.attempts, columns.mtime_ns)).one()
    assert tuple(row) == (9, LATE + 1)
