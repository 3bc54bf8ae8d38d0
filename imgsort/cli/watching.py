"""`health`: is all well? For scripts, monitors and cron."""

from typing import Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported


@app.command()
@reported
def health(
    context: typer.Context,
    max_age: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="How old the daemon's last word may be.", min=1),
    ] = 30.0,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Exit 0 when a daemon runs and files; 1 with the reason in one sentence when not."""
    workspace = opened(context, here)
    from imgsort.cli.output import print_json
    from imgsort.daemon.health import read_status
    from imgsort.health import Unhealthy, facts_of, problems

    said = read_status(workspace.status_file)
    facts = facts_of(workspace, said)
    found = problems(facts, max_age)
    if as_json:
        state = (said or {}).get("state") if facts.pid is not None else None
        print_json(
            {"healthy": not found, "problems": found, "pid": facts.pid, "state": state}
            | {"age_seconds": None if facts.age is None else round(facts.age, 3)}
        )
    if found:
        raise Unhealthy(found[0])
    if not as_json:
        typer.echo(f"healthy: {(said or {}).get('state')}, pid {facts.pid}")
