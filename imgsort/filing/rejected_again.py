"""A file that was rejected and has changed since goes back to the inbox, to be looked at again.

Whoever was still writing it, or has mended it, needn't know that it had gone. No journal: it lies
at one place or at the other, and the log learns of either by a look.
"""

import errno
import os
import time
from collections.abc import Sequence
from pathlib import Path

from imgsort.disk.identity import Identity, sha256_of
from imgsort.filing.copying import copy
from imgsort.filing.destination import destination
from imgsort.filing.file_naming import named
from imgsort.filing.folders import Folders, Spot, is_surely_at
from imgsort.filing.refusals import NotPlaced
from imgsort.filing.sidecars import renamed, sidecars_of
from imgsort.records.history import PictureHistory
from imgsort.workspace.workspace import Workspace

_YOUNG_SECONDS = 2.0
"""Only what has been left alone for so long is copied to another file system."""


def origin(history: PictureHistory) -> Path | None:
    """Where such a file came from; None where a person had a say in it, or has the original."""
    if history.words or len(history.moves) != 1:
        return None
    [move] = history.moves
    return move.source if (move.cause, move.mode) == ("file", "move") else None


def send_back(workspace: Workspace, files: Sequence[tuple[Path, Identity, Path]]) -> list[Path]:
    """Bring each file (where it is, what it is, where it came from) back, beside whatever bears its
    name by now. The caller holds the filing lock. Returns their places; what can't be moved at
    present stays. Raises StorageFailed."""
    back = []
    with Folders(workspace.picture_folders) as folders:
        for path, identity, wanted in files:
            try:
                back.append(_sent_back(workspace, folders, path, identity, wanted))
            except (OSError, NotPlaced):
                continue  # the next look tries again
        folders.sync()
    return back


def _sent_back(
    workspace: Workspace, folders: Folders, path: Path, identity: Identity, wanted: Path
) -> Path:
    source = folders.spot(path)
    parent = wanted.parent if wanted.parent.is_dir() else workspace.inbox
    folder = folders.folder(parent)
    names = os.listdir(source.folder.descriptor)  # noqa: PTH208 - names only
    config = workspace.config
    beside = sidecars_of(path.name, names, config.filing.sidecars, config.decode.suffixes)
    name, _ = destination(wanted.name, folder.holds)
    target = Spot(folder, name)
    _carry(source, target, identity)
    for sidecar in beside:
        follower = Spot(source.folder, sidecar)
        place = Spot(folder, renamed(sidecar, path.name, name))
        _carry(follower, place, Identity.of(follower.status()))
    folders.touch(source.folder)
    folders.touch(folder)
    return target.path


def _carry(source: Spot, target: Spot, identity: Identity) -> None:
    descriptor = source.open()
    try:
        try:
            named(source, target, identity, "")
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            if time.time() - os.fstat(descriptor).st_ctime < _YOUNG_SECONDS:
                raise
            copy(descriptor, identity, sha256_of(descriptor), target)
    finally:
        os.close(descriptor)
    if is_surely_at(source, identity):
        source.remove()
