"""`run`: the daemon."""

from dataclasses import replace
from typing import Annotated

import typer

from imgsort.cli.app import INTERRUPTED, Here, Json, app, opened, reported
from imgsort.workspace.workspace import Workspace


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
    from imgsort.daemon.service import run as service

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
