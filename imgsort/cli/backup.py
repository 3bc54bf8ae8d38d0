"""`backup`: a verified copy of the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display

if TYPE_CHECKING:
    pass


@app.command()
@reported
def backup(
    context: typer.Context,
    destination: Annotated[
        Path | None,
        typer.Argument(metavar="[DEST]", help="A folder, or a new file. Default: backup.folder."),
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Copy database, models and configuration into one verified file; a daemon may run."""
    workspace = opened(context, here)
    from imgsort.care.backup import back_up

    done = back_up(workspace, destination)
    if as_json:
        print_json(done.as_dict())
        return
    typer.echo(
        f"{display(done.path)}: {done.size / 1e6:,.1f} MB, "
        f"{counted(done.manifest.rows['arrivals'], 'log row')}, verified by unpacking it, in "
        f"{done.seconds:.1f} s. The pictures themselves are not in it."
    )
