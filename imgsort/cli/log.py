"""`log`: what was decided."""

import shutil
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from imgsort.cli.app import Here, Json, app, at_once, opened, reported, say, version_number
from imgsort.cli.log_files import written
from imgsort.cli.output import ascii_only, print_table
from imgsort.disk.display import display
from imgsort.errors import ImgsortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgsort.records.log import LogRow
    from imgsort.store import Store


NEWEST = 50
"""Rows of a table, unless told otherwise. CSV and JSON are for programs, which want them all."""


@app.command()
@reported
def log(
    context: typer.Context,
    label: Annotated[str | None, typer.Option(help="Only this class.")] = None,
    below: Annotated[
        float | None, typer.Option(help="Only confidence below this.", min=0, max=1)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only arrivals since 2026-11-22, 2026-11-22T08:00, 30m, 24h or 7d."),
    ] = None,
    model: Annotated[
        int | None,
        typer.Option(help="Only this model version.", parser=version_number, metavar="V"),
    ] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="Only what went to unsure/.")] = False,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Only where a human said otherwise.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            help="At most so many, newest first; 0 for all. Default: 50 in a table, else all.",
            min=0,
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Literal["table", "json", "csv", "xlsx", "camtrap-dp"],
        typer.Option("--format", help="How to print; xlsx and camtrap-dp need --output."),
    ] = "table",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file instead; for camtrap-dp: to this folder."
        ),
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Query the prediction log, newest first."""
    at_once()
    workspace = opened(context, here)
    from imgsort.disk.composed import composed
    from imgsort.records import log as logquery
    from imgsort.store import Store

    form = "json" if as_json else form
    is_table = form == "table"
    _require_output(form, output)
    most = NEWEST if limit is None and is_table else limit or None
    wanted = logquery.LogFilter(
        label=label and composed(label),
        below=below,
        since=None if since is None else logquery.parse_since(since, datetime.now().astimezone()),
        model=model,
        unsure=unsure,
        corrected=corrected,
        limit=most,
    )
    with Store.open(workspace.database, root=workspace.root) as store:
        if label is not None:
            _require_class(store, label)
        if is_table:
            more = None if most is None else most + 1
            found = list(store.log.rows(replace(wanted, limit=more)))
            _print_log(found if most is None else found[:most])
            if limit is None and len(found) > NEWEST:
                say(f"These are the newest {NEWEST}; --limit 0 shows all.")
        elif output is not None:
            say(written(workspace, store, wanted, form, output))
        elif form == "json":
            logquery.write_json(store.log.rows(wanted), sys.stdout, ascii_only=ascii_only())
        else:
            logquery.write_csv(store.log.rows(wanted), sys.stdout)


def _require_output(form: str, output: Path | None) -> None:
    if form == "table" and output is not None:
        raise ImgsortError(
            f"--output is for --format csv, json, xlsx or camtrap-dp; name one of them to write "
            f"{output}."
        )
    if form in {"xlsx", "camtrap-dp"} and output is None:
        example = "log.xlsx" if form == "xlsx" else "package"
        raise ImgsortError(f"--format {form} is no text; say where to with --output {example}.")


def _require_class(store: "Store", name: str) -> None:
    closest = store.log.class_named(name)
    if closest is None:
        return
    if closest:
        raise ImgsortError(
            f"There is no class {display(name)}, but there is {display(closest)}; name that, or "
            f"see `imgsort classes`."
        )
    raise ImgsortError(
        f"There is no class {display(name)}; `imgsort classes` lists those there are."
    )


def _print_log(rows: "Sequence[LogRow]") -> None:
    """Piped, one line a row."""
    from imgsort.cli.log_lines import HEADINGS, cells, lines

    if not sys.stdout.isatty():
        print_table(HEADINGS, (cells(row) for row in rows))
        return
    today, width = datetime.now().astimezone(), shutil.get_terminal_size().columns
    for row in rows:
        for line in lines(row, today, width):
            typer.echo(display(line))
