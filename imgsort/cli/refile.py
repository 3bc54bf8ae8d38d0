"""`refile`: bring pictures in line with a new model."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import decoding, print_json
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    from imgsort.filing.errand import Applied
    from imgsort.labels.refile import Refiling
from imgsort.cli.moved import applied_dict, print_flows, tell_done, tell_seen


@app.command()
@reported
def refile(
    context: typer.Context,
    apply: Annotated[
        bool, typer.Option("--apply", help="Move them; without it nothing moves.")
    ] = False,
    to_unsure: Annotated[
        bool,
        typer.Option("--to-unsure", help="Also take out what this model is not sure of."),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """What the active model would move among pictures that nobody has confirmed."""
    workspace = opened(context, here)
    from imgsort.labels import refile as refiling
    from imgsort.models.serving import open_serving
    from imgsort.store import Store

    workspace.require_folders()
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store, idle=True)
        with decoding() as progress:
            plan = refiling.plan_refile(
                workspace, store, serving, to_unsure=to_unsure, progress=progress
            )
        tell_seen(plan.seen)
        done = None
        if apply and plan.goings:
            done = refiling.apply_refile(workspace, store, serving, plan)
    if as_json:
        print_json({**plan.as_dict(), "applied": done and applied_dict(done)})
    else:
        _tell_refile(plan, done, to_unsure=to_unsure)
    if not plan.goings:
        raise typer.Exit(NothingToDo.exit_code)


def _tell_refile(plan: "Refiling", done: "Applied | None", *, to_unsure: bool) -> None:
    print_flows(plan.flows())
    if plan.doubted and not to_unsure:
        say(f"Of {plan.doubted:,} filed pictures this model is not sure; --to-unsure moves them.")
    if plan.unread:
        say(f"{len(plan.unread):,} pictures could not be opened; they stay where they are.")
    if done is not None:
        tell_done(done)
    elif plan.goings:
        typer.echo(
            f"Model v{plan.model} would move {len(plan.goings):,} of {plan.looked_at:,} pictures "
            f"that nobody has confirmed; `imgsort refile --apply` does it."
        )
    else:
        typer.echo(f"Model v{plan.model} would leave all {plan.looked_at:,} where they are.")
