"""Classes as such: which there are, which are retired, and what happened to them.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, insert, select, update

from imgsort.records.class_changes import ChangeKind, ClassChange, ClassStanding
from imgsort.records.history import UNDO
from imgsort.store.paths import Anchor
from imgsort.store.predictions import ensure_classes
from imgsort.store.standing_labels import is_here, newest_labels, stands
from imgsort.store.tables import ARRIVALS, CLASS_CHANGES, CLASSES, LABELS, RUNS
from imgsort.store.topic import Topic, now, reading, reading_paths

_NEWEST_WORDS = newest_labels(is_here())


def live(connection: Connection) -> dict[int, str]:
    """Those in use: what models may say, pictures may be called, and training learns."""
    rows = connection.execute(
        select(CLASSES.c.id, CLASSES.c.name).where(CLASSES.c.retired_at.is_(None))
    )
    return {row.id: row.name for row in rows}


def retired(connection: Connection) -> dict[int, str]:
    """Those that were given up, and can be brought back."""
    rows = connection.execute(
        select(CLASSES.c.id, CLASSES.c.name).where(CLASSES.c.retired_at.is_not(None))
    )
    return {row.id: row.name for row in rows}


def standings(connection: Connection, anchor: Anchor, folder: Path) -> list[ClassStanding]:
    """Every class, in the order of their names; ``folder`` is the one of all class folders."""
    counted = connection.execute(
        select(LABELS.c.class_id, func.count().label("labels"))
        .where(LABELS.c.id.in_(_NEWEST_WORDS), LABELS.c.class_id.is_not(None))
        .group_by(LABELS.c.class_id)
    )
    labels = {row.class_id: row.labels for row in counted}
    rows = connection.execute(
        select(CLASSES.c.id, CLASSES.c.name, CLASSES.c.retired_at).order_by(CLASSES.c.name)
    )
    there = ARRIVALS.c.missing_at.is_(None) & (ARRIVALS.c.state == "filed")
    return [
        ClassStanding(
            id=row.id,
            name=row.name,
            labels=labels.get(row.id, 0),
            pictures=connection.scalar(
                select(func.count()).where(_below(anchor, folder / row.name), there)
            )
            or 0,
            retired=row.retired_at is not None,
        )
        for row in rows
    ]


def _below(anchor: Anchor, folder: Path) -> ColumnElement[bool]:
    start = anchor.stored(folder)
    return (ARRIVALS.c.path_bytes >= start + b"/") & (ARRIVALS.c.path_bytes < start + b"0")


def change(
    connection: Connection, run_id: int | None, changes: Iterable[ClassChange], now: datetime
) -> None:
    """Retire classes or bring them back, and write that down; a rename is only written down."""
    for one in changes:
        if one.kind != "renamed":
            when = now if one.kind == "retired" else None
            row = update(CLASSES).where(CLASSES.c.id == one.class_id)
            connection.execute(row.values(retired_at=when))
        connection.execute(
            insert(CLASS_CHANGES).values(
                run_id=run_id,
                class_id=one.class_id,
                kind=one.kind,
                old_name=one.old,
                new_name=one.new,
                merged_into=one.into,
                changed_at=now,
            )
        )


def standing_changes(
    connection: Connection, run_id: int | None, since: datetime | None
) -> list[ClassChange]:
    """What a command did to classes, that run or any but an undo, since then, and nobody has taken
    back; the newest first."""
    conditions: list[ColumnElement[bool]] = [
        CLASS_CHANGES.c.undone_at.is_(None),
        CLASS_CHANGES.c.run_id.is_not(None),
    ]
    if run_id is None:
        undos = select(RUNS.c.id).where(RUNS.c.kind == UNDO)
        conditions.append(CLASS_CHANGES.c.run_id.not_in(undos))
    else:
        conditions.append(CLASS_CHANGES.c.run_id == run_id)
    if since is not None:
        conditions.append(CLASS_CHANGES.c.changed_at >= since)
    rows = connection.execute(
        select(
            *(CLASS_CHANGES.c.class_id, CLASS_CHANGES.c.kind),
            *(CLASS_CHANGES.c.old_name, CLASS_CHANGES.c.new_name, CLASS_CHANGES.c.id),
            CLASS_CHANGES.c.merged_into,
        )
        .where(*conditions)
        .order_by(CLASS_CHANGES.c.id.desc())
    )
    return [
        ClassChange(
            *(row.class_id, _kind(row.kind), row.old_name, row.new_name),
            *(row.id, row.merged_into),
        )
        for row in rows
    ]


def _kind(text: str) -> ChangeKind:
    """The table's check lets no other in."""
    return "renamed" if text == "renamed" else "retired" if text == "retired" else "restored"


def unfinished_renames(connection: Connection) -> list[tuple[str, str]]:
    """Old and new names that commands gave which were killed, or are at it."""
    rows = connection.execute(
        select(CLASS_CHANGES.c.old_name, CLASS_CHANGES.c.new_name)
        .join(RUNS, RUNS.c.id == CLASS_CHANGES.c.run_id)
        .where(CLASS_CHANGES.c.kind == "renamed", RUNS.c.ended_at.is_(None))
        .order_by(CLASS_CHANGES.c.id)
    )
    return [(row.old_name, row.new_name) for row in rows]


