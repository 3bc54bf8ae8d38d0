"""Make a backup: database, models, configuration and class list in one verified file.

The pictures are not in it. It appears under its name only when it is complete, on the disk, and
was unpacked and compared; whatever else begins with a dot is what a killed backup left.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from imgsort import __version__
from imgsort.care import archive
from imgsort.care.archive import Manifest
from imgsort.disk.display import display
from imgsort.disk.durable import sync_folder
from imgsort.errors import BackupProblem, DatabaseProblem, StoreFull
from imgsort.models.registry import Registry
from imgsort.store.care import class_list, copy_database, row_counts, soundness
from imgsort.store.revision import require_current, revision_of
from imgsort.store.tables import iso_utc
from imgsort.workspace.workspace import Workspace

DAILY = "imgsort-daily-"
_BY_HAND = "imgsort-"
SUFFIX = ".tar"
WORK = ".imgsort-backup-"
"""How working files begin; nothing that begins so is a backup."""

Rest = Callable[[], None]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made and verified."""

    path: Path
    size: int
    """Bytes."""
    manifest: Manifest
    seconds: float

    def as_dict(self) -> dict[str, object]:
        return {
            "path": display(self.path),
            "bytes": self.size,
            "rows": self.manifest.rows,
            "model": self.manifest.active,
            "seconds": round(self.seconds, 3),
        }


def no_rest() -> None:
    """For whoever is in a hurry."""


def back_up(
    workspace: Workspace,
    target: Path | None = None,
    *,
    daily: bool = False,
    rest: Rest = no_rest,
) -> BackedUp:
    """Back up into ``target``, a folder or a new file; by default the configured folder.

    A daemon may run and file meanwhile. ``rest`` is called between pieces of work and may raise.
    Raises BackupProblem, DatabaseProblem, or what the store raises; then nothing was left behind.
    """
    began = time.monotonic()
    require_current(workspace.database)
    with workspace.backup_lock():
        path = _place(workspace, target, daily=daily)
        sweep(path.parent)
        try:
            with _work_folder(path.parent) as work:
                manifest = _stage(workspace, work / "staged", rest)
                part = work / "backup.tar"
                archive.pack(work / "staged", manifest, part, rest)
                archive.discard(work / "staged")
                _verify(part, work / "verified", rest)
                size = _publish(part, path)
        except (OSError, StoreFull) as problem:  # of the log nothing is written: its disk can't be
            why = problem.strerror if isinstance(problem, OSError) else "its disk is full"
            raise BackupProblem(
                f"{path} could not be made ({why}); look after that, then try again: nothing was "
                f"left behind."
            ) from problem
    return BackedUp(path, size, manifest, time.monotonic() - began)


def daily_backups(folder: Path) -> list[Path]:
    """The backups that the daemon made, oldest first."""
    return sorted(folder.glob(f"{DAILY}*{SUFFIX}")) if folder.is_dir() else []


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove the oldest daily backups beyond ``keep``; the answer is those."""
    gone = daily_backups(folder)[:-keep]
    for path in gone:
        path.unlink()
    return gone


def sweep(folder: Path) -> None:
    """Remove what killed backups left. Hold the backup lock."""
    for path in folder.glob(f"{WORK}*"):
        if path.is_dir() and not path.is_symlink():
            archive.discard(path)


def _place(workspace: Workspace, target: Path | None, *, daily: bool) -> Path:
    folder = workspace.backups if target is None else target
    if target is not None and not target.is_dir():
        if not target.parent.is_dir():
            raise BackupProblem(f"{target.parent} is no folder; make it, or name another place.")
        path = target.absolute()
    else:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = folder.absolute() / f"{DAILY if daily else _BY_HAND}{stamp}{SUFFIX}"
    if any(base == path.parent or base in path.parents for base in workspace.picture_folders):
        raise BackupProblem(f"{path.parent} is for pictures; name another place for the backup.")
    if os.path.lexists(path):
        raise BackupProblem(f"{path} exists already; name another file: nothing is overwritten.")
    return path


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / f"{WORK}{uuid4().hex}"
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        archive.discard(work)


def _stage(workspace: Workspace, staged: Path, rest: Rest) -> Manifest:
    """Copy everything into one folder, the models before the rows that speak of them."""
    staged.mkdir()
    active = _copy_models(workspace, staged / "models", rest)
    rows = copy_database(workspace.database, staged / archive.DATABASE, rest)
    # A backup is made often, so that the damage is found while there are sound ones.
    problems = soundness(staged / archive.DATABASE, thorough=True, rest=rest)
    rest()
    if problems:
        raise DatabaseProblem(
            f"{workspace.database} is damaged ({problems[0]}); no backup was made of it: restore "
            f"an earlier one with `imgsort restore FILE`."
        )
    shutil.copyfile(workspace.config_file, staged / archive.CONFIG)
    classes = [{"id": one, "name": name} for one, name in class_list(staged / archive.DATABASE)]
    (staged / archive.CLASSES).write_text(
        json.dumps(classes, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    names = sorted(
        path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()
    )
    return Manifest(
        format=archive.FORMAT,
        imgsort=__version__,
        created_at=iso_utc(datetime.now(UTC)),
        revision=revision_of(staged / archive.DATABASE) or "",
        rows=rows,
        active=active,
        files={
            name: archive.sha256_file(staged / name) for name in names if archive.may_hold(name)
        },
    )


def _copy_models(workspace: Workspace, target: Path, rest: Rest) -> int | None:
    """The versions are never changed once published, so they need no lock."""
    target.mkdir()
    registry = Registry(workspace.models)
    for card in registry.versions():
        rest()
        source = registry.folder_of(card.version)
        shutil.copytree(source, target / source.name, copy_function=shutil.copyfile)
    history = workspace.models / "history"
    if history.is_file():
        shutil.copyfile(history, target / "history")
    return registry.active()


def _verify(part: Path, folder: Path, rest: Rest) -> None:
    """Restore it to a temporary place: what can't be read back is no backup.

    Its database was checked whole before, and is the same to the last byte by its SHA-256.
    """
    folder.mkdir()
    manifest = archive.unpack(part, folder, rest)
    if row_counts(folder / archive.DATABASE) != manifest.rows:
        raise _unsound(part, "rows are missing")
    archive.discard(folder)


def check_database(file: Path, database: Path, manifest: Manifest) -> None:
    """Raise BackupProblem unless an unpacked database is sound and has all its rows."""
    problems = soundness(database, thorough=True)
    if not problems and row_counts(database) != manifest.rows:
        problems = ["rows are missing"]
    if problems:
        raise _unsound(file, problems[0])


def _unsound(file: Path, why: str) -> BackupProblem:
    return BackupProblem(
        f"The database in {file} is damaged ({why}); take another backup: nothing was changed."
    )


def _publish(part: Path, path: Path) -> int:
    """Give a complete file its name, never an existing one's; on the disk when this returns."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    try:
        path.hardlink_to(part)  # unlike rename() it refuses a name that is taken
    except FileExistsError:
        raise BackupProblem(
            f"{path} exists already; name another file: nothing is overwritten."
        ) from None
    except OSError:  # no hard links here (FAT, some network file systems)
        part.rename(path)
    sync_folder(path.parent)
    return size
