"""Copy a picture where it can't be renamed: hashed on the way, synced, then named in one step."""

import hashlib
import os
import re
import secrets
from contextlib import suppress

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity
from imgsort.filing.file_naming import named
from imgsort.filing.folders import Folder, Spot
from imgsort.filing.refusals import FULL, ChangedMeanwhile, NotPlaced, storage_failed, why

_CHUNK = 1 << 20
_PART = re.compile(r"\.part-[0-9a-f]{16}")


def copy(descriptor: int, expected: Identity, sha256: str, target: Spot) -> Identity:
    """Copy an open file to the unused ``target``, with its mode, mtime and user attributes.

    Returns the copy's identity. Raises FileExistsError if the target is taken, ChangedMeanwhile if
    the bytes aren't those of ``expected`` and ``sha256``, NotPlaced if they can't be read,
    StorageFailed, or OSError; then no trace of the copy is left.
    """
    folder, part = target.folder, f".part-{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    copied = os.open(part, flags, 0o600, dir_fd=folder.descriptor)
    try:
        failpoint("part-made")
        digest = _pour(descriptor, copied)
        if digest != sha256 or Identity.of(os.fstat(descriptor)) != expected:
            raise ChangedMeanwhile
        _dress(descriptor, copied)
        _sync(copied, target)
        failpoint("part-synced")
        identity = Identity.of(os.fstat(copied))
        identity = _publish(Spot(folder, part), target, identity, sha256)
        failpoint("part-published")
        return identity
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder.descriptor)
        raise
    finally:
        os.close(copied)


def sweep(folder: Folder) -> None:
    """Remove what dead movers left half copied. The caller holds the filing lock."""
    stale = [name for name in os.listdir(folder.descriptor) if _PART.fullmatch(name)]  # noqa: PTH208
    for name in stale:
        os.unlink(name, dir_fd=folder.descriptor)


def _pour(source: int, copied: int) -> str:
    """Copy all bytes; returns their SHA-256."""
    digest, offset = hashlib.sha256(), 0
    while chunk := _read(source, offset):
        digest.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[os.write(copied, view) :]
        offset += len(chunk)
        failpoint("part-half")
    return digest.hexdigest()


def _read(source: int, offset: int) -> bytes:
    try:
        return os.pread(source, _CHUNK, offset)
    except OSError as problem:
        raise NotPlaced(f"it can't be read ({why(problem)})") from problem


def _dress(source: int, copied: int) -> None:
    status = os.fstat(source)
    with suppress(OSError):  # many file systems keep no attributes
        for name in os.listxattr(source):
            if name.startswith("user."):
                os.setxattr(copied, name, os.getxattr(source, name))
    with suppress(PermissionError):  # FAT and some network file systems have no modes
        os.fchmod(copied, status.st_mode & 0o777)
    os.utime(copied, ns=(status.st_atime_ns, status.st_mtime_ns))


def _sync(copied: int, target: Spot) -> None:
    try:
        os.fsync(copied)
    except OSError as problem:
        if problem.errno in FULL:
            raise  # NFS tells only now; nobody relies on the copy yet, so nothing is lost
        raise storage_failed(target.path, problem) from problem


def _publish(part: Spot, target: Spot, expected: Identity, sha256: str) -> Identity:
    """Give the finished copy its name, unless something bears it. Returns its identity there."""
    identity = named(part, target, expected, sha256)
    failpoint("part-named")
    with suppress(OSError):  # the picture is there; a hidden second name does no harm
        part.remove()
    return identity
