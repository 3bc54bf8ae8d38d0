"""Which folders have lost their disk? A naked mount point is no empty class; nothing goes there.

Numbers of devices change at a restart, and a restored workspace has other inodes: so a folder
counts as naked only when it is empty, when it is another folder than the log has seen, and when the
log has pictures, or other folders, that say that there was another disk.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from imgsort.records.files import KnownClass
from imgsort.store import Store
from imgsort.store.layouts import puts_stations_first
from imgsort.workspace.workspace import Workspace


def unmounted(
    folders: Sequence[Path], store: Store, below: Collection[Path] | None = None
) -> frozenset[Path]:
    """Of sorted/ (the first of ``folders``), unsure/ and rejected/, and of the class folders.

    ``below``: where stations come before classes, the folders in sorted/ that matter, for any may
    have a disk of its own.
    """
    sorted_, *others = folders
    status = _status(sorted_)
    if status is None:
        return frozenset()
    if _is_bare(sorted_) and store.files.lie_elsewhere(sorted_, status.st_dev):
        return frozenset({sorted_})
    classes = store.files.classes_with_folder()
    numbered = {one.dev for one in classes}
    """Devices as the log knows them: a number that is among them is still what it was."""
    naked = {folder for folder in others if _is_naked(folder, numbered, store)}
    if below is not None:
        return frozenset(naked.union(one for one in below if _has_lost_its_disk(one, store)))
    for one in classes:
        if one.dev != status.st_dev and _was_elsewhere(
            one, sorted_ / one.name, status.st_dev, store, numbered
        ):
            naked.add(sorted_ / one.name)
    return frozenset(naked)


def on_the_way(workspace: Workspace, store: Store, files: Iterable[Path]) -> set[Path] | None:
    """The folders in sorted/ that these files are, or are to be, in; None where classes come first,
    whose folders are known."""
    if not puts_stations_first(workspace, store):
        return None
    parents = {file.parent for file in files}
    ways = {folder for parent in parents for folder in (parent, *parent.parents)}
    return {folder for folder in ways if workspace.sorted in folder.parents}


def _is_naked(folder: Path, numbered: set[int | None], store: Store) -> bool:
    status = _status(folder)
    return bool(
        status is not None
        and status.st_dev in numbered
        and _is_bare(folder)
        and store.files.lie_elsewhere(folder, status.st_dev)
    )


def _has_lost_its_disk(folder: Path, store: Store) -> bool:
    status = _status(folder)
    return bool(
        status is not None
        and _is_bare(folder)
        and store.files.lie_elsewhere(folder, status.st_dev)
        and not _is_renumbered(status.st_dev, store)
    )


def _is_renumbered(dev: int, store: Store) -> bool:
    """Do files lie on this device that were on one of another number?"""
    for path, identity in store.files.known_places():
        if identity.dev == dev:
            return False
        with suppress(OSError):
            if os.lstat(path).st_dev == dev:
                return True
    return False


def _was_elsewhere(
    one: KnownClass, folder: Path, dev: int, store: Store, numbered: set[int | None]
) -> bool:
    """``dev``: of sorted/, where a class folder lies on which nothing is mounted."""
    status = _status(folder)
    if status is None or status.st_dev != dev or status.st_ino == one.ino:
        return False
    if not _is_bare(folder):
        return False
    return dev in numbered or store.files.lie_elsewhere(folder, dev)


def _status(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except OSError:
        return None


def _is_bare(folder: Path) -> bool:
    """Nothing in it but what is hidden, as on a mount point; False where it can't be told."""
    try:
        with os.scandir(folder) as entries:
            return all(entry.name.startswith(".") for entry in entries)
    except OSError:
        return False
