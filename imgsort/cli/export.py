"""`export`: labels for another workspace."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json
from imgsort.errors import ImgsortError

if TYPE_CHECKING:
    pass


@app.command()
@reported
def export(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of to stdout.")
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Print every label as CSV by content; `label --from-csv` reads it in another workspace."""
    workspace = opened(context, here)
    from dataclasses import asdict

    from imgsort.labels.csv_write import exported, write_labels
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        labels = list(exported(store))
    if as_json:
        print_json([asdict(one) for one in labels])
        return
    if output is None:
        write_labels(labels, sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            write_labels(labels, file)
    except OSError as problem:
        raise ImgsortError(
            f"{output} can't be written ({problem.strerror}); name another file."
        ) from None
    typer.echo(f"{len(labels):,} labels written to {output}.")
