"""`retrain`: from corrections to a better model."""

import sys
from typing import TYPE_CHECKING, Annotated, Self

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import print_json
from imgsort.disk.closing import Closing
from imgsort.disk.display import display
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@app.command()
@reported
def retrain(
    context: typer.Context,
    augment: Annotated[
        int,
        typer.Option(
            help="Learn from so many altered views of each picture too (mirrored, turned, nearer).",
            min=0,
            max=32,
        ),
    ] = 0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Train though nothing changed; let it serve unproven."),
    ] = False,
    if_new_labels: Annotated[
        int, typer.Option(help="Do nothing unless there are so many new labels.", min=0)
    ] = 0,
    keep_imagenet: Annotated[
        bool,
        typer.Option(
            "--keep-imagenet", help="Go on telling ImageNet's names beside your own classes."
        ),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Learn from the labels; the new model serves if it is better than the present one."""
    workspace = opened(context, here)
    from imgsort.trainer.report import numbers, summary
    from imgsort.trainer.retrain import Options, retrain

    with _Bar() as bar:
        outcome = retrain(workspace, Options(augment, force, if_new_labels, keep_imagenet), bar)
    page = str(outcome.report / "index.html")
    if as_json:
        print_json({**numbers(outcome.findings, workspace.root), "report": page})
    else:
        for line in summary(outcome.findings, workspace.root):
            typer.echo(display(line))
        typer.echo(f"Report: {display(page)}")
    if not outcome.findings.promoted:
        raise typer.Exit(NothingToDo.exit_code)


class _Bar(Closing):
    """The steps of a training on a terminal; silent where nobody watches."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                *(TextColumn("{task.description}"), BarColumn()),
                *(TimeElapsedColumn(), TextColumn("so far,")),
                *(TimeRemainingColumn(), TextColumn("left")),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str) -> None:
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=None)

    def tell(self, sentence: str) -> None:
        if self._bar is None:
            say(sentence)
        else:
            self._bar.console.print(sentence, markup=False)

    def progress(self, done: int, total: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
