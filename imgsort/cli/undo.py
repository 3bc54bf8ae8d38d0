"""`undo`: take moves and words back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    from imgsort.filing.errand import Applied
    from imgsort.labels.undo import Undoing
from imgsort.cli.moved import applied_dict, print_flows, print_list, tell_done, tell_seen


@app.command()
@reported
def undo(
    context: typer.Context,
    run: Annotated[
        int | None,
        typer.Option(help="Moves of this run; of an undo too.", min=1, show_default=False),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Moves of the newest run that still has some.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(help="Moves since 2026-11-22, 2026-11-22T08:00, 30m, 24h or 7d."),
    ] = None,
    model: Annotated[
        int | None, typer.Option(help="Moves by this model version.", min=1, show_default=False)
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="Pictures in this file or folder.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell.")] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Put pictures and labels back; what somebody moved or labelled since stays."""
    if run is not None and last:
        raise typer.BadParameter("--run and --last each name a run; give one of them.")
    if not (run or last or since or model or path):
        raise typer.BadParameter(
            "say what to take back: --last, --run, --since, --model or --path."
        )
    workspace = opened(context, here)
    from imgsort.labels import undo as undoing
    from imgsort.records.log import parse_since
    from imgsort.store import Store

    workspace.require_folders()
    moment = None if since is None else parse_since(since, datetime.now().astimezone())
    chosen = undoing.Selection(run, last, moment, model, path)
    done = None
    with Store.open(workspace.database, root=workspace.root) as store:
        plan = undoing.plan_undo(workspace, store, chosen)
        tell_seen(plan.seen)
        if plan and not dry_run:
            done = undoing.apply_undo(workspace, store, plan)
    if as_json:
        print_json({**plan.as_dict(), "applied": done and applied_dict(done)})
    else:
        _tell_undo(plan, done)
    if not plan:
        raise typer.Exit(NothingToDo.exit_code)


def _tell_undo(plan: "Undoing", done: "Applied | None") -> None:
    if plan.run is not None:
        started = plan.run.started_at.astimezone()
        say(f"Run {plan.run.id} ({plan.run.kind}) of {started:%Y-%m-%d %H:%M}.")
    print_flows(plan.flows())
    print_list([f"{display(str(one.path))} stays: {one.reason}." for one in plan.stays])
    for change in plan.classes:
        typer.echo(f"{display(change.back().said())}.")
    for reason in done.classes_kept if done else ():
        say(f"What was done to classes is not taken back: {reason}.")
    if done is None:
        would = "would be put back" if plan.takes_back else "can be put back"
        typer.echo(f"{len(plan.takes_back):,} pictures {would}, {len(plan.stays):,} stay.")
        _tell_words(plan, would=True)
        return
    _tell_words(plan)
    tell_done(done)
    if plan.unfiles:
        typer.echo(
            "Those in the inbox are filed anew by the next `imgsort run`, by the model and the "
            "settings of then: change those first if they were why."
        )


def _tell_words(plan: "Undoing", *, would: bool = False) -> None:
    if plan.words:
        what = "said again" if plan.kind == "redo" else "taken back"
        typer.echo(f"{counted(plan.words, 'label')} {'would be ' if would else ''}{what}.")
