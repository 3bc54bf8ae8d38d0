"""Put the present database, models or configuration aside: kept whole, never overwritten."""

from datetime import UTC, datetime
from pathlib import Path

from imgsort.disk.durable import sync_folder
from imgsort.workspace.workspace import Workspace

_DATABASE_FILES = ("", "-wal", "-shm", "-journal")


def aside_folder(workspace: Workspace, why: str) -> Path:
    """A new folder in state/ such as ``before-restore-20261122T224501Z``."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = workspace.state / f"before-{why}-{stamp}"
    folder.mkdir()
    sync_folder(workspace.state)
    return folder


def put_aside(path: Path, folder: Path) -> None:
    """Move a file or folder there, if it is there. Raises OSError."""
    if path.is_symlink() or path.exists():
        path.rename(folder / path.name)


def has_database(workspace: Workspace) -> bool:
    """Is there a database to put aside, or at least its journal?"""
    return any(Path(f"{workspace.database}{suffix}").exists() for suffix in _DATABASE_FILES)


def exchange_database(workspace: Workspace, new: Path, folder: Path) -> None:
    """Put the present database aside with its journal, and ``new`` in its place.

    The database goes first: what a kill leaves is a missing one, which every command tells of, and
    never one without its journal. ``new`` must be a single file without a journal, on the disk.
    """
    for suffix in _DATABASE_FILES:
        put_aside(Path(f"{workspace.database}{suffix}"), folder)
    sync_folder(folder)
    sync_folder(workspace.state)
    new.rename(workspace.database)
    sync_folder(workspace.state)
