"""Temporary files that a killed program left: found by the names that only imgsort gives."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imgsort.care import archive, backup, rebuild, restore
from imgsort.care.finding import SHOWN, Finding, ok
from imgsort.disk.display import display
from imgsort.errors import WorkspaceProblem
from imgsort.store.care import planned_moves
from imgsort.store.revision import require_current
from imgsort.workspace.workspace import Workspace

OLD_SECONDS = 3600.0
_PART = re.compile(r"\.part-[0-9a-f]{16}|\.imgsort-probe-[0-9a-f]{32}(-moved)?")
_WORK = (backup.WORK, restore.WORK, rebuild.WORK)


def check_leftovers(workspace: Workspace) -> Iterator[Finding]:
    """Nothing younger than an hour: it may be in use."""
    paths = [path for path in _candidates(workspace) if _is_old(path)]
    if not paths:
        yield ok("leftovers", "No temporary files were left behind.")
        return
    names = ", ".join(display(path) for path in paths[:SHOWN])
    yield Finding(
        "note",
        "leftovers",
        f"{len(paths):,} temporary files were left by a program that was killed: {names}.",
        "`imgsort doctor --fix` removes them.",
        fix=lambda: _remove(workspace, paths),
    )


def _candidates(workspace: Workspace) -> Iterator[Path]:
    for base in workspace.picture_folders:
        for folder, _, files in os.walk(base):
            yield from (Path(folder, name) for name in files if _PART.fullmatch(name))
    for place in {workspace.state, workspace.backups, workspace.root}:
        for start in _WORK:
            yield from place.glob(f"{start}*")
    yield from workspace.models.glob(".publishing")


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_ctime > OLD_SECONDS
    except OSError:
        return False


def _remove(workspace: Workspace, paths: list[Path]) -> None:
    """A half copy may belong to a planned move: those stay until that is recovered."""
    with workspace.filing_lock():
        require_current(workspace.database)
        if planned_moves(workspace.database):
            raise WorkspaceProblem(
                "Planned moves were not finished; `imgsort run` does that, then try again."
            )
        for path in paths:
            with suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    archive.discard(path)
                else:
                    path.unlink()
