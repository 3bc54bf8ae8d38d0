"""Folders by descriptor, opened part by part so that no link below a picture folder is followed."""

import errno
import os
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imgsort.disk.closing import Closing
from imgsort.disk.composed import composed
from imgsort.disk.identity import Identity, NotARegularFile, fingerprint
from imgsort.errors import FilingPaused
from imgsort.filing.refusals import FULL, UNFIT, paused, storage_failed

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Some FUSE and network file systems have no fsync for folders; they say so, nothing has failed.
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder; the descriptor lives as long as the ``Folders`` it came from."""

    path: Path
    descriptor: int
    longest_name: int
    """In bytes; 255 nearly everywhere, 143 on eCryptfs."""

    def holds(self, name: str) -> bool:
        """Is there anything of that name?"""
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as problem:
            if problem.errno in UNFIT:
                return False  # nothing there can have such a name
            raise
        return True

    def takes_files(self) -> bool:
        """May this user create and remove files here, and is it not mounted read-only?"""
        return os.access(".", os.W_OK | os.X_OK, dir_fd=self.descriptor, effective_ids=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """One file name in an open folder."""

    folder: Folder
    name: str

    @property
    def path(self) -> Path:
        return self.folder.path / self.name

    def status(self) -> os.stat_result:
        """lstat. Raises OSError."""
        return os.stat(self.name, dir_fd=self.folder.descriptor, follow_symlinks=False)

    def open(self) -> int:
        """A descriptor for reading a regular file; the caller closes it.

        Raises NotARegularFile, or OSError.
        """
        return self.opened()[0]

    def opened(self) -> tuple[int, os.stat_result]:
        """The same, with what the kernel says of the file."""
        descriptor = os.open(self.name, _READ, dir_fd=self.folder.descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise NotARegularFile(f"{self.path} is not a regular file")
        return descriptor, status

    def identity_of(self, expected: Identity, sha256: str) -> Identity | None:
        """Of the file there, if it still has this content; its bytes decide once it was touched.

        Raises OSError.
        """
        descriptor, status = self.opened()
        if Identity.of(status) == expected:
            os.close(descriptor)
            return expected
        found = fingerprint(descriptor)
        return found.identity if found.sha256 == sha256 else None

    def remove(self) -> None:
        """Remove a file that has been checked to be ours to remove. Raises OSError.

        One that is gone already was removed: the answer to the first try was lost.
        """
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder.descriptor)


def is_still(identity: Identity, status: os.stat_result) -> bool:
    """Is it this regular file, unchanged?"""
    return stat.S_ISREG(status.st_mode) and Identity.of(status) == identity


def is_at(spot: Spot, identity: Identity) -> bool:
    """Is this very file at that place? Raises OSError where it can't be told."""
    try:
        return is_still(identity, spot.status())
    except FileNotFoundError:
        return False


def is_surely_at(spot: Spot, identity: Identity) -> bool:
    """The same; False where it can't be told."""
    try:
        return is_at(spot, identity)
    except OSError:
        return False


class Folders(Closing):
    """The folders of one batch, each opened once and fsynced once.

    ``bases`` are the picture folders: a link there is the user's own arrangement and followed,
    below them none is. ``naked`` are mount points whose disk is away.
    """

    def __init__(self, bases: Sequence[Path], naked: Collection[Path] = ()) -> None:
        self._bases = tuple(bases)
        self._naked = frozenset(naked)
        self._open: dict[str, Folder] = {}
        """By path as text: of a Path it takes longer to find the parent and the hash than all else
        of a look here, and there is one for each file."""
        self._touched: dict[int, Folder] = {}
        """By descriptor."""
        self._spelled: dict[Path, Path] = {}

    def close(self) -> None:
        for folder in self._open.values():
            os.close(folder.descriptor)
        self._open.clear()

    def spot(self, path: Path, *, make: bool = False) -> Spot:
        """The place of one file; ``make`` creates its folder. Raises OSError."""
        folder, _, name = str(path).rpartition("/")
        found = self._open.get(folder)
        return Spot(found or self.folder(path.parent, make=make), name)

    def folder(self, path: Path, *, make: bool = False) -> Folder:
        """An open folder. Raises OSError; ENOTDIR or ELOOP where a link or a file is in the way."""
        found = self._open.get(str(path))
        if found is not None:
            return found
        if path in self._naked:
            raise OSError(errno.ENOMEDIUM, os.strerror(errno.ENOMEDIUM), str(path))
        if path in self._bases or not any(base in path.parents for base in self._bases):
            return self._keep(path, os.open(path, _OPEN))
        above = self.folder(path.parent, make=make)
        try:
            descriptor = _open_within(above, path.name)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):  # somebody was faster, or the answer was lost
                os.mkdir(path.name, dir_fd=above.descriptor)
            self.touch(above)
            descriptor = _open_within(above, path.name)
        return self._keep(path, descriptor)

    def as_spelled(self, path: Path) -> Path:
        """The path with its folders spelled as they are: ``Käfer`` may have been made by macOS."""
        if path not in self._spelled:
            self._spelled[path] = self._as_spelled(path)
        return self._spelled[path]

    def _as_spelled(self, path: Path) -> Path:
        if path in self._bases or not any(base in path.parents for base in self._bases):
            return path
        spelled = self.as_spelled(path.parent) / path.name
        if path.name.isascii() or os.path.lexists(spelled):
            return spelled
        with suppress(OSError):
            for sibling in spelled.parent.iterdir():
                if composed(sibling.name) == composed(path.name) and sibling.is_dir():
                    return sibling
        return spelled

    def paused(self, path: Path, problem: OSError) -> FilingPaused:
        """Why nothing can be put into ``path``, and whether that is this folder's own trouble."""
        refusing = path
        while refusing not in self._bases and not os.path.lexists(refusing):
            refusing = refusing.parent  # there it could not be made
        return paused(refusing, problem, alone=self._is_alone(path, problem))

    def _is_alone(self, path: Path, problem: OSError) -> bool:
        base = next((base for base in self._bases if base in path.parents), path)
        if path == base or base in self._naked:
            return False
        try:
            status = base.stat()
        except OSError:
            return False  # the whole picture folder is gone
        if problem.errno in FULL:
            return self._device(path, status.st_dev) != status.st_dev
        if problem.errno == errno.EROFS:  # one class folder may be mounted read-only by itself
            return os.access(base, os.W_OK | os.X_OK, effective_ids=True)
        return True

    def _device(self, path: Path, otherwise: int) -> int:
        """Of a folder, or ``otherwise`` where it could not be made or opened."""
        found = self._open.get(str(path))
        return os.fstat(found.descriptor).st_dev if found else otherwise

    def touch(self, folder: Folder) -> None:
        """Remember that a name was added to, or removed from, ``folder``."""
        self._touched[folder.descriptor] = folder

    def sync(self) -> None:
        """fsync the folders touched since the last time. Raises StorageFailed."""
        for folder in self._touched.values():
            try:
                os.fsync(folder.descriptor)
            except OSError as problem:
                if problem.errno not in _NO_FOLDER_SYNC:
                    raise storage_failed(folder.path, problem) from problem
        self._touched.clear()

    def _keep(self, path: Path, descriptor: int) -> Folder:
        longest = os.fpathconf(descriptor, "PC_NAME_MAX")
        folder = self._open[str(path)] = Folder(path, descriptor, longest if longest > 0 else 255)
        return folder


def _open_within(above: Folder, name: str) -> int:
    return os.open(name, _OPEN | os.O_NOFOLLOW, dir_fd=above.descriptor)
