"""One look at one file: is it there, is it ours to take, is somebody still writing it?"""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from imgsort.daemon.inbox.open_writers import writer_of
from imgsort.daemon.inbox.settle import Writer
from imgsort.disk.identity import Identity, NotARegularFile, opened_regular

NOT_REGULAR = "not a regular file"
_PLACEHOLDERS_OF = (".part", ".crdownload", ".partial")


@dataclass(frozen=True, slots=True)
class Seen:
    """A regular file as it was at that moment."""

    identity: Identity
    writer: Writer


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """It stays where it is, for this reason."""

    reason: str
    given_up: bool = False
    """Nothing is wrong with it: it was on its way when imgsort had to end."""


STOPPING = LeftAlone("imgsort is stopping", given_up=True)


def glance(path: str) -> Seen | LeftAlone | None:
    """A look that opens nothing; None when the file is gone."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        return LeftAlone(_why(problem))
    if not stat.S_ISREG(status.st_mode):
        return LeftAlone(NOT_REGULAR)
    return Seen(Identity.of(status), Writer.UNKNOWN)


def look(path: str, bases: tuple[Path, ...] = ()) -> Seen | LeftAlone | None:
    """A look that also asks whether anybody is writing; None when the file is gone.

    Below ``bases`` no link is followed.
    """
    try:
        descriptor, status = opened_regular(path, bases)
    except NotARegularFile:
        return LeftAlone(NOT_REGULAR)
    except BlockingIOError:  # somebody (Samba) holds a lease to write
        seen = glance(path)
        return Seen(seen.identity, Writer.OPEN) if isinstance(seen, Seen) else seen
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        special = problem.errno in {errno.ELOOP, errno.ENXIO}
        return LeftAlone(NOT_REGULAR if special else _why(problem))
    try:
        identity = Identity.of(status)
        writer = writer_of(descriptor)
    finally:
        os.close(descriptor)
    if identity.size == 0 and _is_placeholder(path):
        writer = Writer.OPEN
    return Seen(identity, writer)


def _why(problem: OSError) -> str:
    return (problem.strerror or str(problem)).lower()


def _is_placeholder(path: str) -> bool:
    """Firefox reserves x.jpg as an empty file while it writes x.jpg.part."""
    return any(os.path.lexists(path + suffix) for suffix in _PLACEHOLDERS_OF)
