"""Give a file another name in whatever way its file system knows, and know whether that was done.

A server may do what it was told and its answer be lost: the client asks again and is told that the
name is taken, or that the file is gone. Only a look at the target tells.
"""

import errno
import os
from contextlib import suppress

from imgsort.disk.identity import Identity, fingerprint
from imgsort.filing import no_replace as renaming
from imgsort.filing.destination import destination
from imgsort.filing.folders import Spot, is_still, is_surely_at
from imgsort.filing.refusals import ChangedMeanwhile

_DOUBTFUL = frozenset({errno.EEXIST, errno.ENOENT})
"""Answers to a question asked twice."""


def named(source: Spot, target: Spot, expected: Identity, sha256: str) -> Identity:
    """Bring the file that is ``expected`` to the unused ``target``: it may bear both names then.

    Returns its identity there. Raises FileExistsError if the target is taken, ChangedMeanwhile if
    another file bore the source's name, or OSError: EXDEV where only a copy will do.
    """
    for way, unknown in _ways():
        try:
            way(source, target)
        except OSError as problem:
            if problem.errno in _DOUBTFUL and is_surely_at(target, expected):
                break
            if problem.errno not in unknown:
                raise
        else:
            break
    identity = _identity_of(target, expected, sha256)
    if identity is None:
        _put_back(source, target)
        raise ChangedMeanwhile
    return identity


def _ways() -> tuple[tuple[renaming.Way, frozenset[int]], ...]:
    """What is tried, and after which errors the next."""
    return (
        (renaming.rename_noreplace, renaming.UNSUPPORTED),
        (renaming.link, renaming.NO_LINKS),
        (renaming.rename_looking, frozenset()),
    )


def _identity_of(target: Spot, expected: Identity, sha256: str) -> Identity | None:
    """What was named is whatever bore the name at that instant: look at it, there where the
    inbox's writers no longer reach it. None if it is another file.

    Some FUSE file systems number a file anew with its name, some servers round its time; then its
    bytes tell.
    """
    status = target.status()
    if is_still(expected, status):
        return expected
    if status.st_size != expected.size:
        return None
    try:
        descriptor = target.open()
    except OSError:
        return None
    found = fingerprint(descriptor)
    return found.identity if found.sha256 == sha256 else None


def _put_back(source: Spot, target: Spot) -> None:
    """Another file slipped in under the name; it goes back, beside its successor if need be."""
    with suppress(FileNotFoundError):
        if os.path.samestat(source.status(), target.status()):  # it has both names
            target.remove()
            return
    name = source.name
    for _ in range(1000):
        back = Spot(source.folder, name)
        for way, unknown in _ways():
            try:
                way(target, back)
            except FileExistsError:
                break
            except OSError as problem:
                if problem.errno not in unknown:
                    raise
            else:
                if way is renaming.link:
                    target.remove()
                return
        name, _number = destination(source.name, source.folder.holds, first=2)
