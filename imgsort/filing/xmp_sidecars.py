"""Write XMP sidecars beside pictures that have landed (``filing.write_xmp``); never into pictures.

A sidecar that somebody else wrote stays as it is, and then there is none of ours. The picture lies
right without one, so trouble with it stops nothing: the next move of the picture writes it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from imgsort.filing.folders import Folder, Folders
from imgsort.filing.xmp import SUFFIX, is_ours, sidecar
from imgsort.records.log import LogRow
from imgsort.store import Store
from imgsort.workspace.template import split_name
from imgsort.workspace.workspace import Workspace

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def describe(
    workspace: Workspace, store: Store, landed: Mapping[int, Path], *, anew: bool = True
) -> None:
    """``landed``: arrival id -> where its picture lies; ``anew``: also where there is no sidecar.
    Hold the filing lock."""
    if not (workspace.config.filing.write_xmp and landed):
        return
    with Folders(workspace.picture_folders) as folders:
        for row in store.log.arrivals(landed):
            with suppress(OSError):
                _describe(folders, landed[row.id], row, anew=anew)


def _describe(folders: Folders, picture: Path, row: LogRow, *, anew: bool) -> None:
    folder = folders.folder(picture.parent)
    named = _named(folder, picture.name)
    ours = [name for name in named if is_ours(_start(folder, name))]
    wanted = ours or (anew and not named and row.final_label)
    if row.decision == "rejected" or not wanted:
        return
    name = ours[0] if ours else f"{picture.name}{SUFFIX}"
    part = f".{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder.descriptor)  # of who was killed here
    descriptor = os.open(part, _NEW, 0o666, dir_fd=folder.descriptor)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sidecar(row))
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails where somebody was quicker.
        put = os.replace if ours else os.link
        put(part, name, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder.descriptor)


def _named(folder: Folder, picture: str) -> list[str]:
    """The XMP sidecars of this picture that are there; the folder, perhaps a large one, is not
    listed for it."""
    names = (picture, split_name(picture)[0])
    spellings = (f"{name}{suffix}" for name in names for suffix in (SUFFIX, SUFFIX.upper()))
    return [name for name in spellings if folder.holds(name)]


def _start(folder: Folder, name: str) -> bytes:
    descriptor = os.open(name, _READ, dir_fd=folder.descriptor)
    try:
        return os.read(descriptor, 1024)
    finally:
        os.close(descriptor)
