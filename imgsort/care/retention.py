"""What may go after a while, if the user switched that on: rejected files, trash, old models.

From rejected/ and from models/ things go to the trash, a folder a day; only from there anything is
deleted, and only files that retention itself put there. Every step is in the journal of moves.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from imgsort.disk.display import display
from imgsort.disk.durable import sync_folder
from imgsort.disk.identity import Identity, open_regular, sha256_of
from imgsort.errors import ModelProblem
from imgsort.filing.errand import Errand
from imgsort.filing.move_table import carried
from imgsort.models.registry import Registry
from imgsort.records.files import KnownFile
from imgsort.store import Store
from imgsort.store.care import TO_TRASH, CareLog, Trashed
from imgsort.workspace.workspace import Workspace

DAY = 86_400.0
_MODEL = "model-v"


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What would go now."""

    rejected: tuple[KnownFile, ...] = ()
    """To the trash."""
    models: tuple[int, ...] = ()
    """To the trash."""
    deleted: tuple[Trashed, ...] = ()
    """For good."""
    deleted_models: tuple[Path, ...] = ()
    """Folders of the trash, for good."""
    kept: tuple[Path, ...] = ()
    """Old enough, but a label stands on them."""

    def __bool__(self) -> bool:
        return bool(self.rejected or self.models or self.deleted or self.deleted_models)

    def as_dict(self) -> dict[str, object]:
        return {
            "to_trash": [display(one.path) for one in self.rejected],
            "models_to_trash": list(self.models),
            "delete": [display(one.path) for one in self.deleted],
            "delete_models": [display(path) for path in self.deleted_models],
            "kept": [display(path) for path in self.kept],
        }


def plan_retention(
    workspace: Workspace, store: Store, log: CareLog, now: datetime
) -> RetentionPlan:
    """What the configuration lets go at this moment; nothing is touched."""
    limits = workspace.config.retention
    needed = log.depended_upon() if limits.rejected_days or limits.trash_days else set()
    rejected = list(_rejected(workspace, store, now, limits.rejected_days))
    deleted = list(_deleted(workspace, log, now, limits.trash_days))
    return RetentionPlan(
        rejected=tuple(one for one in rejected if one.sha256 not in needed),
        models=tuple(_old_models(workspace, limits.keep_models)),
        deleted=tuple(one for one in deleted if one.sha256 not in needed),
        deleted_models=tuple(_trashed_models(workspace, now, limits.trash_days)),
        kept=(
            *(one.path for one in rejected if one.sha256 in needed),
            *(one.path for one in deleted if one.sha256 in needed),
        ),
    )


def _rejected(
    workspace: Workspace, store: Store, now: datetime, days: float
) -> Iterator[KnownFile]:
    base = f"{workspace.rejected}/"
    for known in store.files.known() if days else ():
        if not known.missing and known.location.startswith(base) and _is_old(known, now, days):
            yield known


def _is_old(one: KnownFile, now: datetime, days: float) -> bool:
    """By the time of its last move (ctime), if it is the file that the log knows."""
    try:
        status = os.lstat(one.location)
    except OSError:
        return False
    return Identity.of(status) == one.identity and _age(status.st_ctime, now) > days


def _age(since: float, now: datetime) -> float:
    """Days."""
    return (now.timestamp() - since) / DAY


def _deleted(workspace: Workspace, log: CareLog, now: datetime, days: float) -> Iterator[Trashed]:
    for trashed in log.trashed() if days else ():
        status = _plain_file(workspace, trashed.path)
        if status and status.st_size == trashed.size and _age(status.st_ctime, now) > days:
            yield trashed


def _plain_file(workspace: Workspace, path: Path) -> os.stat_result | None:
    """Of a regular file below the trash, reached through no link."""
    if not path.is_relative_to(workspace.trash) or path.parent.resolve() != path.parent:
        return None
    try:
        status = path.lstat()
    except OSError:
        return None
    return status if path.is_file() and not path.is_symlink() else None


def _still_there(workspace: Workspace, one: Trashed) -> Identity | None:
    """The file that was put there, with the content it had then."""
    if _plain_file(workspace, one.path) is None:
        return None
    descriptor = open_regular(one.path)
    try:
        same = sha256_of(descriptor) == one.sha256
        return Identity.of(os.fstat(descriptor)) if same else None
    finally:
        os.close(descriptor)


