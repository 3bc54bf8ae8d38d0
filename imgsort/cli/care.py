"""`doctor`, `backup`, `restore`, `rebuild-db`, `retention`: care of the data."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import FAILED, Here, Json, app, opened, reported, root_of, say, tell_preparing
from imgsort.cli.output import counted, print_json
from imgsort.display import display
from imgsort.errors import ImgsortError, NothingToDo

if TYPE_CHECKING:
    from imgsort.care.doctor import Finding
    from imgsort.care.retention import Gone, Retention

SHOWN = 20


@app.command()
@reported
def doctor(
    context: typer.Context,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Do what is safe: see docs/care.md for what that is."),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Look for everything that could be wrong, and say what to do about it."""
    from imgsort.care import doctor as care

    found = care.examine(root_of(context, here))
    findings = []
    for finding in care.fixed(found) if fix else found:
        findings.append(finding)
        if not as_json:
            _tell(finding)
    counts = Counter(one.level for one in findings if not one.fixed)
    if as_json:
        print_json(
            {
                "findings": [one.as_dict() for one in findings],
                "counts": {level: counts[level] for level in care.LEVELS},
            }
        )
    else:
        typer.echo(
            f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}, "
            f"{counted(counts['note'], 'note')}; {counts['ok']} checks found all well."
        )
    if counts["error"]:
        raise typer.Exit(FAILED)


def _tell(finding: "Finding") -> None:
    typer.echo(f"{finding.level:<7}  {display(finding.what)}")
    if finding.fixed:
        typer.echo("         Fixed.")
    elif finding.remedy:
        typer.echo(f"         {display(finding.remedy)}")


@app.command()
@reported
def backup(
    context: typer.Context,
    destination: Annotated[
        Path | None,
        typer.Argument(metavar="[DEST]", help="A folder, or a new file. Default: backup.folder."),
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Copy database, models and configuration into one verified file; a daemon may run."""
    workspace = opened(context, here)
    from imgsort.care.backup import back_up

    done = back_up(workspace, destination)
    if as_json:
        print_json(done.as_dict())
        return
    typer.echo(
        f"{display(done.path)}: {done.size / 1e6:,.1f} MB, "
        f"{counted(done.manifest.rows['arrivals'], 'log row')}, verified by unpacking it, in "
        f"{done.seconds:.1f} s. The pictures themselves are not in it."
    )


@app.command()
@reported
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `imgsort backup` made.")],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Put a backup's database in place of the present one, which is kept aside."""
    from imgsort.care.restore import restore as restored

    root = root_of(context, here)
    done = restored(root, file.absolute())
    problem = _backbone_put_back(root)
    if problem is not None:
        say(f"The log is restored, but no picture can be judged yet. {problem}")
    if as_json:
        print_json(done.as_dict() | {"backbone_problem": problem})
        return
    refound = done.refound
    typer.echo(
        f"Restored the log of {done.manifest.created_at}. Of the folders it then learned: "
        f"{refound.found:,} pictures filed since, {refound.moved:,} at another place, "
        f"{refound.missing:,} gone. None of that was taken for a label."
    )
    if done.models:
        typer.echo(f"From the backup too: models {', '.join(f'v{v}' for v in done.models)}.")
    if done.config:
        typer.echo("config.toml came from the backup.")
    typer.echo(f"What was there before is in {display(done.aside)}.")


def _backbone_put_back(root: Path) -> str | None:
    """No backup holds the backbone. The answer is what is in the way."""
    from imgsort import reinstalling
    from imgsort.workspace import Workspace

    try:
        workspace = Workspace.open(root)
        card = reinstalling.card_of(workspace, None)
        reinstalling.reinstall(workspace, card, preparing=tell_preparing)
        for problem in reinstalling.reinstall_others(workspace, card, preparing=tell_preparing):
            say(problem)
    except ImgsortError as problem:
        return str(problem)
    return None


@app.command("rebuild-db")
@reported
def rebuild_db(
    context: typer.Context,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the database is sound.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make a new database from the folders, where there is no backup to restore."""
    workspace = opened(context, here)
    from imgsort.care.rebuild import LOST, rebuild

    done = rebuild(workspace, force=force)
    if as_json:
        print_json(done.as_dict())
        return
    typer.echo(
        f"A new log of {counted(done.refound.found, 'picture')} in "
        f"{counted(done.classes, 'class') if done.classes == 1 else f'{done.classes:,} classes'}."
    )
    typer.echo("What it can't know any more:")
    for lost in LOST:
        typer.echo(f"  {lost}")
    if not done.models:
        say(
            "There is no model left either: without a backup, make a new workspace with "
            "`imgsort init` and `imgsort import` the class folders of this one."
        )
    if done.aside is not None:
        typer.echo(f"The old database is in {display(done.aside)}.")


@app.command()
@reported
def retention(
    context: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it nothing goes.")] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """What [retention] lets go: old rejected files, trash, old models."""
    workspace = opened(context, here)
    from imgsort.care.retention import apply_retention, plan_retention
    from imgsort.store import Store
    from imgsort.store.care import CareLog

    workspace.require_folders()
    now = datetime.now(UTC)
    with (
        Store.open(workspace.database, root=workspace.root) as store,
        CareLog(workspace.database, workspace.root) as log,
    ):
        plan = plan_retention(workspace, store, log, now)
        done = apply_retention(workspace, store, log, plan, now) if apply and plan else None
    if as_json:
        print_json({**plan.as_dict(), "applied": done and done.as_dict()})
    else:
        _tell_retention(plan, done)
    if not plan:
        raise typer.Exit(NothingToDo.exit_code)


def _tell_retention(plan: "Retention", done: "Gone | None") -> None:
    if not plan:
        typer.echo("Nothing is old enough to go, or [retention] in config.toml keeps it for ever.")
        return
    groups = (
        ("to the trash", [display(one.path) for one in plan.rejected]),
        ("to the trash", [f"model v{version}" for version in plan.models]),
        ("deleted", [display(one.path) for one in plan.deleted]),
        ("deleted", [display(path) for path in plan.deleted_models]),
        ("kept, a label stands on it", [display(path) for path in plan.kept]),
    )
    for what, names in groups:
        for name in names[:SHOWN]:
            typer.echo(f"{what}: {name}")
        if len(names) > SHOWN:
            typer.echo(f"{what}: and {len(names) - SHOWN:,} more")
    if done is None:
        typer.echo("Nothing went; `imgsort retention --apply` does it.")
        return
    for path, why in done.stayed:
        say(f"{path} stays: {why}.")
    typer.echo(
        f"{done.to_trash:,} files and {done.models:,} models went to the trash, {done.deleted:,} "
        f"files of the trash were deleted."
    )
