"""`review`: the page in the browser."""

import sys
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from imgsort.cli.app import Here, app, opened, reported, say


@app.command()
@reported
def review(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Of 127.0.0.1; default: review.port, or a free one.",
            min=1,
            max=65535,
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Only print another link to the page that runs.")
    ] = False,
    here: Here = None,
) -> None:
    """Go through pictures in the browser, by key, until Ctrl-C."""
    workspace = opened(context, here)
    from imgsort.review.running import PageRuns, another_link
    from imgsort.review.server import serve

    def ready(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        if sys.stderr.isatty():
            say("It opens the page once, within five minutes. Ctrl-C ends the page.")
        if open_it:
            # A browser of the terminal keeps who opens it waiting, and the page with it.
            Thread(target=_opened_in_browser, args=(address, workspace.state), daemon=True).start()

    if link:
        ready(another_link(workspace))
        return
    try:
        serve(workspace, port or workspace.config.review.port, ready)
    except PageRuns as problem:
        say(f"{problem} This is another link to it:")
        ready(another_link(workspace))


def _opened_in_browser(address: str, folder: Path) -> None:
    from imgsort.review.opening import NoBrowser, open_browser

    try:
        open_browser(address, folder)
    except NoBrowser as problem:
        say(str(problem))
