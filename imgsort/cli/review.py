"""`review`: the page in the browser."""

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
    from imgsort.review.opening import NoBrowser, open_browser
    from imgsort.review.running import another_link
    from imgsort.review.server import serve

    def ready(address: str) -> None:
        typer.echo(address)
        if open_it:
            try:
                open_browser(address, workspace.state)
            except NoBrowser as problem:
                say(str(problem))

    if link:
        ready(another_link(workspace))
    else:
        serve(workspace, port or workspace.config.review.port, ready)
