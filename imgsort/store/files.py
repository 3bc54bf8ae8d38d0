"""What the log learns from a look at the folders, and all that it knows of where files lie.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, bindparam, update

from imgsort.disk.failpoints import failpoint
from imgsort.records.class_changes import ClassChange
from imgsort.records.files import Edited, Moved, RenamedClass, TreeChanges
from imgsort.records.journal import Decision
from imgsort.store.adopted_files import (
    adopt,
    ensure_contents,
    note_facts,
    note_unreadable,
    unexamined,
)
from imgsort.store.classes import change as change_classes
from imgsort.store.classes import note_undone
from imgsort.store.edits import change as change_contents
from imgsort.store.edits import edits, keep, part
from imgsort.store.file_columns import identity_values, path_values
from imgsort.store.known_files import (
    classes_with_folder,
    has_files_elsewhere,
    known_classes,
    known_files,
    known_places,
    whereabouts,
)
from imgsort.store.labels import add_labels
from imgsort.store.paths import Anchor
from imgsort.store.predictions import ensure_classes
from imgsort.store.rejoined_files import lost_since, rejoin
from imgsort.store.renamed_folders import rename_folder, reroute, resettle
from imgsort.store.tables import ARRIVALS, CLASSES
from imgsort.store.topic import (
    Topic,
    now,
    reading,
    reading_paths,
    streaming_paths,
    writing,
    writing_paths,
)


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
        folders = dict(pair for one in changes.renamed for pair in one.folders)
        reroute(connection, anchor, folders)
    _repath(connection, anchor, [(one.known.arrival_id, one.path) for one in changes.repathed])
    _relocate(connection, anchor, changes.moved)
    _edit(connection, changes.edited, now)
    mark_missing(connection, [one.known.arrival_id for one in changes.vanished], now)
    adopt(connection, anchor, changes.adopted, now)
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
            [{"arrival": arrival, **path_values(anchor.stored(path))} for arrival, path in moved],
        )


def _relocate(connection: Connection, anchor: Anchor, moved: Sequence[Moved]) -> None:
    rows = [
        {
            "arrival": one.known.arrival_id,
            "missing_at": None,
            **path_values(anchor.stored(one.file.path)),
            **identity_values(one.file.identity),
        }
        for one in moved
    ]
    if rows:
        statement = update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival"))
        connection.execute(statement, rows)


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
        change_contents(connection, ensure_contents(connection, edited, now), rows)


def _remember_folders(connection: Connection, changes: TreeChanges, now: datetime) -> None:
    ids = ensure_classes(connection, (folder.name for folder in changes.folders), now)
    rows = [
        {"class": ids[folder.name], "folder_dev": folder.dev, "folder_ino": folder.ino}
        for folder in changes.folders
    ]
    if rows:
        connection.execute(update(CLASSES).where(CLASSES.c.id == bindparam("class")), rows)


class FileTopic(Topic):
    """Where the log believes files lie."""

    known = streaming_paths(known_files)
    known_places = streaming_paths(known_places)
    lie_elsewhere = reading_paths(has_files_elsewhere)
    known_classes = reading(known_classes)
    classes_with_folder = reading(classes_with_folder)
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
        folders: Iterable[tuple[Path, Path]],
        undone: Collection[int] = (),
    ) -> None:
        """A class, and its folders (absolute, before and after), go by another name. Hold the
        filing lock."""
        with self.write() as connection:
            for before, after in folders:
                rename_folder(connection, self.anchor, before, after)
            rename_classes(connection, [RenamedClass(renamed.class_id, renamed.old, renamed.new)])
            change_classes(connection, run_id, [renamed], now())
            note_undone(connection, undone, now())
