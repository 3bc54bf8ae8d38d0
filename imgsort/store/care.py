"""What care of the data asks of a database: is it sound, a copy of it, and what may go.

The functions take a file, sound or not, of whatever revision; ``CareLog`` needs the present one.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, insert, select, update

from imgsort.disk.closing import Closing
from imgsort.disk.identity import Identity
from imgsort.records.journal import Cause
from imgsort.records.reasons import FOUND_AGAIN
from imgsort.store.arrival_counts import are_kept, counts, recounted, start_counting, stop_counting
from imgsort.store.engine import Database, connect, translated, write_ahead
from imgsort.store.file_columns import identity_values, path_values
from imgsort.store.paths import Anchor
from imgsort.store.standing_labels import newest_labels
from imgsort.store.tables import ARRIVAL_COUNTS, ARRIVALS, CLASSES, IMAGES, LABELS, MOVES

_PAGES = 1024
"""Copied between two rests: 4 MB."""
_STEPS = 1_000_000
"""Of SQLite's machine, between two rests of a check."""
_SHOWN = 20
TO_TRASH: Final[Cause] = "retention"
DELETED: Final[Cause] = "delete"
"""Causes in the journal of moves."""


def soundness(
    database: Path, *, thorough: bool, rest: Callable[[], None] = lambda: None
) -> list[str]:
    """What SQLite finds wrong, references included; empty when the file is sound.

    ``thorough`` compares indexes with tables too (integrity_check instead of quick_check). When
    ``rest`` raises, the answer is that it was interrupted.
    """
    check = "integrity_check" if thorough else "quick_check"
    try:
        with closing(connect(database, mode="ro")) as connection:
            connection.set_progress_handler(rest, _STEPS)
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}({_SHOWN})")]
            problems = [line for line in found if line != "ok"]
            if not problems:
                problems = _dangling(connection)
    except sqlite3.DatabaseError as problem:
        return [str(problem)]
    return problems


