"""The journal of moves: what landed (TX2 of the filing protocol), what won't, what is open.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, select, update

from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.records.acts import NewAct
from imgsort.records.class_changes import ClassChange
from imgsort.records.journal import Landed, Plan, Planned
from imgsort.records.labels import NewLabel, Retold
from imgsort.store.acts import write as write_act
from imgsort.store.chunks import parts, rows_in
from imgsort.store.classes import change as change_classes
from imgsort.store.decisions import record_decided
from imgsort.store.decode_attempts import forget
from imgsort.store.file_columns import (
    identity_columns,
    identity_numbers,
    identity_of,
    identity_values,
    path_values,
)
from imgsort.store.history import restate
from imgsort.store.images import remove_unused_images
from imgsort.store.labels import add_labels, retell
from imgsort.store.paths import Anchor
from imgsort.store.prepared import execute_each
from imgsort.store.tables import ARRIVALS, IMAGES, MOVES, Utc
from imgsort.store.topic import Topic, now, reading, reading_paths, writing, writing_paths

_PLANNED = "planned"
_DECIDED = "decided"
_FILED = "filed"
_FILE = identity_columns(ARRIVALS)
_RESTATING = frozenset({"refile", "undo"})
"""Causes after which another model's verdict, or none, explains where a file is."""


def retarget(connection: Connection, anchor: Anchor, move_id: int, target: Path) -> None:
    """Aim a planned move at another unused name, its own having been taken meanwhile."""
    connection.execute(
        update(MOVES)
        .where(MOVES.c.id == move_id, MOVES.c.state == _PLANNED)
        .values(path_values(anchor.stored(target), "target"))
    )


@dataclass(frozen=True, slots=True)
class _Open:
    """A journal row that is still planned."""

    move_id: int
    arrival_id: int | None
    cause: str
    identity: Identity

    @property
    def moves_the_picture(self) -> bool:
        return self.cause != "sidecar" and self.arrival_id is not None


@dataclass(frozen=True, slots=True)
class Original:
    """A file of the inbox that was copied, and lies there still as far as is known."""

    arrival_id: int
    sha256: str
    subfolder: bytes
    name: bytes
    size: int


def mark_landed(connection: Connection, anchor: Anchor, landed: Sequence[Landed]) -> None:
    """TX2: the files lie at their targets. Rows that are done stay as they are."""
    waiting = _open_moves(connection, [one.move_id for one in landed])
    arrived = [one for one in landed if one.move_id in waiting]
    if not arrived:
        return
    done = [(one.move_id, *_landing(anchor, one)) for one in arrived]
    execute_each(connection, _DONE, ("move_id", *_LANDING), done)
    pictures = [one for one in arrived if waiting[one.move_id].moves_the_picture]
    if pictures:
        _settle_arrivals(connection, anchor, pictures, waiting)
        moved_again = [waiting[one.move_id] for one in pictures]
        restate(
            connection,
            anchor,
            [
                one.arrival_id
                for one in moved_again
                if one.cause in _RESTATING and one.arrival_id is not None
            ],
        )
    forget(connection, [waiting[one.move_id].identity for one in arrived])


_LANDING = ("landed_at", "new_path", "new_path_bytes")
_DONE = (
    update(MOVES)
    .where(MOVES.c.id == bindparam("move_id"))
    .values(
        state="done",
        done_at=bindparam("landed_at"),
        target=bindparam("new_path"),
        target_bytes=bindparam("new_path_bytes"),
    )
)
_SETTLED = (
    update(ARRIVALS)
    .where(ARRIVALS.c.id == bindparam("arrival"))
    .values(
        path=bindparam("new_path"),
        path_bytes=bindparam("new_path_bytes"),
        **{column.name: bindparam(f"new_{column.name}") for column in _FILE},
        missing_at=None,
        filed_at=case(
            (ARRIVALS.c.state == _DECIDED, bindparam("landed_at", type_=Utc())),
            else_=ARRIVALS.c.filed_at,
        ),
        state=_FILED,
    )
)
# A file that somebody put back into the inbox, and that comes to the same place again before
# anybody looked, is this arrival's now. No look could tell the two apart later.
_SUPERSEDED = (
    update(ARRIVALS)
    .where(
        ARRIVALS.c.path_bytes == bindparam("new_path_bytes"),
        ARRIVALS.c.id != bindparam("arrival"),
        ARRIVALS.c.state == _FILED,
        ARRIVALS.c.missing_at.is_(None),
        *(column == bindparam(f"new_{column.name}") for column in _FILE),
    )
    .values(missing_at=bindparam("landed_at"))
)


def _landing(anchor: Anchor, one: Landed) -> tuple[Any, ...]:
    path = anchor.stored(one.target)
    return one.landed_at, display(path), path


def _settle_arrivals(
    connection: Connection, anchor: Anchor, pictures: Sequence[Landed], waiting: Mapping[int, _Open]
) -> None:
    names = ("arrival", *_LANDING, *(f"new_{column.name}" for column in _FILE))
    rows = [
        (waiting[one.move_id].arrival_id, *_landing(anchor, one), *identity_numbers(one.identity))
        for one in pictures
    ]
    execute_each(connection, _SETTLED, names, rows)
    execute_each(connection, _SUPERSEDED, names, rows)


_OPEN = select(*(MOVES.c.id, MOVES.c.arrival_id, MOVES.c.cause), *identity_columns(MOVES)).where(
    MOVES.c.state == _PLANNED
)


def _open_moves(connection: Connection, move_ids: Sequence[int]) -> dict[int, _Open]:
    return {
        row.id: _Open(row.id, row.arrival_id, row.cause, identity_of(row))
        for row in rows_in(connection, _OPEN, MOVES.c.id, move_ids)
    }