def note_undone(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """These changes have been taken back."""
    connection.execute(
        update(CLASS_CHANGES).where(CLASS_CHANGES.c.id.in_(ids)).values(undone_at=now)
    )


def runs_that_changed(connection: Connection) -> list[int]:
    """Runs of which a change of classes stands, newest first."""
    return [
        run_id
        for run_id in connection.scalars(
            select(CLASS_CHANGES.c.run_id)
            .where(CLASS_CHANGES.c.undone_at.is_(None), CLASS_CHANGES.c.run_id.is_not(None))
            .distinct()
            .order_by(CLASS_CHANGES.c.run_id.desc())
        )
        if run_id is not None
    ]


def forget_folders(connection: Connection, ids: Sequence[int]) -> None:
    """The folders of these classes are gone."""
    if ids:
        connection.execute(
            update(CLASSES)
            .where(CLASSES.c.id == bindparam("class"))
            .values(folder_dev=None, folder_ino=None),
            [{"class": one} for one in ids],
        )


def emptied(
    connection: Connection, anchor: Anchor, folders: Collection[tuple[int, str]]
) -> tuple[set[int], set[int]]:
    """Of classes whose ``folders`` are gone: those a person has emptied into others, and those that
    nothing ever was filed as or called.

    Emptied: no picture lies there or was last seen there, nobody calls one so, and at least one
    that was filed as it or called so is called something else now.
    """
    given_up, unused = set(), set()
    for class_id, folder in folders:
        if _holds(connection, anchor, folder) or _is_said(connection, class_id):
            continue
        if _went_elsewhere(connection, class_id):
            given_up.add(class_id)
        elif not _was_used(connection, class_id):
            unused.add(class_id)
    return given_up, unused


def _holds(connection: Connection, anchor: Anchor, folder: str) -> bool:
    """Missing ones too: who took pictures away may still want the class."""
    return bool(connection.scalar(select(exists().where(_below(anchor, Path(folder))))))


def _is_said(connection: Connection, class_id: int) -> bool:
    said = exists().where(LABELS.c.id.in_(_NEWEST_WORDS), LABELS.c.class_id == class_id)
    return bool(connection.scalar(select(said)))


def _was_used(connection: Connection, class_id: int) -> bool:
    filed = exists().where(ARRIVALS.c.class_id == class_id, ARRIVALS.c.decision == "filed")
    said = exists().where(LABELS.c.class_id == class_id, stands())
    return bool(connection.scalar(select(filed | said)))


def _went_elsewhere(connection: Connection, class_id: int) -> bool:
    once = select(LABELS.c.image_id).where(LABELS.c.class_id == class_id, stands())
    filed = select(ARRIVALS.c.image_id).where(
        ARRIVALS.c.class_id == class_id, ARRIVALS.c.decision == "filed"
    )
    elsewhere = exists().where(
        LABELS.c.id.in_(_NEWEST_WORDS),
        LABELS.c.class_id != class_id,
        LABELS.c.image_id.in_(once) | LABELS.c.image_id.in_(filed),
    )
    return bool(connection.scalar(select(elsewhere)))


class ClassTopic(Topic):
    """Classes as such."""

    names = reading(live)
    retired = reading(retired)
    standings = reading_paths(standings)
    unfinished_renames = reading(unfinished_renames)

    def ensure(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of these classes, which are made if they don't exist."""
        with self.write() as connection:
            return ensure_classes(connection, names, now())

    def change(
        self, run_id: int | None, changes: Sequence[ClassChange], undone: Collection[int] = ()
    ) -> None:
        """Retire classes or bring them back; ``undone``: the rows of changes this takes back."""
        with self.write() as connection:
            change(connection, run_id, changes, now())
            note_undone(connection, undone, now())

    def changes(
        self, run_id: int | None = None, since: datetime | None = None
    ) -> list[ClassChange]:
        """What commands did to classes and nobody has taken back, the newest first."""
        with self.read() as connection:
            return standing_changes(connection, run_id, since)

    def emptied(
        self, gone: Mapping[int, str], folder: Path
    ) -> tuple[dict[int, str], tuple[str, ...]]:
        """Of these classes, whose folders in ``folder`` are gone, by id: those that a person has
        emptied into others; and the names of those that nothing ever was filed as or called."""
        folders = [(number, str(folder / name)) for number, name in gone.items()]
        with self.read() as connection:
            given_up, unused = emptied(connection, self.anchor, folders)
        return {number: gone[number] for number in sorted(given_up)}, tuple(
            gone[number] for number in unused
        )

    def retire_emptied(self, names: Mapping[int, str]) -> None:
        """Retire classes whose folders are gone; no command did that, so none undoes it."""
        changes = [ClassChange(number, "retired", name, name) for number, name in names.items()]
        with self.write() as connection:
            change(connection, None, changes, now())
            forget_folders(connection, list(names))

    def forget_folders(self, ids: Collection[int]) -> None:
        """The folders of these classes are gone."""
        with self.write() as connection:
            forget_folders(connection, list(ids))