def _old_models(workspace: Workspace, keep: int) -> list[int]:
    if not keep:
        return []
    registry = Registry(workspace.models)
    needed = registry.needed()
    old = [card.version for card in registry.versions()][:-keep]
    return [version for version in old if version not in needed]


def _trashed_models(workspace: Workspace, now: datetime, days: float) -> Iterator[Path]:
    if not days or not workspace.trash.is_dir() or workspace.trash.is_symlink():
        return
    for folder in sorted(workspace.trash.glob(f"????-??-??/{_MODEL}*")):
        real = folder.is_dir() and not folder.is_symlink() and not folder.parent.is_symlink()
        if real and _age(folder.lstat().st_ctime, now) > days:
            yield folder


@dataclass(frozen=True, slots=True)
class Gone:
    """What an application did."""

    run_id: int
    to_trash: int
    models: int
    deleted: int
    stayed: tuple[tuple[Path, str], ...]
    """With the reason."""

    def as_dict(self) -> dict[str, object]:
        return {
            "run": self.run_id,
            "to_trash": self.to_trash,
            "models": self.models,
            "deleted": self.deleted,
            "stayed": [{"path": display(path), "reason": why} for path, why in self.stayed],
        }


def apply_retention(
    workspace: Workspace, store: Store, log: CareLog, plan: RetentionPlan, now: datetime
) -> Gone:
    """Do what was planned, as far as it is still so. Raises as filing does."""
    applied = _Application(workspace, store, log, store.runs.begin("retention"))
    day = workspace.trash / now.astimezone(UTC).date().isoformat()
    if plan.rejected or plan.models:
        day.mkdir(parents=True, exist_ok=True)
    gone = Gone(
        run_id=applied.run_id,
        to_trash=applied.to_trash(plan.rejected, day),
        models=applied.retire(plan.models, day),
        deleted=applied.delete(plan),
        stayed=tuple(applied.stayed),
    )
    store.runs.end(
        applied.run_id,
        f"to the trash: {gone.to_trash} files, {gone.models} models; deleted: {gone.deleted} files",
    )
    return gone


@dataclass(slots=True)
class _Application:
    workspace: Workspace
    store: Store
    log: CareLog
    run_id: int
    stayed: list[tuple[Path, str]] = field(default_factory=list)

    def to_trash(self, files: Sequence[KnownFile], day: Path) -> int:
        """Through the journal, as every move: a crash is completed by the next mover."""
        errands = [
            Errand(one.arrival_id, one.path, one.identity, one.sha256, day / one.name, TO_TRASH)
            for one in files
        ]
        moved = []
        for done in carried(self.workspace, self.store, self.run_id, errands):
            if done.moved:
                moved.append(done.arrival_id)
            else:
                self.stayed.append((done.errand.source, done.reason or ""))
        self.store.files.mark_missing(moved)  # they are in no picture folder any more
        return len(moved)

    def retire(self, versions: Sequence[int], day: Path) -> int:
        registry, retired = Registry(self.workspace.models), 0
        for version in versions:
            try:
                registry.retire(version, day / f"{_MODEL}{version:04d}")
                retired += 1
            except ModelProblem as problem:
                self.stayed.append((registry.folder_of(version), str(problem)))
        return retired

    def delete(self, plan: RetentionPlan) -> int:
        """The journal first: what it says is deleted may still be there after a crash, never the
        other way round."""
        going = [(one, here) for one in plan.deleted if (here := _still_there(self.workspace, one))]
        self.log.note_deleted(self.run_id, going)
        deleted = 0
        for one, _ in going:
            try:
                one.path.unlink()
                deleted += 1
            except OSError as problem:
                self.stayed.append((one.path, problem.strerror or str(problem)))
        for folder in plan.deleted_models:
            shutil.rmtree(folder, ignore_errors=True)
        days = {one.path.parent for one, _ in going} | {one.parent for one in plan.deleted_models}
        for day in days:
            with suppress(OSError):  # not empty: something else lies there
                day.rmdir()
        if self.workspace.trash.is_dir():
            sync_folder(self.workspace.trash)
        return deleted
