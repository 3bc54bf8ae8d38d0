"""`classify`: what would be decided."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import print_json, print_table, progress
from imgsort.errors import ImgsortError, NothingToDo

if TYPE_CHECKING:
    pass


@app.command()
@reported
def classify(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", show_default=False)
    ],
    top_k: Annotated[
        int | None, typer.Option("--top-k", help="How many classes to show.", min=1, max=1000)
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(help="Write the one picture here as PNG, label and scores drawn on it."),
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Predict pictures without moving or recording anything."""
    workspace = opened(context, here)
    from imgsort.models import classify as classifying

    files = classifying.pictures_in(paths, workspace.config.decode.suffixes)
    if annotate is not None and len(files) != 1:
        raise ImgsortError(
            f"--annotate draws on one picture, but {len(files)} are named; name one."
        )
    if annotate is not None:
        classifying.refuse_target(annotate, files[0])
    if not files:
        if as_json:
            print_json([])
        raise NothingToDo("There is no picture in what was named; name a picture or its folder.")
    results = []
    for result in progress(
        classifying.classify(workspace, files, top_k), len(files), "classifying"
    ):
        results.append(result)
        if result.verdict is None and result.reason is not None:
            say(f"{result.path}: {result.reason.sentence}.")
    if annotate is not None and results[0].verdict is not None:
        config = workspace.config.decode
        classifying.draw(results[0].path, results[0].verdict, annotate, config)
    if as_json:
        print_json([result.as_dict() for result in results])
    else:
        headings = ("image", "label", "confidence", "decision", "best")
        print_table(headings, (result.cells() for result in results))
    if results and all(result.verdict is None for result in results):
        raise typer.Exit(1)
