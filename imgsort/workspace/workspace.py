"""The folders of one workspace, and the locks that keep its users apart."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path

from imgsort.disk.read_only import is_read_only
from imgsort.errors import (
    BackupProblem,
    ConfigProblem,
    RetrainBusy,
    WorkspaceBusy,
    WorkspaceMissing,
    WorkspaceProblem,
)
from imgsort.workspace.config import Config, load_config
from imgsort.workspace.way_back import way_back

_LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Workspace:
    """A workspace's absolute paths and its checked configuration."""

    root: Path
    config: Config

    @classmethod
    def open(cls, root: Path) -> "Workspace":
        """Find the workspace at ``root``. Raises WorkspaceMissing or ConfigProblem."""
        absolute = root.absolute()
        if not (absolute / "config.toml").exists():
            if (outer := enclosing_workspace(absolute)) is not None:
                raise WorkspaceMissing(
                    f"{absolute} lies in the workspace {outer}; name that one with -C {outer}."
                )
            if (absolute / "state" / "imgsort.db").exists():
                raise WorkspaceMissing(
                    f"{absolute} has a state folder but no config.toml; put that back (an empty "
                    f"one holds the defaults), or name another folder with -C."
                )
            raise WorkspaceMissing(
                f"{absolute} is no imgsort workspace (it has no config.toml); make one with "
                f"`imgsort -C {absolute} init`, or name another with -C."
            )
        workspace = cls(absolute, load_config(absolute / "config.toml"))
        workspace._require_apart()
        return workspace

    def _require_apart(self) -> None:
        """Raise ConfigProblem where links or absolute paths put one folder into another."""
        places = [
            (folder, _real(folder))
            for folder in (
                *(*self.picture_folders, self.state, self.config_file),
                *(self.backups, self.trash, self.backfill),
            )
        ]
        for (one, here), (other, there) in permutations(places, 2):
            if here == there or here in there.parents:
                raise ConfigProblem(
                    f"{self.config_file}: folders: {one} contains {other}; keep them apart, or "
                    f"pictures would be sorted again and again."
                )

    @property
    def config_file(self) -> Path:
        return self.root / "config.toml"

    @property
    def inbox(self) -> Path:
        return _folder(self.root, self.config.folders.inbox)

    @property
    def sorted(self) -> Path:
        return _folder(self.root, self.config.folders.sorted)

    @property
    def unsure(self) -> Path:
        return _folder(self.root, self.config.folders.unsure)

    @property
    def rejected(self) -> Path:
        return _folder(self.root, self.config.folders.rejected)

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def database(self) -> Path:
        return self.state / "imgsort.db"

    @property
    def embeddings(self) -> Path:
        return self.state / "embeddings.db"

    @property
    def thumbnails(self) -> Path:
        return self.state / "thumbnails.db"

    @property
    def models(self) -> Path:
        return self.state / "models"

    @property
    def backbones(self) -> Path:
        return self.state / "backbones"

    @property
    def backups(self) -> Path:
        """Where daily backups go."""
        return self.root / self.config.backup.folder

    @property
    def backfill(self) -> Path:
        """Where the jobs of `imgsort backfill` keep their lists and results."""
        return self.root / self.config.backfill.folder

    @property
    def trash(self) -> Path:
        """What retention took away, in a folder a day."""
        return self.root / "trash"

    @property
    def status_file(self) -> Path:
        """What the running daemon last said of itself (JSON, replaced atomically)."""
        return self.state / "status.json"

    @property
    def retrain_file(self) -> Path:
        """What the training that runs, or the last one, said of itself (JSON)."""
        return self.state / "retrain.json"

    @property
    def picture_folders(self) -> tuple[Path, Path, Path, Path]:
        return self.inbox, self.sorted, self.unsure, self.rejected

    def require_folders(self) -> None:
        """Raise WorkspaceProblem for the first folder that is missing or can't be written."""
        for folder in (*self.picture_folders, self.state):
            if folder == self.state and not folder.is_dir():
                raise WorkspaceProblem(f"{folder} is missing; {way_back(self.root)}.")
            if not folder.is_dir():
                raise WorkspaceProblem(
                    f"{folder} is missing; put it back (mount it?) or run `mkdir {folder}`."
                )
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise WorkspaceProblem(_why_not_written(folder))

    @contextmanager
    def daemon_lock(self) -> Iterator[None]:
        """Hold the workspace as its one daemon; WorkspaceBusy (exit 73) names who else does."""
        with _opened(self.state / "lock") as descriptor:
            if not _locked_within(descriptor, _LOCK_SECONDS):
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                raise WorkspaceBusy(
                    f"Another imgsort daemon (pid {holder}) holds {self.root}; stop it first, "
                    f"or let it do the work."
                )
            with suppress(OSError):  # the disk is full: the lock holds all the same
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield

    def daemon_pid(self) -> int | None:
        """The pid of the live daemon, or None. Holds the lock no longer than the question."""
        return _holder(self.state / "lock")

    @contextmanager
    def retrain_lock(self) -> Iterator[None]:
        """Be the one training. Raises RetrainBusy, which names the pid of the other."""
        with _opened(self.state / "retrain.lock") as descriptor:
            if not _locked_within(descriptor, _LOCK_SECONDS):
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                raise RetrainBusy(
                    f"Another `imgsort retrain` (pid {holder}) is at work in {self.root}; wait "
                    f"until it is done."
                )
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield

    def retrain_pid(self) -> int | None:
        """The pid of the training that runs, or None."""
        return _holder(self.state / "retrain.lock")

    @contextmanager
    def backup_lock(self) -> Iterator[None]:
        """Be the one making a backup. Raises BackupProblem when another is at it."""
        with _opened(self.state / "backup.lock") as descriptor:
            if not _locked_within(descriptor, _LOCK_SECONDS):
                raise BackupProblem(
                    f"Another backup of {self.root} is being made; wait until it is done."
                )
            yield

    @contextmanager
    def filing_lock(self) -> Iterator[None]:
        """Wait to be the one mover: daemon, label, refile and undo each take it for a batch."""
        with _opened(self.state / "filing.lock") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield


