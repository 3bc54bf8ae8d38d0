"""`retrain`: from corrections to a better model."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json
from imgsort.cli.terminal_bar import TerminalBar
from imgsort.disk.display import display
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


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


class _Bar(TerminalBar):
    """The steps of a training."""

    def columns(self) -> "tuple[ProgressColumn, ...]":
        from rich.progress import TextColumn, TimeElapsedColumn, TimeRemainingColumn

        return (
            *super().columns(),
            *(TimeElapsedColumn(), TextColumn("so far,")),
            *(TimeRemainingColumn(), TextColumn("left")),
        )

    def stage(self, name: str) -> None:
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=None)

    def progress(self, done: int, total: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
