"""Put one file at its place: by its name if that can be done, else by a copy."""

import errno
import os
from dataclasses import dataclass

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity
from imgsort.filing.copying import copy
from imgsort.filing.file_naming import named
from imgsort.filing.folders import Folder, Spot, is_still, is_surely_at
from imgsort.filing.refusals import (
    FORBIDDEN,
    FULL,
    UNFIT,
    ChangedMeanwhile,
    NotPlaced,
    UnfitName,
    storage_failed,
    why,
)
from imgsort.records.journal import Mode


@dataclass(frozen=True, slots=True)
class Placed:
    """A file is at its target under ``identity``."""

    identity: Identity
    leftover: bool
    """It is a copy or a second name: what is at the source is still to be removed."""


def place(source: Spot, target: Spot, expected: Identity, sha256: str, mode: Mode) -> Placed:
    """Bring the file that is ``expected`` to the unused ``target``.

    A file to be moved must be durable (``sync_contents.make_durable``) before. Raises
    FileExistsError if the target is taken, NotPlaced for the file's own sake (UnfitName if its name
    may be why), another OSError for the target folder's, StorageFailed. Whatever is raised, the
    source is where it was.
    """
    try:
        descriptor, status = source.opened()
    except OSError as problem:
        raise NotPlaced(f"it can't be opened ({why(problem)})") from problem
    try:
        if not is_still(expected, status):
            raise ChangedMeanwhile
        if mode == "move" and (moved := _moved(source, target, expected, sha256)):
            return moved
        return Placed(copy(descriptor, expected, sha256, target), leftover=mode == "move")
    except OSError as problem:
        if problem.errno == errno.EIO:
            raise storage_failed(target.path, problem) from problem
        if isinstance(problem, FileExistsError) or _lies_with_the_folder(problem, target.folder):
            raise
        unfit = problem.errno in UNFIT | FORBIDDEN
        raise (UnfitName if unfit else NotPlaced)(
            f"it can't be filed ({why(problem)})"
        ) from problem
    finally:
        os.close(descriptor)


def _moved(source: Spot, target: Spot, expected: Identity, sha256: str) -> Placed | None:
    """None where only a copy will do."""
    try:
        identity = named(source, target, expected, sha256)
    except OSError as problem:
        if problem.errno == errno.EXDEV:
            return None
        raise
    failpoint("named")
    return Placed(identity, leftover=is_surely_at(source, expected))


def _lies_with_the_folder(problem: OSError, target: Folder) -> bool:
    """Whose fault is an error between two folders?"""
    if problem.errno in FORBIDDEN:
        return not target.takes_files()
    return problem.errno in FULL
