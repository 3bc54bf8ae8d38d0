"""Where the log believes files lie, and what it learns from a look at the folders.

Every function takes an open connection: the caller owns the transaction.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from imgsort.disk.display import display
from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.records.class_changes import ClassChange
from imgsort.records.files import (
    Adopted,
    Edited,
    KnownClass,
    KnownFile,
    Moved,
    RenamedClass,
    TreeChanges,
)
from imgsort.records.journal import Decision
from imgsort.records.reasons import FOUND_AGAIN, PUT_HERE, Reason, ReasonCode
from imgsort.store.chunks import rows_in
from imgsort.store.classes import change as change_classes
from imgsort.store.classes import note_undone
from imgsort.store.edits import UNREAD, edits, is_uncompared, keep, note_unread, part
from imgsort.store.edits import change as change_contents
from imgsort.store.file_columns import identity_columns, identity_of, identity_values
from imgsort.store.images import facts_columns, image_ids
from imgsort.store.labels import add_labels
from imgsort.store.paths import Anchor
from imgsort.store.predictions import ensure_classes
from imgsort.store.reasons import reason_columns
from imgsort.store.rejoined_files import lost_since, rejoin
from imgsort.store.renamed_folders import reroute, resettle
from imgsort.store.tables import ARRIVALS, CLASSES, IMAGES
from imgsort.store.topic import (
    Topic,
    now,
    reading,
    reading_paths,
    streaming_paths,
    writing,
    writing_paths,
)

_PAGE = 5000
_UNOPENED = {
    PUT_HERE: ReasonCode.PUT_HERE_UNREADABLE,
    FOUND_AGAIN: ReasonCode.FOUND_AGAIN_UNREADABLE,
}
"""Reasons of arrivals that nobody has opened -> what becomes of them when that was in vain."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An arrival of some content: where its file was, and who judged it."""

    arrival_id: int
    sha256: str
    path: Path
    identity: Identity
    model: int | None
    missing_at: datetime | None


def known_files(
    connection: Connection, anchor: Anchor, ids: Collection[int] | None = None
) -> Iterator[KnownFile]:
    """Every arrival whose file has landed, or those of them that are asked for."""
    names = {row.id: row.name for row in connection.execute(select(CLASSES.c.id, CLASSES.c.name))}
    statement = _known().execution_options(yield_per=_PAGE)
    rows: Iterable[Row[*tuple[Any, ...]]] = (
        connection.execute(statement)
        if ids is None
        else rows_in(connection, statement, ARRIVALS.c.id, sorted(ids))
    )
    for row in rows:
        yield _known_file(anchor, names, row)


def known_places(
    connection: Connection, anchor: Anchor, paths: Iterable[str] | None = None
) -> Iterator[tuple[str, Identity]]:
    """Path and identity of every landed file that isn't missing, or of those at these paths."""
    statement: Select[*tuple[Any, ...]] = (
        select(ARRIVALS.c.path_bytes, *identity_columns(ARRIVALS))
        .where(ARRIVALS.c.state == "filed", ARRIVALS.c.missing_at.is_(None))
        .execution_options(yield_per=_PAGE)
    )
    if paths is None:
        rows: Iterable[Row[*tuple[Any, ...]]] = connection.execute(statement)
    else:
        stored = [anchor.stored(path) for path in paths]
        rows = rows_in(connection, statement, ARRIVALS.c.path_bytes, stored)
    for path, *numbers in rows:  # by the hundred thousand: not by name
        yield anchor.text(path), Identity(*numbers)


def has_files_elsewhere(connection: Connection, anchor: Anchor, folder: Path, device: int) -> bool:
    """Should files lie below this folder that lay on another device when they were seen last?"""
    start = anchor.stored(folder)
    found = connection.execute(
        select(ARRIVALS.c.id)
        .where(
            ARRIVALS.c.path_bytes > start + b"/",
            ARRIVALS.c.path_bytes < start + b"0",  # the byte after "/"
            ARRIVALS.c.state == "filed",
            ARRIVALS.c.missing_at.is_(None),
            ARRIVALS.c.dev != device,
        )
        .limit(1)
    )
    return found.first() is not None


