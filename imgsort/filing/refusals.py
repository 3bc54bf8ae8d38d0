"""Why a file was not placed: its own doing, its destination's, or the disk's."""

import errno
from pathlib import Path

from imgsort.errors import FilingPaused, StorageFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
UNFIT = frozenset({errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ})
"""What file systems answer to a name they can't have: a colon on exFAT, bytes that aren't UTF-8."""
_REMEDIES = {
    errno.ENOSPC: "its disk is full, make room there",
    errno.EDQUOT: "the disk quota is used up, make room there",
    errno.EMLINK: "it holds as many folders as its file system allows, remove some",
    errno.EROFS: "it is mounted read-only, mount it writable",
    errno.EACCES: "this user may not write there, correct its owner or mode",
    errno.EPERM: "this user may not write there, correct its owner, mode or attributes",
    errno.ENOENT: "it is missing, put it back (mount it?)",
    errno.ENOTDIR: "a link or a file stands in its place, remove that",
    errno.ELOOP: "a link stands in its place, remove that",
    errno.ENOMEDIUM: "its disk isn't mounted, mount it (if that is gone, make a folder in it)",
    errno.EINVAL: "its file system can't have a folder of that name",
}


class NotPlaced(Exception):
    """This one file stays where it is; str() is the reason in words."""


class ChangedMeanwhile(NotPlaced):
    """It is no longer the file that was judged."""

    def __init__(self) -> None:
        super().__init__("it changed after it was judged")


class UnfitName(NotPlaced):
    """It may well be that the destination can't have a file of that name."""


def why(problem: OSError) -> str:
    """The system's words for an error, as part of a sentence."""
    text = problem.strerror or str(problem)
    return text[:1].lower() + text[1:]


def paused(folder: Path, problem: OSError, *, alone: bool = False) -> FilingPaused:
    """The error that pauses one destination."""
    return FilingPaused(folder, _REMEDIES.get(problem.errno or 0) or why(problem), alone=alone)


def storage_failed(path: Path, problem: OSError) -> StorageFailed:
    return StorageFailed(
        f"{path} could not be kept on its disk ({why(problem)}); look after the disk, then start "
        f"imgsort again: it goes on from what is really there."
    )
