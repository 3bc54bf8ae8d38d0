"""Put one file at its place: renamed if that can be done, else copied. Nothing is ever replaced."""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass

from imgsort.filing import renaming
from imgsort.filing.copying import copy
from imgsort.filing.destination import destination
from imgsort.filing.folders import Folder, Spot
from imgsort.filing.refusals import (
    FORBIDDEN,
    FULL,
    ChangedMeanwhile,
    NotPlaced,
    storage_failed,
    why,
)
from imgsort.identity import Identity
from imgsort.journal import Mode

_COPY_INSTEAD = renaming.UNSUPPORTED | {errno.EXDEV}


@dataclass(frozen=True, slots=True)
class Placed:
    """A file is at its target under ``identity``."""

    identity: Identity
    leftover: bool
    """It is a copy whose source is still to be removed."""


def place(source: Spot, target: Spot, expected: Identity, sha256: str, mode: Mode) -> Placed:
    """Bring the file that is ``expected`` to the unused ``target``.

    A file to be moved must be durable (``content.make_durable``) before. Raises FileExistsError if
    the target is taken, NotPlaced for the file's own sake, another OSError for the target folder's,
    StorageFailed. Whatever is raised, the source is where it was.
    """
    try:
        descriptor = source.open()
    except OSError as problem:
        raise NotPlaced(f"it can't be opened ({why(problem)})") from problem
    try:
        if not _is_still(expected, os.fstat(descriptor)):
            raise ChangedMeanwhile
        if mode == "move" and _renamed(source, target, expected):
            return Placed(expected, leftover=False)
        return Placed(copy(descriptor, expected, sha256, target), leftover=mode == "move")
    except OSError as problem:
        if problem.errno == errno.EIO:
            raise storage_failed(target.path, problem) from problem
        if isinstance(problem, FileExistsError) or _lies_with_the_folder(problem, target.folder):
            raise
        raise NotPlaced(f"it can't be filed ({why(problem)})") from problem
    finally:
        os.close(descriptor)


def is_at(spot: Spot, identity: Identity) -> bool:
    """Is this very file at that place?"""
    try:
        return _is_still(identity, spot.status())
    except FileNotFoundError:
        return False


def remove(spot: Spot) -> None:
    """Remove a file that has been checked to be ours to remove. Raises OSError."""
    os.unlink(spot.name, dir_fd=spot.folder.descriptor)


def _renamed(source: Spot, target: Spot, expected: Identity) -> bool:
    """Rename, or return False where only a copy will do."""
    try:
        renaming.rename_noreplace(source, target)
    except OSError as problem:
        if problem.errno in _COPY_INSTEAD:
            return False
        raise
    # What was renamed is whatever bore the name at that instant: look at it, there where the
    # inbox's writers no longer reach it.
    if not _is_still(expected, target.status()):
        _put_back(source, target)
        raise ChangedMeanwhile
    return True


def _put_back(source: Spot, target: Spot) -> None:
    """Another file slipped in under the name; it goes back, beside its successor if need be."""
    name = source.name
    for _ in range(1000):
        with suppress(FileExistsError):
            renaming.rename_noreplace(target, Spot(source.folder, name))
            return
        name, _number = destination(source.name, source.folder.holds, first=2)


def _is_still(identity: Identity, status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and Identity.of(status) == identity


def _lies_with_the_folder(problem: OSError, target: Folder) -> bool:
    """Whose fault is an error between two folders?"""
    if problem.errno in FORBIDDEN:
        return not target.takes_files()
    return problem.errno in FULL
