"""One look at the picture folders and the log, which keeps only what differs.

A file and its row take a thousand bytes, what stands for a file that lies where the log has it
nine: a library of a million pictures must not cost the daemon a gigabyte at each look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imgsort.filing.unmounted import unmounted
from imgsort.reconcile.compare import Differences, differences
from imgsort.reconcile.renames import is_remembered
from imgsort.reconcile.scan import look_through
from imgsort.reconcile.signs import Signs, sign_of
from imgsort.records.files import KnownClass, KnownFile, Layout, Snapshot
from imgsort.store import Store


@dataclass(frozen=True, slots=True)
class TreeLook:
    """Disk and log."""

    disk: Snapshot
    found: Differences
    classes: list[KnownClass]
    present: int
    """How many files the log has."""
    as_before: int
    """How many of them are just as it has them."""
    unclear: tuple[str, ...] = ()
    """Paths of the log of which nobody can tell which of their folders is the class."""


def look_at(layout: Layout, store: Store) -> TreeLook:
    """Compare them; no file is opened, and nobody is held up.

    Raises FilingPaused where a picture folder is missing, or what the store raises.
    """
    unclear: list[str] = []
    expected = Signs(_expected(store, layout, unclear))
    disk = _without_naked(_without_landed(look_through(layout, expected), store), store, layout)
    # What is filed from here on is known too many, which one lstat tells.
    classes = store.files.known_classes()
    if not expected.left and _is_all(disk, classes, layout):
        every = len(expected)
        return TreeLook(disk, Differences(), classes, every, every, tuple(unclear))
    as_before = len(expected) - expected.left
    settled: list[KnownFile] = []
    rest = list(_unsettled(store, disk, expected, settled))
    found = differences(disk, rest, settled)
    return TreeLook(disk, found, classes, len(expected), as_before, tuple(unclear))


def _expected(store: Store, layout: Layout, unclear: list[str]) -> Iterator[int]:
    reads = layout.reading is not None
    for path, identity in store.files.known_places():
        if reads and layout.is_unclear(path):
            unclear.append(path)
        yield sign_of(path, identity)


def _without_landed(disk: Snapshot, store: Store) -> Snapshot:
    """What was filed after the log was read is in its place too."""
    landed = set(store.files.known_places(disk.files)) if disk.files else set()
    files = {path: file for path, file in disk.files.items() if (path, file.identity) not in landed}
    return replace(disk, files=files)


def _without_naked(disk: Snapshot, store: Store, layout: Layout) -> Snapshot:
    """Nothing may be called gone because its disk isn't mounted."""
    folders = (layout.sorted, layout.unsure, layout.rejected)
    bare = {Path(folder) for folder in disk.bare if folder not in folders}
    below = None if layout.reading is None else bare
    naked = {str(path) for path in unmounted([Path(folder) for folder in folders], store, below)}
    return replace(
        disk,
        unseen=(*disk.unseen, *naked),
        folders=tuple(one for one in disk.folders if f"{layout.sorted}/{one.name}" not in naked),
        naked=tuple(sorted(naked)),
    )


def _is_all(disk: Snapshot, classes: list[KnownClass], layout: Layout) -> bool:
    """Was nothing seen but files in their places and the folders of the classes?"""
    known = {one.name: one for one in classes}
    return not disk.files and all(
        is_remembered(known.get(folder.class_name or ""), folder, layout) for folder in disk.folders
    )


def _unsettled(
    store: Store, disk: Snapshot, expected: Signs, settled: list[KnownFile]
) -> Iterator[KnownFile]:
    """The known files that aren't in their places. Of the others, to ``settled``: those whose size
    another file has too, which may be a copy, and one a folder, so that it isn't taken for left.
    """
    sizes = {file.identity.size for file in disk.files.values()}
    folders: set[str] = set()
    for one in store.files.known():
        sign = sign_of(one.location, one.identity)
        if one.missing or expected.still_has(sign) or one.location in disk.files:
            yield one
            continue
        folder = one.location.rpartition("/")[0]
        if one.size in sizes or folder not in folders:
            folders.add(folder)
            settled.append(one)
