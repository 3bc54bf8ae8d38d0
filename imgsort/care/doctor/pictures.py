"""Rows without files, files without rows: the log against the picture folders, no file opened."""

from collections.abc import Iterator, Sequence

from imgsort.care.finding import SHOWN, Finding, ok
from imgsort.disk.display import display
from imgsort.disk.identity import is_at
from imgsort.errors import FilingPaused, ImgsortError
from imgsort.reconcile.apply import apply_reconcile
from imgsort.reconcile.look import look_at
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace


def check_pictures(workspace: Workspace) -> Iterator[Finding]:
    try:
        with Store.open(workspace.database, root=workspace.root) as store:
            layout = layout_of(workspace, store)
            look = look_at(layout, store)
            underway = {str(path) for path in store.journal.reserved_targets()}
    except FilingPaused as problem:
        yield Finding("error", "pictures", f"{problem}", "Put that folder back (mount it?).")
        return
    except ImgsortError:
        return  # the check of the database says why
    disk, found = look.disk, look.found
    missing = [one.location for one in found.lost if not is_at(one.location, one.identity)]
    orphans = [
        one.path
        for one in found.strangers
        if layout.has_picture(one.path) and one.identity.size and one.path not in underway
    ]
    yield from _missing(workspace, missing)
    yield from _orphans(workspace, orphans)
    if disk.unseen:
        yield Finding(
            "warning",
            "pictures",
            f"{_named(disk.unseen)} can't be looked into.",
            "Correct their owner or mode: what lies there is not in the log.",
        )
    if not missing and not orphans:
        yield ok("pictures", f"The log and the folders agree on {look.present:,} pictures.")


def _missing(workspace: Workspace, paths: Sequence[str]) -> Iterator[Finding]:
    if paths:
        yield Finding(
            "warning",
            "pictures",
            f"{len(paths):,} pictures of the log are not where they were: {_named(paths)}.",
            "If you moved or deleted them, all is well: `imgsort run` or `doctor --fix` learns it. "
            "Else bring them back from your own backup.",
            fix=lambda: _reconcile(workspace),
        )


def _orphans(workspace: Workspace, paths: Sequence[str]) -> Iterator[Finding]:
    if paths:
        yield Finding(
            "warning",
            "pictures",
            f"{len(paths):,} pictures in the folders are not in the log: {_named(paths)}.",
            "If you put them there, `imgsort run` or `doctor --fix` takes them as your labels; if "
            "the log was lost, use `imgsort restore FILE` or `imgsort rebuild-db` instead.",
            fix=lambda: _reconcile(workspace),
        )


def _reconcile(workspace: Workspace) -> None:
    with Store.open(workspace.database, root=workspace.root) as store:
        run_id = store.runs.begin("doctor")
        store.runs.end(run_id, str(apply_reconcile(workspace, store, run_id)))


def _named(paths: Sequence[str]) -> str:
    shown = ", ".join(display(path) for path in paths[:SHOWN])
    return shown + (", …" if len(paths) > SHOWN else "")
