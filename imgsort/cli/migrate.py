"""`migrate`: bring the database to this version."""

from typing import TYPE_CHECKING

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json

if TYPE_CHECKING:
    pass


@app.command()
@reported
def migrate(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Bring the database to this program's schema; a snapshot is kept first."""
    from imgsort.store import schema

    workspace = opened(context, here)
    with workspace.daemon_lock():
        done = schema.migrate(workspace.database)
    if as_json:
        print_json(
            {
                "from": done.before,
                "to": done.after,
                "snapshot": done.snapshot and str(done.snapshot),
            }
        )
    elif done.before == done.after:
        typer.echo(f"The database is at revision {done.after} already.")
    else:
        kept = f"; the old one is kept as {done.snapshot}" if done.snapshot else ""
        typer.echo(f"The database went from revision {done.before} to {done.after}{kept}.")
