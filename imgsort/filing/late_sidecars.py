"""A sidecar that comes after its picture was filed goes after it, if it is plain which one."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imgsort.filing.errand import Done, Errand
from imgsort.filing.left_behind_sidecars import errand_beside
from imgsort.filing.relocate import run_errands
from imgsort.filing.sidecars import renamed, sidecars_of
from imgsort.images import READABLE_SUFFIXES
from imgsort.store import Store
from imgsort.store.latecomers import Filed
from imgsort.workspace.workspace import Workspace

MEMORY = timedelta(days=1)
"""Names come again: a camera counts to 9999."""


def bring(workspace: Workspace, store: Store, run_id: int, paths: Sequence[Path]) -> list[Done]:
    """Move those sidecars in the inbox that have settled, beside their pictures.

    What belongs to no picture, or may belong to two, stays. Raises as ``run_errands`` does.
    """
    config = workspace.config
    if config.filing.mode == "copy" or not paths:
        return []
    now = datetime.now(UTC)
    settled = [path for path in paths if _has_settled(workspace, path, now)]
    ways = {path: _subfolder(workspace, path) for path in settled}
    filed = store.pictures.filed_since(set(ways.values()), now - MEMORY) if ways else []
    beside: defaultdict[bytes, list[Filed]] = defaultdict(list)
    for picture in filed:
        beside[picture.subfolder].append(picture)
    errands = []
    for path in settled:
        known = beside[ways[path]]
        leader = leader_of(path.name, known, config.filing.sidecars, config.decode.suffixes)
        errand = None if leader is None else _errand(workspace, path, leader)
        if errand is not None:
            errands.append(errand)
    if not errands:
        return []
    return run_errands(
        workspace, store, errands, lambda plans: store.journal.record_decided(run_id, plans)
    )


def leader_of(
    sidecar: str,
    pictures: Iterable[Filed],
    suffixes: Collection[str],
    readable: Collection[str] = READABLE_SUFFIXES,
) -> Filed | None:
    """The one picture of these, from the same folder, that the sidecar is named after. Pure."""
    possible = [
        picture
        for picture in pictures
        if sidecar in sidecars_of(os.fsdecode(picture.name), [sidecar], suffixes, readable)
    ]
    return possible[0] if len(possible) == 1 else None


def _errand(workspace: Workspace, path: Path, leader: Filed) -> Errand | None:
    wanted = leader.path.with_name(renamed(path.name, os.fsdecode(leader.name), leader.path.name))
    return errand_beside(workspace, path, leader.arrival_id, leader.path, wanted)


def _has_settled(workspace: Workspace, path: Path, now: datetime) -> bool:
    """Nobody has touched it for a while; a clock that was set back makes it wait."""
    try:
        status = path.lstat()
    except OSError:
        return False
    quiet = now.timestamp() - max(status.st_mtime, status.st_ctime)
    return quiet >= workspace.config.watch.settle_seconds


def _subfolder(workspace: Workspace, path: Path) -> bytes:
    way = os.fsencode(path.parent.relative_to(workspace.inbox))
    return b"" if way == b"." else way