def _known() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ARRIVALS.c.id,
            ARRIVALS.c.path_bytes,
            *identity_columns(ARRIVALS),
            IMAGES.c.sha256,
            ARRIVALS.c.decision,
            ARRIVALS.c.class_id,
            ARRIVALS.c.missing_at.is_not(None),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .where(ARRIVALS.c.state == "filed")
    )


def _known_file(anchor: Anchor, names: dict[int, str], row: Row[*tuple[Any, ...]]) -> KnownFile:
    arrival_id, path, dev, ino, size, mtime_ns, sha256, decision, class_id, missing = row
    return KnownFile(
        arrival_id=arrival_id,
        location=anchor.text(path),
        identity=Identity(dev, ino, size, mtime_ns),
        sha256=sha256,
        decision=decision,
        class_name=names.get(class_id) if decision == "filed" else None,
        missing=bool(missing),
    )


def known_classes(connection: Connection) -> list[KnownClass]:
    """Every class, those in use last: of one name they are the ones that are meant."""
    retired = CLASSES.c.retired_at.is_not(None)
    rows = connection.execute(
        select(
            *(CLASSES.c.id, CLASSES.c.name, CLASSES.c.folder_dev, CLASSES.c.folder_ino),
            retired.label("retired"),
        ).order_by(retired.desc(), CLASSES.c.retired_at, CLASSES.c.id)
    )
    return [KnownClass(*row) for row in rows]