def _dangling(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN)
    return [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is gone" for row in rows]


def row_counts(database: Path) -> dict[str, int]:
    """Rows by table."""
    with translated(database), closing(connect(database, mode="ro")) as connection:
        return _row_counts(connection)


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    quoted = {name: name.replace('"', '""') for (name,) in names}
    return {
        name: int(connection.execute(f'SELECT count(*) FROM "{safe}"').fetchone()[0])  # noqa: S608
        for name, safe in sorted(quoted.items())
    }


def copy_database(source: Path, target: Path, rest: Callable[[], None]) -> dict[str, int]:
    """Copy a database that others may be writing to; the answer is the copy's rows by table.

    One read transaction spans it: the copy is a single moment, writers go on, and the copying
    never starts over for them. ``rest`` is called every 4 MB and may raise to give up.
    """
    with (
        translated(source),
        closing(connect(source, mode="ro", checkpointer=False)) as reader,
        closing(connect(target, mode="rwc")) as writer,
    ):
        reader.execute("BEGIN")
        rows = _row_counts(reader)
        # A copy that is cut short is thrown away, so it needs no journal; its maker fsyncs it.
        writer.execute("PRAGMA journal_mode = OFF")
        writer.execute("PRAGMA synchronous = OFF")
        reader.backup(writer, pages=_PAGES, progress=lambda *_: rest())
    with translated(target), closing(connect(target)) as copied:
        copied.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal and -shm
    return rows


def settle_wal(database: Path) -> None:
    """Bring what is in the -wal file into the database. Hold ``state/lock``."""
    write_ahead(database)  # from the first transaction on, when it comes from a backup
    with translated(database), closing(connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def newest_moment(database: Path) -> datetime | None:
    """The latest time that the log has for an arrival or a label."""
    with translated(database), closing(connect(database, mode="ro")) as connection:
        row = connection.execute(
            "SELECT max((SELECT coalesce(max(arrived_at), '') FROM arrivals),"
            " (SELECT coalesce(max(labelled_at), '') FROM labels))"
        ).fetchone()
    return datetime.fromisoformat(row[0]) if row[0] else None


def planned_moves(database: Path) -> int:
    """Moves that were planned and are not done."""
    with translated(database), closing(connect(database, mode="ro")) as connection:
        row = connection.execute("SELECT count(*) FROM moves WHERE state = 'planned'").fetchone()
    return int(row[0])


def class_list(database: Path) -> list[tuple[int, str]]:
    """Id and name of the classes there are now."""
    with translated(database), closing(connect(database, mode="ro")) as connection:
        rows = connection.execute(
            "SELECT id, name FROM classes WHERE retired_at IS NULL ORDER BY id"
        )
        return [(int(number), str(name)) for number, name in rows]


@dataclass(frozen=True, slots=True)
class Trashed:
    """A file that retention put into the trash."""

    path: Path
    sha256: str
    size: int


class CareLog(Closing):
    """The part of the log that care of the data alone reads and writes. Close it after use."""

    def __init__(self, database: Path, root: Path) -> None:
        self._database = Database(database, checkpointer=False)
        self._anchor = Anchor.at(root)

    def close(self) -> None:
        self._database.close()

    def miscounted(self) -> int | None:
        """Kinds of arrivals of which ``arrival_counts`` tells another number than there are; None
        where nothing keeps them."""
        with self._database.reading() as connection:
            if not are_kept(connection):
                return None
            told, there = counts(connection), recounted(connection)
        return sum(told[kind] != there[kind] for kind in {*told, *there})

    def recount(self) -> None:
        """Count anew, and from here on."""
        with self._database.writing() as connection:
            ARRIVAL_COUNTS.create(connection, checkfirst=True)
            stop_counting(connection)
            start_counting(connection)

    def seed_classes(self, names: Mapping[int, str]) -> None:
        """Make classes under the ids that models know them by. The table must be empty."""
        rows = [
            {"id": number, "name": name, "created_at": _now()} for number, name in names.items()
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(insert(CLASSES), rows)

    def note_sources(self, sources: Mapping[str, Identity]) -> None:
        """Files of the inbox that are the originals of pictures found again (mode copy)."""
        with self._database.writing() as connection:
            for sha256, source in sources.items():
                image = select(IMAGES.c.id).where(IMAGES.c.sha256 == sha256).scalar_subquery()
                first = (
                    select(func.min(ARRIVALS.c.id))
                    .where(
                        ARRIVALS.c.image_id == image,
                        ARRIVALS.c.reason_code == FOUND_AGAIN.code,
                        ARRIVALS.c.src_ino.is_(None),
                    )
                    .scalar_subquery()
                )
                connection.execute(
                    update(ARRIVALS)
                    .where(ARRIVALS.c.id == first)
                    .values(identity_values(source, "src_"))
                )

    def depended_upon(self) -> set[str]:
        """Contents that a label or the train/holdout split stands on."""
        labelled = select(LABELS.c.image_id).where(
            LABELS.c.id.in_(newest_labels()), LABELS.c.kind == "label"
        )
        with self._database.reading() as connection:
            rows = connection.scalars(
                select(IMAGES.c.sha256).where(
                    IMAGES.c.id.in_(labelled) | IMAGES.c.split.is_not(None)
                )
            )
            return set(rows)

    def trashed(self) -> list[Trashed]:
        """What retention moved to the trash and has not deleted yet, oldest first."""
        gone = select(MOVES.c.source_bytes).where(MOVES.c.cause == DELETED)
        statement = (
            select(MOVES.c.target_bytes, MOVES.c.sha256, MOVES.c.size)
            .where(
                MOVES.c.cause.in_((TO_TRASH, "sidecar")),
                MOVES.c.target_bytes.between(b"trash/", b"trash0"),  # "0" is the byte after "/"
                MOVES.c.state == "done",
                MOVES.c.target_bytes.not_in(gone),
            )
            .order_by(MOVES.c.id)
        )
        with self._database.reading() as connection:
            return [
                Trashed(self._anchor.absolute(row.target_bytes), row.sha256, row.size)
                for row in connection.execute(statement)
            ]

    def note_deleted(self, run_id: int, files: Collection[tuple[Trashed, Identity]]) -> None:
        """Write down, before it is done, that these files of the trash are deleted."""
        now = _now()
        rows = [
            {
                "run_id": run_id,
                "cause": DELETED,
                "mode": "move",
                "state": "done",
                **path_values(self._anchor.stored(one.path), "source"),
                "target": "",
                "target_bytes": b"",
                "sha256": one.sha256,
                **identity_values(identity),
                "planned_at": now,
                "done_at": now,
            }
            for one, identity in files
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(insert(MOVES), rows)


def _now() -> datetime:
    return datetime.now(UTC)
