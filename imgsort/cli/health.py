"""`health`: is all well? For scripts, monitors and cron."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.care.heartbeat import STALE_SECONDS
from imgsort.cli.app import Here, Json, app, opened, reported

if TYPE_CHECKING:
    from imgsort.workspace.workspace import Workspace


@app.command()
@reported
def health(
    context: typer.Context,
    max_age: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="How old the daemon's last word may be.", min=1),
    ] = STALE_SECONDS,
    drift: Annotated[
        bool, typer.Option("--drift", help="Also 1 when the pictures are not like before.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Exit 0 when a daemon runs and files; 1 with the reason in one sentence when not."""
    workspace = opened(context, here)
    from imgsort.care.health import Unhealthy, facts_of, problems
    from imgsort.care.heartbeat import read_status
    from imgsort.cli.output import print_json

    said = read_status(workspace.status_file)
    facts = facts_of(workspace, said)
    found = problems(facts, max_age)
    if drift and not found:
        found += _drift(workspace)
    if as_json:
        state = said.state if said and facts.pid is not None else None
        print_json(
            {"healthy": not found, "problems": found, "pid": facts.pid, "state": state}
            | {"age_seconds": None if facts.age is None else round(facts.age, 3)}
        )
    if found:
        raise Unhealthy(found[0])
    if not as_json:
        typer.echo(f"healthy: {said and said.state}, pid {facts.pid}")


def _drift(workspace: "Workspace") -> list[str]:
    """The signs that can't be chance, a sentence each."""
    from imgsort.care.drift import drift_of
    from imgsort.models.serving import active_card
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as reader:
        return list(drift_of(reader, active_card(workspace)).notable)
