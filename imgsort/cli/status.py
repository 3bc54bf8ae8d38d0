"""`status`: what lies where, and what the daemon is doing."""

import typer

from imgsort.cli.app import Here, Json, app, at_once, opened, reported


@app.command()
@reported
def status(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Is the daemon alive, what waits, which model, how much disk, what went wrong last?"""
    at_once()
    from imgsort.care.heartbeat import read_status
    from imgsort.care.status import status_of
    from imgsort.cli.output import print_json, print_pairs

    workspace = opened(context, here)
    state = status_of(workspace, read_status(workspace.status_file))
    if as_json:
        print_json(state.as_dict())
    else:
        print_pairs(state.lines())
