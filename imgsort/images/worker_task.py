"""What a worker process does with one path. Everything here runs in workers only."""

import errno
import hashlib
import io
import os
from collections.abc import Callable
from ctypes import Array, c_uint8
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort import images
from imgsort.disk.identity import Identity, NotARegularFile, open_regular
from imgsort.images import BadImage, ImageFacts, ImageLimits
from imgsort.images.confine import confine
from imgsort.images.reasons import NO_MEMORY, too_big

Decode = Callable[[bytes, int, ImageLimits], tuple[NDArray[np.uint8], ImageFacts]]

Told = Callable[[bool], None]
"""Called with False after each piece of a file that was read, with True after the last."""

CHANGED = "it changed while it was read"
PIECES = 128
_SMALLEST_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is told once, when it starts. ``decode`` travels by its import name."""

    size: int
    limits: ImageLimits
    memory_mb: int
    decode: Decode
    bases: tuple[Path, ...] = ()
    """Folders below which no link is followed."""


@dataclass(frozen=True, slots=True)
class Readable:
    """The pixels lie on the worker's shelf."""

    identity: Identity
    sha256: str
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class Unreadable:
    """``sha256`` is None where the file was too big to be read here."""

    identity: Identity
    sha256: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The file, not its content, is in the way."""

    reason: str


Finding = Readable | Unreadable | Unavailable


@dataclass(frozen=True, slots=True)
class _Desk:
    assignment: Assignment
    shelf: NDArray[np.uint8]
    """[size, size, 3], in memory that the parent sees too."""


_desks: list[_Desk] = []


def settle_in(assignment: Assignment, shelf: "Array[c_uint8]") -> None:
    """Make this process a worker: load the codecs, then take its limits upon itself."""
    images.settle_in(assignment.limits)
    confine(assignment.memory_mb)
    _desks[:] = [_Desk(assignment, on_shelf(shelf, assignment.size))]


def on_shelf(shelf: "Array[c_uint8]", size: int) -> NDArray[np.uint8]:
    """The picture [size, size, 3] that lies in shared memory; a view, not a copy."""
    return np.frombuffer(memoryview(shelf), np.uint8).reshape(size, size, 3)


def _nobody(done: bool) -> None:
    """Nobody wants to know."""


def examine(path: Path, told: Told = _nobody) -> Finding:
    """Read, hash and decode one file; its pixels go to the shelf."""
    try:
        descriptor = open_regular(path, _desks[0].assignment.bases)
    except OSError as problem:
        return Unavailable(in_the_way(problem))
    try:
        return _examined(_desks[0], path, descriptor, told)
    except OSError as problem:
        return Unavailable(in_the_way(problem))
    finally:
        os.close(descriptor)


def in_the_way(problem: OSError) -> str:
    """Why a file can't be read, in words."""
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return "it vanished before it could be read"
    if isinstance(problem, PermissionError):
        return "there is no permission to read it"
    if isinstance(problem, NotARegularFile) or problem.errno in {errno.ENXIO, errno.ENODEV}:
        return "it is not a regular file"
    if problem.errno == errno.ELOOP:
        return "it is a symbolic link, and links are not followed"
    return f"it can't be read ({problem.strerror})"


def _examined(desk: _Desk, path: Path, descriptor: int, told: Told) -> Finding:
    identity = Identity.of(os.fstat(descriptor))
    assignment = desk.assignment
    if identity.size > assignment.limits.max_bytes:
        return Unreadable(identity, None, too_big(identity.size, assignment.limits))
    try:
        data = _contents(descriptor, identity.size, told)
    except MemoryError:
        return Unreadable(identity, None, NO_MEMORY)
    told(True)
    sha256 = hashlib.sha256(data).hexdigest()
    finding: Finding
    try:
        pixels, facts = assignment.decode(data, assignment.size, assignment.limits)
        finding = Readable(identity, sha256, facts)
        desk.shelf[:] = pixels
    except BadImage as problem:
        finding = Unreadable(identity, sha256, str(problem))
    if len(data) != identity.size or Identity.of(path.lstat()) != identity:
        return Unavailable(CHANGED)
    return finding


def _contents(descriptor: int, size: int, told: Told) -> bytes:
    """At most one byte more than ``size``: that one tells that the file has grown."""
    piece, data = max(_SMALLEST_PIECE, size // PIECES), io.BytesIO()
    while (missing := size + 1 - data.tell()) > 0:
        some = os.read(descriptor, min(piece, missing))
        if not some:
            break
        data.write(some)
        told(False)
    return data.getvalue()
