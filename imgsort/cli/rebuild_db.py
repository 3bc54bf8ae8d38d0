"""`rebuild-db`: a new log from the folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display

if TYPE_CHECKING:
    pass


@app.command("rebuild-db")
@reported
def rebuild_db(
    context: typer.Context,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the database is sound.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make a new database from the folders, where there is no backup to restore."""
    workspace = opened(context, here)
    from imgsort.care.rebuild import LOST, rebuild

    done = rebuild(workspace, force=force)
    if as_json:
        print_json(done.as_dict())
        return
    typer.echo(
        f"A new log of {counted(done.refound.found, 'picture')} in "
        f"{counted(done.classes, 'class') if done.classes == 1 else f'{done.classes:,} classes'}."
    )
    typer.echo("What it can't know any more:")
    for lost in LOST:
        typer.echo(f"  {lost}")
    if not done.models:
        say(
            "There is no model left either: without a backup, make a new workspace with "
            "`imgsort init` and `imgsort import` the class folders of this one."
        )
    if done.aside is not None:
        typer.echo(f"The old database is in {display(done.aside)}.")
