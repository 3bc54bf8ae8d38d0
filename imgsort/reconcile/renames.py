"""Which class folders were renamed? A renamed class gets no thousand labels. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imgsort.records.files import (
    ClassFolder,
    FolderSeen,
    KnownClass,
    Layout,
    RenamedClass,
    Snapshot,
)

FEWEST = 3
"""Without the folder's own identity, fewer files than this that moved together prove nothing."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Files by the class folders they went between since the last look."""

    moves: Mapping[tuple[str, str], int]
    left: Mapping[str, int]
    """Files of a class that were found elsewhere, wherever."""
    vanished: Mapping[str, int]
    stayed: frozenset[str]
    """Classes that have files where they were."""


def renamed_classes(
    classes: Sequence[KnownClass], folders: Sequence[ClassFolder], flow: Flow
) -> tuple[RenamedClass, ...]:
    """Classes whose folder goes by a name that no class has yet.

    A folder that takes another class's name is a merge instead: its files are corrections.
    """
    there = {name: folder for folder in folders if (name := folder.class_name)}
    classes = [one for one in classes if not one.retired or one.ino is not None]
    live = {one.name for one in classes}
    fresh = {name: folder for name, folder in there.items() if name not in live}
    found: dict[str, RenamedClass] = {}
    for one in sorted(classes, key=lambda one: -flow.left.get(one.name, 0)):
        if not fresh or _has_its_folder(one, there.get(one.name)):
            continue
        name = _new_name(one, fresh, flow, replaced=one.name in there)
        if name is not None and name not in found:
            found[name] = RenamedClass(one.id, one.name, name)
            del fresh[name]
    return tuple(found.values())


def renamed_in_stations(
    classes: Sequence[KnownClass], disk: Snapshot, flow: Flow
) -> tuple[RenamedClass, ...]:
    """The same where a class has a folder in each station: only what all its files did tells, and
    nothing where some of them can't be seen. Renamed in one station, they are corrections."""
    if disk.unseen:
        return ()
    unnumbered = [replace(one, dev=None, ino=None) for one in classes]
    return renamed_classes(unnumbered, disk.folders, flow)


def _has_its_folder(one: KnownClass, folder: ClassFolder | None) -> bool:
    """A folder of that name made anew (by the daemon, in the moment before it knew) doesn't
    count."""
    if folder is None:
        return False
    return one.ino is None or (folder.dev, folder.ino) == (one.dev, one.ino)


def _new_name(
    one: KnownClass, fresh: Mapping[str, ClassFolder], flow: Flow, *, replaced: bool
) -> str | None:
    left, vanished = flow.left.get(one.name, 0), flow.vanished.get(one.name, 0)
    for name, folder in fresh.items():
        if (folder.dev, folder.ino) != (one.dev, one.ino):
            continue
        # The inode alone is a hint: a removed folder's is given to the next one made.
        went = flow.moves.get((one.name, name), 0)
        empty = not left and not vanished and one.name not in flow.stayed
        if went > left - went or (empty and folder.renamed):
            return name
    if replaced:
        return None
    for name in fresh:
        went = flow.moves.get((one.name, name), 0)
        if went >= FEWEST and went * 2 > left + vanished:
            return name
    return None


def is_remembered(one: KnownClass | None, folder: ClassFolder | FolderSeen, layout: Layout) -> bool:
    """Has the log this folder for that of its class? Of several, one stands for all."""
    if layout.reading is not None:
        return one is None or one.ino is not None
    return one is not None and (one.dev, one.ino) == (folder.dev, folder.ino)


def gone_folders(
    classes: Sequence[KnownClass], renamed: Sequence[RenamedClass], disk: Snapshot, layout: Layout
) -> tuple[KnownClass, ...]:
    """Classes that had a folder when somebody looked last and have none now.

    Where nothing at all lies in sorted/, its disk may not be mounted.
    """
    if layout.sorted in disk.empty or (layout.reading is not None and disk.unseen):
        return ()
    there = {folder.class_name for folder in disk.folders}
    elsewhere = {one.class_id for one in renamed}
    return tuple(
        one
        for one in classes
        if one.ino is not None and one.name not in there and one.id not in elsewhere
    )