def whereabouts(
    connection: Connection, anchor: Anchor, sha256s: Collection[str]
) -> list[Whereabouts]:
    """The landed arrivals of these contents."""
    landed = (
        select(
            *(ARRIVALS.c.id, IMAGES.c.sha256, ARRIVALS.c.path_bytes),
            *(*identity_columns(ARRIVALS), ARRIVALS.c.model, ARRIVALS.c.missing_at),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .where(ARRIVALS.c.state == "filed")
    )
    return [
        Whereabouts(
            row.id,
            row.sha256,
            anchor.absolute(row.path_bytes),
            identity_of(row),
            row.model,
            row.missing_at,
        )
        for row in rows_in(connection, landed, IMAGES.c.sha256, sha256s)
    ]


def apply(
    connection: Connection,
    anchor: Anchor,
    run_id: int | None,
    changes: TreeChanges,
    now: datetime,
) -> None:
    """All of it. A class is renamed before any label speaks of it by its new name."""
    rename_classes(connection, changes.renamed)
    if changes.renamed:
        reroute(connection, anchor, {one.old_folder: one.new_folder for one in changes.renamed})
    _repath(connection, anchor, [(one.known.arrival_id, one.path) for one in changes.repathed])
    _relocate(connection, anchor, changes.moved)
    _edit(connection, changes.edited, now)
    mark_missing(connection, [one.known.arrival_id for one in changes.vanished], now)
    _adopt(connection, anchor, changes.adopted, now)
    _remember_folders(connection, changes, now)
    back = (ClassChange(one.id, "restored", one.name, one.name) for one in changes.restored)
    change_classes(connection, None, back, now)  # folders said so: no command to be undone
    failpoint("tree-half-learned")
    add_labels(connection, run_id, changes.labels(), now)


def rename_classes(connection: Connection, renamed: Sequence[RenamedClass]) -> None:
    """Two classes may exchange their names, so each gets one that nothing else can have first."""
    statement = update(CLASSES).where(CLASSES.c.id == bindparam("renamed_id"))
    for name in ("spare", "new"):
        values = [
            {"renamed_id": one.class_id, "name": one.new if name == "new" else f"/{one.class_id}"}
            for one in renamed
        ]
        if values:
            connection.execute(statement, values)


def rename_folder(connection: Connection, anchor: Anchor, old: Path, new: Path) -> None:
    """Whatever lay below one folder lies below the other, missing files too, and the journal says
    so."""
    reroute(connection, anchor, {str(old): str(new)})
    start, end = anchor.stored(old), anchor.stored(new)
    rows = connection.execute(
        select(ARRIVALS.c.id, ARRIVALS.c.path_bytes).where(
            ARRIVALS.c.path_bytes >= start + b"/", ARRIVALS.c.path_bytes < start + b"0"
        )
    ).all()
    moved = [(row.id, end + row.path_bytes[len(start) :]) for row in rows]
    if moved:
        connection.execute(
            update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival")),
            [{"arrival": one, "path": display(path), "path_bytes": path} for one, path in moved],
        )


def mark_missing(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Their files are gone; the first moment this was seen is kept."""
    if ids:
        connection.execute(
            update(ARRIVALS)
            .where(ARRIVALS.c.id == bindparam("arrival"), ARRIVALS.c.missing_at.is_(None))
            .values(missing_at=now),
            [{"arrival": one} for one in ids],
        )


def _repath(connection: Connection, anchor: Anchor, moved: Sequence[tuple[int, str]]) -> None:
    if moved:
        connection.execute(
            update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival")),
            [{"arrival": arrival, **_path_values(anchor, path)} for arrival, path in moved],
        )


def _relocate(connection: Connection, anchor: Anchor, moved: Sequence[Moved]) -> None:
    rows = [
        {
            "arrival": one.known.arrival_id,
            "missing_at": None,
            **_path_values(anchor, one.file.path),
            **identity_values(one.file.identity),
        }
        for one in moved
    ]
    if rows:
        statement = update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival"))
        connection.execute(statement, rows)


def _adopt(
    connection: Connection, anchor: Anchor, adopted: Sequence[Adopted], now: datetime
) -> None:
    if not adopted:
        return
    images = _ensure_contents(connection, adopted, now)
    classes = ensure_classes(connection, (one.filed_as for one in adopted if one.filed_as), now)
    rows = [
        {
            "image_id": images[one.sha256],
            **_name_values(one.file.path),
            **_path_values(anchor, one.file.path),
            **identity_values(one.file.identity),
            "decision": one.decision,
            "class_id": classes.get(one.filed_as or ""),
            **reason_columns(FOUND_AGAIN if one.found_again else PUT_HERE),
            "state": "filed",
            "arrived_at": now,
            "filed_at": now,
        }
        for one in adopted
    ]
    connection.execute(insert(ARRIVALS), rows)


def _edit(connection: Connection, edited: Sequence[Edited], now: datetime) -> None:
    rows = [
        {
            "arrival": one.known.arrival_id,
            "sha256": one.sha256,
            "by_hand": one.by_hand,
            "identity": one.file.identity,
        }
        for one in edited
    ]
    if rows:
        change_contents(connection, _ensure_contents(connection, edited, now), rows)


def _ensure_contents(
    connection: Connection, adopted: Sequence[Adopted | Edited], now: datetime
) -> dict[str, int]:
    sizes = {one.sha256: one.file.identity.size for one in adopted}
    found = image_ids(connection, sizes)
    fresh = [
        {"sha256": sha256, "size": size, "first_seen_at": now}
        for sha256, size in sizes.items()
        if sha256 not in found
    ]
    if fresh:
        connection.execute(insert(IMAGES), fresh)
        found = image_ids(connection, sizes)
    return found


def _remember_folders(connection: Connection, changes: TreeChanges, now: datetime) -> None:
    ids = ensure_classes(connection, (folder.name for folder in changes.folders), now)
    rows = [
        {"class": ids[folder.name], "folder_dev": folder.dev, "folder_ino": folder.ino}
        for folder in changes.folders
    ]
    if rows:
        connection.execute(update(CLASSES).where(CLASSES.c.id == bindparam("class")), rows)


def unexamined(connection: Connection, anchor: Anchor) -> dict[str, Path]:
    """Contents that were adopted, or edited, and never opened -> a file of each."""
    unopened = [before.code for before in _UNOPENED]
    rows = connection.execute(
        select(IMAGES.c.sha256, ARRIVALS.c.path_bytes)
        .join(ARRIVALS, ARRIVALS.c.image_id == IMAGES.c.id)
        .where(
            (IMAGES.c.width.is_(None) & ARRIVALS.c.reason_code.in_(unopened)) | is_uncompared(),
            ARRIVALS.c.missing_at.is_(None),
        )
    )
    return {row.sha256: anchor.absolute(row.path_bytes) for row in rows}


def note_unreadable(connection: Connection, sha256: str, reason: str, now: datetime) -> None:
    """An adopted file turned out to be no picture; it isn't opened again until it changes."""
    image = select(IMAGES.c.id).where(IMAGES.c.sha256 == sha256).scalar_subquery()
    for before, after in _UNOPENED.items():
        in_vain = Reason(after, f"{before.sentence}, {UNREAD}{reason}")
        connection.execute(
            update(ARRIVALS)
            .where(ARRIVALS.c.image_id == image, ARRIVALS.c.reason_code == before.code)
            .values(decision="rejected", **reason_columns(in_vain))
        )
    note_unread(connection, sha256, reason, now)


def note_facts(connection: Connection, sha256: str, facts: ImageFacts) -> None:
    """What was found out about a picture that was adopted without being opened."""
    connection.execute(
        update(IMAGES)
        .where(IMAGES.c.sha256 == sha256, IMAGES.c.width.is_(None))
        .values(facts_columns(facts))
    )


def _name_values(path: str) -> dict[str, Any]:
    name = os.fsencode(os.path.basename(path))  # noqa: PTH119 - text, by the thousand
    return {"name": display(name), "name_bytes": name, "subfolder": "", "subfolder_bytes": b""}


def _path_values(anchor: Anchor, path: str) -> dict[str, Any]:
    stored = anchor.stored(path)
    return {"path": display(stored), "path_bytes": stored}


class FileTopic(Topic):
    """Where the log believes files lie."""

    known = streaming_paths(known_files)
    known_places = streaming_paths(known_places)
    lie_elsewhere = reading_paths(has_files_elsewhere)
    known_classes = reading(known_classes)
    whereabouts = reading_paths(whereabouts)
    resettle = writing_paths(resettle)
    unexamined = reading_paths(unexamined)
    note_facts = writing(note_facts)
    lost_since = reading_paths(lost_since)
    edits = reading_paths(edits)
    keep_edit = writing(keep)

    def known_paths(self, paths: Iterable[str]) -> set[str]:
        """Which of these absolute paths a landed file is known to be at."""
        return {path for path, _ in self.known_places(paths)}

    def apply(self, run_id: int | None, changes: TreeChanges) -> None:
        """Learn what a look at the folders found, all or nothing. Hold the filing lock."""
        with self.write() as connection:
            apply(connection, self.anchor, run_id, changes, now())

    def mark_missing(self, ids: Sequence[int]) -> None:
        """The files of these arrivals are gone."""
        with self.write() as connection:
            mark_missing(connection, ids, now())

    def note_unreadable(self, sha256: str, reason: str) -> None:
        """An adopted file turned out to be no picture."""
        with self.write() as connection:
            note_unreadable(connection, sha256, reason, now())

    def part_edit(self, arrival_id: int, decision: Decision) -> None:
        """An edited file shows another picture: that is new here, and the former is missing."""
        with self.write() as connection:
            part(connection, arrival_id, decision, now())

    def rejoin(self, lost: int, found: int, moved_to: str | None) -> bool:
        """A lost picture was changed and moved in one go, and is the file that got the arrival
        ``found``."""
        with self.write() as connection:
            return rejoin(connection, lost, found, moved_to, now())

    def rename_class(
        self,
        run_id: int | None,
        renamed: ClassChange,
        folders: tuple[Path, Path],
        undone: Collection[int] = (),
    ) -> None:
        """A class, and its folder (absolute, before and after), go by another name. Hold the filing
        lock."""
        with self.write() as connection:
            rename_folder(connection, self.anchor, *folders)
            rename_classes(connection, [RenamedClass(renamed.class_id, renamed.old, renamed.new)])
            change_classes(connection, run_id, [renamed], now())
            note_undone(connection, undone, now())
