"""The database: schema, soundness, moves that were never finished."""

from collections.abc import Iterator

from imgsort.care.finding import Finding, ok
from imgsort.errors import DatabaseProblem
from imgsort.filing import recover
from imgsort.store import Store
from imgsort.store.care import CareLog, planned_moves, soundness
from imgsort.store.revision import require_current, revision_of
from imgsort.store.schema import migrate
from imgsort.store.tables import REVISIONS
from imgsort.workspace.way_back import way_back
from imgsort.workspace.workspace import Workspace

_LARGE_WAL = 256 << 20


def check_database(workspace: Workspace) -> Iterator[Finding]:
    database = workspace.database
    if not database.exists():
        yield Finding(
            "error",
            "database",
            f"{database} is missing.",
            _sentence(f"{way_back(workspace.root)}."),
        )
        return
    problems = soundness(database, thorough=True)
    if problems:
        yield Finding(
            "error",
            "database",
            f"{database} is damaged: {problems[0]}{_more(len(problems) - 1)}.",
            "Stop imgsort and restore a backup (`imgsort restore FILE`); without one, "
            "`imgsort rebuild-db`. No picture is touched by either.",
        )
        return
    yield ok("database", "integrity_check and foreign_key_check find nothing.")
    schema = _schema(workspace)
    yield schema
    if schema.level == "ok":
        yield _counts(workspace)
        yield from _journal(workspace)


def _more(count: int) -> str:
    return f", and {count} more" if count > 0 else ""


def _schema(workspace: Workspace) -> Finding:
    try:
        require_current(workspace.database)
    except DatabaseProblem as problem:
        what, _, remedy = str(problem).partition("; ")
        old = revision_of(workspace.database) in REVISIONS
        return Finding(
            "error",
            "database",
            f"{what}.",
            _sentence(remedy),
            fix=(lambda: _migrate(workspace)) if old else None,
        )
    return ok("database", "The database has this program's schema.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" if text else "Correct that, then try again."


def _migrate(workspace: Workspace) -> None:
    with workspace.daemon_lock():
        migrate(workspace.database)


def _counts(workspace: Workspace) -> Finding:
    with CareLog(workspace.database, workspace.root) as log:
        wrong = log.miscounted()
    if wrong == 0:
        return ok("database", "The counts that `status` shows are those of the rows.")
    kinds = "kind" if wrong == 1 else "kinds"
    what = (
        "Nothing keeps the counts that `status` shows up to date"
        if wrong is None
        else f"`status` miscounts the pictures of {wrong:,} {kinds}"
    )
    return Finding(
        "warning",
        "database",
        f"{what}: another program has changed the database.",
        "`imgsort doctor --fix` counts anew.",
        fix=lambda: _recount(workspace),
    )


def _recount(workspace: Workspace) -> None:
    with CareLog(workspace.database, workspace.root) as log:
        log.recount()


def _journal(workspace: Workspace) -> Iterator[Finding]:
    """While a daemon runs, moves that are under way are no finding."""
    wal = workspace.database.with_name(f"{workspace.database.name}-wal")
    if wal.exists() and wal.stat().st_size > _LARGE_WAL:
        yield Finding(
            "note",
            "database",
            f"{wal} has {wal.stat().st_size / 1e6:,.0f} MB.",
            "Another program keeps the database open for reading; close it, and it shrinks.",
        )
    if workspace.daemon_pid() is not None:
        return
    planned = planned_moves(workspace.database)
    if planned:
        yield Finding(
            "warning",
            "moves",
            f"{planned:,} moves were planned and never finished.",
            "`imgsort run` completes them when it starts; so does `imgsort doctor --fix`.",
            fix=lambda: _recover(workspace),
        )
    else:
        yield ok("moves", "Every planned move was finished.")


def _recover(workspace: Workspace) -> None:
    with Store.open(workspace.database, root=workspace.root) as store:
        recover(workspace, store)
