"""Which file is this? The few numbers that tell one file, with these bytes, from another."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PASS = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Identity:
    """One file as the kernel knows it. ``mtime_ns`` is in nanoseconds, ``size`` in bytes.

    Permissions and access time are left out on purpose: ``chmod`` makes no new picture.
    """

    dev: int
    ino: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def is_at(path: str | Path, identity: Identity) -> bool:
    """Is this very file there at this moment? False where it can't be told."""
    try:
        return Identity.of(os.lstat(path)) == identity
    except OSError:
        return False


class NotARegularFile(OSError):
    """A link, pipe, socket, device or folder stands where a picture was expected."""


def open_regular(path: Path, bases: Sequence[Path] = ()) -> int:
    """Open a regular file for reading without following a link or waiting for a pipe's writer.

    Links on the way down from one of ``bases`` aren't followed either: NotADirectoryError.
    Returns a descriptor the caller closes. Raises NotARegularFile, or OSError as ``open`` does.
    """
    return opened_regular(path, bases)[0]


def opened_regular(path: Path | str, bases: Sequence[Path] = ()) -> tuple[int, os.stat_result]:
    """The same, with what the kernel says of the file."""
    text = os.fspath(path)
    base = next((base for base in bases if text.startswith(f"{base}/")), None)
    parts = [] if base is None else text[len(str(base)) + 1 :].split("/")
    if base is None or len(parts) == 1:
        descriptor = os.open(text, _READ)
    else:
        descriptor = _open_down(base, parts)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotARegularFile(f"{path} is not a regular file")
    return descriptor, status


def _open_down(folder: Path, parts: Sequence[str]) -> int:
    above = os.open(folder, _PASS)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _PASS | os.O_NOFOLLOW, dir_fd=above)
            os.close(above)
            above = inner
        return os.open(parts[-1], _READ, dir_fd=above)
    finally:
        os.close(above)


def sha256_of(descriptor: int) -> str:
    """Hex SHA-256 of everything behind an open descriptor, from its first byte."""
    digest = hashlib.sha256()
    offset = 0
    while chunk := os.pread(descriptor, _CHUNK, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()


class Fingerprint(NamedTuple):
    """A file, and the hex SHA-256 of its bytes."""

    identity: Identity
    sha256: str


def fingerprint(descriptor: int) -> Fingerprint:
    """Of the file behind a descriptor, which is closed. Raises OSError."""
    try:
        return Fingerprint(Identity.of(os.fstat(descriptor)), sha256_of(descriptor))
    finally:
        os.close(descriptor)