def drop(connection: Connection, move_ids: Sequence[int]) -> None:
    """Forget moves that won't happen, with the arrivals and images that only they stood for."""
    waiting = _open_moves(connection, move_ids)
    for part in parts(waiting):
        connection.execute(delete(MOVES).where(MOVES.c.id.in_(part)))
    asked = [one.arrival_id for one in waiting.values() if one.moves_the_picture]
    for some in parts(asked):
        _forget_arrivals(connection, some)


def _forget_arrivals(connection: Connection, arrival_ids: Sequence[int | None]) -> None:
    """Those that were never filed; one that was filed before has a history."""
    rows = connection.execute(
        select(ARRIVALS.c.id, ARRIVALS.c.image_id).where(
            ARRIVALS.c.id.in_(arrival_ids),
            ARRIVALS.c.state == _DECIDED,
            ARRIVALS.c.filed_at.is_(None),
        )
    ).all()
    gone = [row.id for row in rows]
    connection.execute(update(MOVES).where(MOVES.c.arrival_id.in_(gone)).values(arrival_id=None))
    connection.execute(delete(ARRIVALS).where(ARRIVALS.c.id.in_(gone)))
    remove_unused_images(connection, {row.image_id for row in rows})


def unfinished(connection: Connection, anchor: Anchor) -> list[Planned]:
    """Every move that is planned and not done, in the order in which they were planned."""
    rows = connection.execute(
        select(
            MOVES.c.id,
            MOVES.c.arrival_id,
            MOVES.c.source_bytes,
            MOVES.c.target_bytes,
            MOVES.c.sha256,
            MOVES.c.mode,
            MOVES.c.cause,
            *identity_columns(MOVES),
        )
        .where(MOVES.c.state == _PLANNED)
        .order_by(MOVES.c.id)
    )
    return [_planned(anchor, row) for row in rows]


def _planned(anchor: Anchor, row: Row[*tuple[Any, ...]]) -> Planned:
    return Planned(
        move_id=row.id,
        arrival_id=row.arrival_id,
        source=anchor.absolute(row.source_bytes),
        target=anchor.absolute(row.target_bytes),
        identity=identity_of(row),
        sha256=row.sha256,
        mode=row.mode,
        cause=row.cause,
    )


def reserved_targets(connection: Connection, anchor: Anchor) -> set[Path]:
    rows = connection.execute(select(MOVES.c.target_bytes).where(MOVES.c.state == _PLANNED))
    return {anchor.absolute(stored) for stored in rows.scalars()}


def known_copies(connection: Connection, identities: Iterable[Identity]) -> set[Identity]:
    """Which of these files have been copied out of the inbox before (mode copy).

    The device is left out: its number can be another after a reboot (LVM, USB), and then the whole
    inbox would be copied again.
    """
    wanted = {(one.ino, one.size, one.mtime_ns): one for one in identities}
    originals = select(ARRIVALS.c.src_ino, ARRIVALS.c.src_size, ARRIVALS.c.src_mtime_ns)
    numbers = sorted({ino for ino, _, _ in wanted})
    rows = rows_in(connection, originals, ARRIVALS.c.src_ino, numbers)
    return {wanted[key] for row in rows if (key := tuple(row)) in wanted}


def originals(connection: Connection, sha256s: Collection[str]) -> list[Original]:
    """What copy mode has copied of these contents."""
    copied = (
        select(
            *(ARRIVALS.c.id, IMAGES.c.sha256, ARRIVALS.c.subfolder_bytes),
            *(ARRIVALS.c.name_bytes, ARRIVALS.c.src_size),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .where(ARRIVALS.c.src_ino.is_not(None))
        .order_by(ARRIVALS.c.id)
    )
    return [Original(*row) for row in rows_in(connection, copied, IMAGES.c.sha256, sha256s)]


def renew_original(connection: Connection, arrival_id: int, identity: Identity) -> None:
    """The same original under other numbers: its disk was plugged in again, or it was touched."""
    connection.execute(
        update(ARRIVALS)
        .where(ARRIVALS.c.id == arrival_id)
        .values(identity_values(identity, "src_"))
    )


NOTHING_RETOLD = Retold()


class JournalTopic(Topic):
    """The journal of moves."""

    retarget = writing_paths(retarget)
    mark_landed = writing_paths(mark_landed)
    drop = writing(drop)
    unfinished = reading_paths(unfinished)
    reserved_targets = reading_paths(reserved_targets)
    known_copies = reading(known_copies)
    originals = reading(originals)
    renew_original = writing(renew_original)

    def record_decided(  # noqa: PLR0913, PLR0917 - all that can belong to one transaction
        self,
        run_id: int,
        plans: Sequence[Plan],
        words: Sequence[NewLabel] = (),
        changes: Sequence[ClassChange] = (),
        retold: Retold = NOTHING_RETOLD,
        act: NewAct | None = None,
    ) -> list[Planned]:
        """TX1: write a batch down before any of its files moves. The answers keep the order.

        A sidecar plan that names no arrival belongs to the picture planned last before it.
        ``words``: what a human said of these pictures, ``changes`` of classes, ``retold``: what an
        undo does to words, and the ``act`` of the review page that said it, are written in the same
        transaction.
        """
        with self.write() as connection:
            moment = now()
            planned = record_decided(connection, self.anchor, run_id, plans, moment)
            add_labels(connection, run_id, words, moment)
            change_classes(connection, run_id, changes, moment)
            retell(connection, run_id, retold, moment)
            if act is not None:
                write_act(connection, run_id, act)
            return planned
