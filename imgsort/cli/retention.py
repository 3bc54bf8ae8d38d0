"""`retention`: what may go, and when."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import print_json
from imgsort.disk.display import display
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    from imgsort.care.retention import Gone, RetentionPlan


SHOWN = 20


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


def _tell_retention(plan: "RetentionPlan", done: "Gone | None") -> None:
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
