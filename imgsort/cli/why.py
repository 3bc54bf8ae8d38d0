"""`why`: what is behind one picture."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json, print_pairs, print_table
from imgsort.disk.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imgsort.care.why import Why
    from imgsort.records.history import Move


@app.command()
@reported
def why(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="PATH_OR_ID", help="A path, an id of the log, a hash or its beginning, a name."
        ),
    ],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Everything about one picture: model, threshold, alikes, every move and every label."""
    workspace = opened(context, here)
    from imgsort.care import why as explaining
    from imgsort.models.serving import open_serving
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store, idle=True)
        answer = explaining.why(workspace, store, serving, name)
    if as_json:
        print_json(answer.as_dict())
        return
    print_pairs(_facts(answer))
    _sections(answer)


def _facts(answer: "Why") -> "Iterator[tuple[str, object]]":
    row = answer.row
    yield "picture", row.path
    yield "id", row.id
    yield "dropped as", row.name
    yield "content", row.sha256
    yield "decision", row.decision if row.reason is None else f"{row.decision}: {row.reason}"
    yield "you say", row.human_label or "nothing"
    if answer.decided is not None:
        yield "model", answer.decided.line()
        yield "top", answer.decided.top()
    if answer.now is not None:
        yield "active model", answer.now.line()
        yield "top", answer.now.top()
    for note in answer.notes:
        yield "note", note


def _sections(answer: "Why") -> None:
    if answer.neighbours:
        typer.echo("\nNearest labelled pictures")
        print_table(
            ("label", "cosine", "picture"),
            ((one.label, f"{one.cosine:.3f}", one.path or one.sha256) for one in answer.neighbours),
        )
    if answer.moves:
        typer.echo("\nMoves")
        _print_moves(answer.moves)
    if answer.labels:
        typer.echo("\nLabels")
        print_table(
            ("when", "what", "by"),
            (
                (
                    _local(one.labelled_at),
                    display(one.class_name or one.kind),
                    f"{one.source}, taken back" if one.taken_back else one.source,
                )
                for one in answer.labels
            ),
        )


def _print_moves(moves: "Sequence[Move]") -> None:
    """On a terminal each path has a line, so that none is cut."""
    if not sys.stdout.isatty():
        print_table(
            ("when", "run", "why", "from", "to"),
            ((_local(one.done_at), one.run_id, one.said, one.source, one.target) for one in moves),
        )
        return
    for one in moves:
        typer.echo(f"{_local(one.done_at)}  run {one.run_id}  {one.said}")
        typer.echo(f"  from {display(one.source)}")
        typer.echo(f"  to   {display(one.target)}")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
