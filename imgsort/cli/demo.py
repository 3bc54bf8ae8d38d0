"""`demo`: see for yourself."""

from pathlib import Path
from typing import Annotated

import typer

from imgsort.cli.app import Json, app, reported, say
from imgsort.cli.output import print_json, print_table


@app.command()
@reported
def demo(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Your own pictures instead; they are copied.", show_default=False
        ),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names to sort them into.", show_default=False)
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="efficientnet-lite0 works offline.")
    ] = "efficientnet-lite0",
    as_json: Json = False,
) -> None:
    """A throw-away workspace with real photographs, sorted before your eyes."""
    from imgsort.daemon import demo as showing

    shown = showing.demo(source, classes, backbone, say)
    if as_json:
        print_json(shown.as_dict())
        return
    print_table(("picture", "seen as", "confidence", "went to", "why"), shown.rows())
    for line in shown.lines():
        typer.echo(line)
