"""Make a new database from what lies in the folders, where there is no backup to restore.

Rows, classes and folders come back. What only the old log knew is lost: ``LOST`` names it.
"""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from imgsort.care import archive
from imgsort.care.refind import Refound, refind_locked
from imgsort.care.set_aside import aside_folder, exchange_database, has_database
from imgsort.disk.display import display
from imgsort.disk.durable import sync_file
from imgsort.errors import BackupProblem, DatabaseProblem, ImgsortError
from imgsort.models.registry import Registry
from imgsort.store import Store
from imgsort.store.care import CareLog, row_counts, settle_wal, soundness
from imgsort.store.revision import require_current
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

WORK = ".rebuilding-"
LOST = (
    "what people said (labels, confirmations, audits)",
    "what models predicted, with which confidence, and why something was unsure or rejected",
    "the names and inbox folders that pictures arrived with, and when",
    "every move and run so far, so nothing before this can be undone",
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    refound: Refound
    classes: int
    models: int
    aside: Path | None
    """Where the old database is kept; None if there was none."""

    def as_dict(self) -> dict[str, object]:
        return {
            "pictures": self.refound.found,
            "classes": self.classes,
            "models": self.models,
            "kept_aside": self.aside and display(self.aside),
            "lost": list(LOST),
        }


def rebuild(workspace: Workspace, *, force: bool = False) -> Rebuilt:
    """Replace the database by one made from the folders; the old one is kept aside.

    Raises BackupProblem for a sound database unless ``force``, WorkspaceBusy while a daemon runs,
    FilingPaused where a picture folder is missing.
    """
    workspace.state.mkdir(exist_ok=True)  # gone, it is what there is to make anew
    workspace.require_folders()
    with workspace.daemon_lock(), workspace.filing_lock():
        if not force:
            _require_unsound(workspace)
        for left in workspace.state.glob(f"{WORK}*"):
            archive.discard(left)
        folder = workspace.state / f"{WORK}{uuid4().hex}"
        folder.mkdir(mode=0o700)
        try:
            database = folder / workspace.database.name
            rebuilt = _built(workspace, database)
            aside = None
            if has_database(workspace):
                aside = aside_folder(workspace, "rebuild")
            exchange_database(workspace, database, aside or folder)
        finally:
            archive.discard(folder)
    return Rebuilt(rebuilt.refound, rebuilt.classes, rebuilt.models, aside)


def _require_unsound(workspace: Workspace) -> None:
    try:
        require_current(workspace.database)
    except DatabaseProblem:
        return
    if not soundness(workspace.database, thorough=True):
        labels = row_counts(workspace.database).get("labels", 0)
        raise BackupProblem(
            f"{workspace.database} is sound, and {labels:,} labels in it would be lost; leave it, "
            f"or say `imgsort rebuild-db --force`."
        )


def _built(workspace: Workspace, database: Path) -> Rebuilt:
    migrate(database)
    registry = Registry(workspace.models)
    cards = registry.versions()
    with (
        Store.open(database, root=workspace.root, checkpointer=True) as store,
        CareLog(database, workspace.root) as log,
    ):
        log.seed_classes(_classes(registry))
        for card in cards:  # oldest first: a model names the one it was trained from
            store.predictions.add_model(card)
        run_id = store.runs.begin("rebuild-db")
        refound = refind_locked(workspace, store, log, run_id)
        store.runs.end(run_id, f"found {refound.found} pictures in their folders")
        classes = len(store.classes.names())
    settle_wal(database)
    sync_file(database)
    return Rebuilt(refound, classes, len(cards), None)


def _classes(registry: Registry) -> dict[int, str]:
    """Classes by the id that models know them by; the newest model has the latest name.

    Two ids of one name can't both live: a class was renamed away from it, and made anew later.
    """
    latest: dict[int, str] = {}
    for card in registry.versions():
        latest.update({entry.id: entry.name for entry in card.classes})
    by_name: dict[str, int] = {}
    active = registry.active()
    ordered = sorted(latest)
    try:
        serving = {entry.id for entry in registry.card(active).classes} if active else set()
    except ImgsortError:
        serving = set()
    for number in sorted(ordered, key=lambda one: one in serving):  # those that serve win
        by_name[latest[number]] = number
    return {number: name for name, number in sorted(by_name.items(), key=lambda one: one[1])}
