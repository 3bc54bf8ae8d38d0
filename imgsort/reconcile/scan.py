"""Look through the picture folders: one lstat a file, nothing is opened but what must be hashed."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from imgsort.disk.identity import Identity, open_regular, sha256_of
from imgsort.errors import FilingPaused
from imgsort.reconcile.signs import Signs, sign_of
from imgsort.records.files import ClassFolder, DiskFile, Layout, Snapshot
from imgsort.workspace.workspace import is_workspace

DEEPEST = 64
"""Each level of a walk keeps a descriptor open."""
LITTER_FOLDERS = frozenset({"@eadir", "__macosx", "$recycle.bin", "#recycle", "lost+found"})
_CLOCK_NS = 20_000_000
"""A new folder gets its mtime and ctime from one reading of a clock that ticks this seldom."""


Take = Callable[[str, os.stat_result], None]


@dataclass(slots=True)
class _Walk:
    """Hands out each regular file below a picture folder; links are never followed."""

    take: Take
    unseen: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    """Folders with nothing in them."""
    folders: list[str] = field(default_factory=list)
    """All it went into."""

    def below(self, folder: str, depth: int = 0) -> None:
        if depth > DEEPEST:
            self.unseen.append(folder)
            return
        bare = True
        self.folders.append(folder)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    bare = bare and entry.name.startswith(".")
                    self._entry(folder, entry, depth)
            if bare:
                self.bare.append(folder)
        except FileNotFoundError:
            return  # renamed or removed while we looked: the next scan sees what became of it
        except OSError:
            self.unseen.append(folder)

    def _entry(self, folder: str, entry: "os.DirEntry[str]", depth: int) -> None:
        if entry.name.startswith((".", "~")):
            return
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if is_workspace(path):
                self.unseen.append(path)  # its pictures are its own
            elif entry.name.lower() not in LITTER_FOLDERS:
                self.below(path, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                return
            self.take(path, status)


def look_through(layout: Layout, expected: Signs | None = None) -> Snapshot:
    """What lies there now, without the inbox, which is ``waiting_files``' affair.

    Raises FilingPaused where a picture folder is missing: a disk that isn't mounted is no empty
    folder.

    ``expected``: the files that the log has there; those that are found are ticked off, not told.
    """
    now = time.time()
    known = Signs() if expected is None else expected
    files: dict[str, DiskFile] = {}
    seen = 0

    def take(path: str, status: os.stat_result) -> None:
        nonlocal seen
        seen += 1
        file = _file(path, status)
        if not known.tick_off(sign_of(path, file.identity)):
            files[path] = file

    walk, devices, empty = _Walk(take), {}, []
    first = _numbered(layout)
    for base in (layout.sorted, layout.unsure, layout.rejected):
        devices[base] = _device(base)
        before = seen
        walk.below(base)
        if seen == before:
            empty.append(base)
    devices[layout.inbox] = _device(layout.inbox)
    return Snapshot(
        files=files,
        inbox=(),
        folders=tuple(_among(walk.folders, layout)),
        unseen=tuple(walk.unseen),
        empty=tuple(empty),
        devices=devices,
        taken_at=now,
        bare=tuple(walk.bare),
        steady=_numbered(layout) == first,
    )


def waiting_files(layout: Layout, sizes: Collection[int]) -> list[DiskFile]:
    """The files in the inbox that have one of these sizes; the others are never held in memory,
    for an inbox may be a library, and in copy mode it stays one."""
    found: list[DiskFile] = []

    def take(path: str, status: os.stat_result) -> None:
        if status.st_size in sizes:
            found.append(_file(path, status))

    if sizes:
        _Walk(take).below(layout.inbox)
    return found


def _file(path: str, status: os.stat_result) -> DiskFile:
    return DiskFile(path, Identity.of(status), status.st_ctime)


def _device(base: str) -> int:
    try:
        with os.scandir(base):
            return os.stat(base).st_dev  # noqa: PTH116 - text paths throughout
    except OSError as problem:
        reason = f"it can't be looked through ({problem.strerror}), put it back (mount it?)"
        raise FilingPaused(Path(base), reason) from problem


def _numbered(layout: Layout) -> dict[str, int]:
    """The first folders below sorted/, with their inodes."""
    with suppress(OSError), os.scandir(layout.sorted) as entries:
        return {entry.name: entry.inode() for entry in entries if entry.is_dir()}
    return {}


def class_folders(layout: Layout) -> Iterator[ClassFolder]:
    """Those there are now, also of names that no class has yet."""
    walk = _Walk(lambda _path, _status: None)
    if layout.reading is not None:
        walk.below(layout.sorted)
    return _among(walk.folders, layout)


def _among(seen: Iterable[str], layout: Layout) -> Iterator[ClassFolder]:
    """``seen``: the folders that a walk came through."""
    if layout.reading is None:
        yield from _first_folders(layout.sorted)
        return
    for folder in sorted(seen):
        folders = layout.folders_to(f"{folder}/picture")
        if folders and layout.is_class_folder(folders):
            with suppress(OSError):
                status = os.lstat(folder)
                yield ClassFolder("/".join(folders), status.st_dev, status.st_ino, renamed=False)


def _first_folders(base: str) -> Iterator[ClassFolder]:
    with os.scandir(base) as entries:
        for entry in entries:
            hidden = entry.name.startswith((".", "~")) or entry.name.lower() in LITTER_FOLDERS
            if hidden or not entry.is_dir(follow_symlinks=False):
                continue
            if is_workspace(f"{base}/{entry.name}"):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            renamed = status.st_ctime_ns - status.st_mtime_ns > _CLOCK_NS
            yield ClassFolder(entry.name, status.st_dev, status.st_ino, renamed)


def hashed(files: list[DiskFile], stopping: Callable[[], bool]) -> dict[str, str]:
    """The SHA-256 of each of these files by path; without those that changed or went meanwhile."""
    found: dict[str, str] = {}
    for file in files:
        if stopping():
            break
        digest = _hash(file)
        if digest is not None:
            found[file.path] = digest
    return found


def _hash(file: DiskFile) -> str | None:
    try:
        descriptor = open_regular(Path(file.path))
    except OSError:
        return None
    try:
        if Identity.of(os.fstat(descriptor)) != file.identity:
            return None  # through a folder that was swapped for a link, say: not ours to read
        digest = sha256_of(descriptor)
        return digest if Identity.of(os.fstat(descriptor)) == file.identity else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
