"""Bring back what a backup holds, keep aside what was there, and find what was filed since."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from imgsort.care import archive
from imgsort.care.archive import Manifest
from imgsort.care.backup import check_database, no_rest
from imgsort.care.refind import Refound, refind_locked
from imgsort.care.set_aside import aside_folder, exchange_database, put_aside
from imgsort.disk.display import display
from imgsort.disk.durable import sync_file, sync_folder
from imgsort.errors import BackupProblem, ConfigProblem, ImgsortError, ModelProblem
from imgsort.models.registry import Registry
from imgsort.store import Store
from imgsort.store.care import CareLog, settle_wal
from imgsort.store.schema import migrate
from imgsort.store.tables import REVISIONS
from imgsort.workspace.config import Config, load_config
from imgsort.workspace.workspace import Workspace

WORK = ".restoring-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    aside: Path
    """Where the previous database, and whatever else was replaced, is kept."""
    models: tuple[int, ...]
    """Versions that came from the backup."""
    config: bool
    """config.toml came from the backup."""
    refound: Refound

    def as_dict(self) -> dict[str, object]:
        return {
            "created_at": self.manifest.created_at,
            "rows": self.manifest.rows,
            "kept_aside": display(self.aside),
            "models": list(self.models),
            "config": self.config,
            **self.refound.as_dict(),
        }


def restore(root: Path, file: Path) -> Restored:
    """Restore a workspace; ``root`` may be an empty folder too.

    Everything is unpacked and checked before anything is touched. Raises WorkspaceBusy while a
    daemon runs, BackupProblem, or what reconciling raises: then the log is restored already.
    """
    archive.read_manifest(file)  # before a folder is made for it
    workspace, config_restored = _workspace(root.absolute(), file)
    with ExitStack() as stack:
        stack.enter_context(workspace.daemon_lock())
        _sweep(workspace)
        staged = stack.enter_context(_work_folder(workspace.state))
        manifest = _checked(file, staged)
        stack.enter_context(workspace.filing_lock())
        aside = aside_folder(workspace, "restore")
        if config_restored:
            _restore_config(workspace, staged, aside)
        models = _restore_models(workspace, manifest, staged, aside)
        exchange_database(workspace, staged / archive.DATABASE, aside)
        refound = _reconciled(workspace)
    return Restored(manifest, aside, models, config_restored, refound)


def _workspace(root: Path, file: Path) -> tuple[Workspace, bool]:
    """The workspace to restore into, and whether it needs the backup's configuration."""
    try:
        config, needed = load_config(root / "config.toml"), False
    except ConfigProblem:
        config, needed = _config_of(root, file), True
    workspace = Workspace(root, config)
    if not workspace.config_file.exists() and not workspace.state.exists():
        _require_empty_or_sorted(workspace)
    for folder in (*workspace.picture_folders, workspace.state, workspace.models):
        # One of an absolute path may be a disk that isn't mounted: nothing is made there.
        if folder.is_relative_to(root):
            folder.mkdir(parents=True, exist_ok=True)
    workspace.require_folders()
    return workspace, needed


def _require_empty_or_sorted(workspace: Workspace) -> None:
    """Nothing may be there, or at least the pictures: then it was this workspace."""
    if workspace.inbox.is_dir() and workspace.sorted.is_dir():
        return
    if any(not path.name.startswith(WORK) for path in workspace.root.iterdir()):
        raise _not_ours(workspace.root)


def _not_ours(root: Path) -> BackupProblem:
    return BackupProblem(
        f"{root} is no imgsort workspace and not empty; name a workspace, or an empty folder, "
        f"with -C."
    )


def _config_of(root: Path, file: Path) -> Config:
    if root.exists() and not root.is_dir():
        raise _not_ours(root)
    root.mkdir(parents=True, exist_ok=True)
    with _work_folder(root) as folder:
        archive.unpack(file, folder, no_rest)
        return load_config(folder / archive.CONFIG)


@contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    folder = parent / f"{WORK}{uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        archive.discard(folder)


def _sweep(workspace: Workspace) -> None:
    """What a killed restore left; the daemon lock keeps others away."""
    for folder in (workspace.state, workspace.root):
        for path in folder.glob(f"{WORK}*"):
            if path.is_dir() and not path.is_symlink():
                archive.discard(path)


def _checked(file: Path, staged: Path) -> Manifest:
    """Unpack, and bring the database to this program's schema, before anything is touched."""
    try:
        manifest = archive.unpack(file, staged, no_rest)
    except OSError as problem:
        raise BackupProblem(
            f"{file} could not be unpacked into {staged.parent} ({problem.strerror}); look after "
            f"that, then try again: nothing was changed."
        ) from problem
    if manifest.revision not in REVISIONS:
        raise BackupProblem(
            f"{file} holds a database at revision {manifest.revision}, which this imgsort doesn't "
            f"know; restore it with the imgsort that made it ({manifest.imgsort})."
        )
    database = staged / archive.DATABASE
    check_database(file, database, manifest)
    migrate(database)
    settle_wal(database)
    sync_file(database)
    return manifest


def _restore_config(workspace: Workspace, staged: Path, aside: Path) -> None:
    put_aside(workspace.config_file, aside)
    part = workspace.state / f"{WORK}config"
    shutil.copyfile(staged / archive.CONFIG, part)
    sync_file(part)
    part.rename(workspace.config_file)
    sync_folder(workspace.root)


def _restore_models(
    workspace: Workspace, manifest: Manifest, staged: Path, aside: Path
) -> tuple[int, ...]:
    """Versions that are missing, damaged, or others under the same number come from the backup."""
    registry, saved = Registry(workspace.models), Registry(staged / "models")
    restored = []
    for card in saved.versions():
        if _has(registry, saved, card.version):
            continue
        put_aside(registry.folder_of(card.version), aside)
        saved.folder_of(card.version).rename(registry.folder_of(card.version))
        restored.append(card.version)
    for path in restored:
        _sync_version(registry.folder_of(path))
    sync_folder(workspace.models)
    if manifest.active is not None and not _serves(registry):
        registry.activate(manifest.active)
    return tuple(restored)


def _sync_version(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            sync_file(path)
    sync_folder(folder)


def _has(registry: Registry, saved: Registry, version: int) -> bool:
    try:
        registry.load(version)
        return registry.card(version) == saved.card(version)
    except ModelProblem:
        return False


def _serves(registry: Registry) -> bool:
    try:
        active = registry.active()
        return active is not None and registry.load(active) is not None
    except ImgsortError:
        return False


def _reconciled(workspace: Workspace) -> Refound:
    with (
        Store.open(workspace.database, root=workspace.root, checkpointer=True) as store,
        CareLog(workspace.database, workspace.root) as log,
    ):
        run_id = store.runs.begin("restore")
        for card in Registry(workspace.models).versions():
            try:
                store.predictions.add_model(card)
            except ModelProblem:
                continue  # `doctor` says which one, and what to do
        refound = refind_locked(workspace, store, log, run_id)
        store.runs.end(run_id, f"found {refound.found}, moved {refound.moved}")
    return refound
