"""`run` and `status`: the daemon, and what it is doing."""

from dataclasses import replace
from typing import Annotated

import typer

from imgsort.cli.app import INTERRUPTED, Here, Json, app, at_once, opened, reported
from imgsort.workspace import Workspace


@app.command()
@reported
def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Empty the inbox, then exit.")] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Say nothing but what went wrong or wants a look: for cron."),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Watch the inbox and file what arrives, until Ctrl-C or SIGTERM."""
    workspace = opened(context, here)
    from imgsort.daemon import service

    if quiet:
        workspace = _quiet(workspace)
    summary = service.run(workspace, once=once)
    from imgsort.cli.output import print_json

    if as_json:
        print_json(summary.as_dict())
    elif not quiet:
        typer.echo(str(summary))
    if summary.interrupted:
        raise typer.Exit(INTERRUPTED)


def _quiet(workspace: Workspace) -> Workspace:
    """The same that logs warnings and errors only."""
    config = workspace.config
    if config.log.level == "error":
        return workspace
    log = config.log.model_copy(update={"level": "warning"})
    return replace(workspace, config=config.model_copy(update={"log": log}))


@app.command()
@reported
def status(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Is the daemon alive, what waits, which model, how much disk, what went wrong last?"""
    at_once()
    from imgsort.cli.output import print_json, print_pairs
    from imgsort.daemon.health import read_status
    from imgsort.status import status_of

    workspace = opened(context, here)
    state = status_of(workspace, read_status(workspace.status_file))
    if as_json:
        print_json(state.as_dict())
    else:
        print_pairs(state.lines())