def _why_not_written(folder: Path) -> str:
    if is_read_only(folder):
        return f"{folder} is mounted read-only; mount it writable."
    return f"{folder} can't be written by this user; correct its owner or mode."


def is_workspace(folder: str | int) -> bool:
    """Is this folder (its path, or a descriptor of it) a workspace of its own?

    Then its pictures are for its own daemon, wherever it lies.
    """
    return _holds(folder, "config.toml") and any(_holds(folder, one) for one in ("state", "sorted"))


def _holds(folder: str | int, name: str) -> bool:
    try:
        if isinstance(folder, int):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
        else:
            os.lstat(f"{folder}/{name}")
    except OSError:
        return False
    return True


def enclosing_workspace(root: Path) -> Path | None:
    """The workspace that ``root`` lies in, if any."""
    return next((above for above in root.absolute().parents if is_workspace(str(above))), None)


@lru_cache(maxsize=64)
def _folder(root: Path, named: str) -> Path:
    """A picture folder. One that is named by its absolute path and lies in the workspace is in it
    whatever link the workspace is opened by: stored paths start from the workspace."""
    path = root / named
    if path.is_relative_to(root):
        return path
    try:
        return root / path.parent.resolve().relative_to(root.resolve()) / path.name
    except (OSError, RuntimeError, ValueError):
        return path


def _real(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder  # links in a circle: who wants to use it is told that it is missing


def _holder(lock: Path) -> int | None:
    """The pid in a lock that somebody holds (0 where it says none), or None."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def _locked_within(descriptor: int, seconds: float) -> bool:
    """Take the lock; `status` may hold a share of it for the instant of its question."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o664)
    except FileNotFoundError:
        raise WorkspaceProblem(
            f"{path.parent} is missing; {way_back(path.parent.parent)}."
        ) from None
    except OSError as problem:
        raise WorkspaceProblem(
            f"{path.parent} can't be written ({problem.strerror}); put it back, or correct its "
            f"owner or mode."
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
