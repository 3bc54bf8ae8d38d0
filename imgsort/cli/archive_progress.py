"""How far a backfill has come, on a terminal and in a log."""

import sys
import time
from typing import TYPE_CHECKING, Self

from imgsort.cli.app import say
from imgsort.disk.closing import Closing
from imgsort.disk.display import display

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SAY_SECONDS = 60.0


class Bar(Closing):
    """How a run gets on: a bar on a terminal, else a line a minute on stderr."""

    def __init__(self, quiet: bool, what: str = "judging") -> None:
        self._quiet, self._what = quiet, what
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._pictures = self._done = self._before = 0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                *(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def listed(self, pictures: int) -> None:
        """So many pictures have been found."""
        self._show(None, "listing", f"{pictures:,} pictures")

    def begins(self, done: int, pictures: int) -> None:
        self._before = self._done = done
        self._pictures = pictures
        self._began = self._said = time.monotonic()

    def judged(self, pictures: int) -> None:
        from imgsort.backfill.pace import JobPace

        self._done += pictures
        seconds = time.monotonic() - self._began
        pace = JobPace(self._done, self._pictures, self._done - self._before, seconds)
        self._show(self._done, self._what, pace.in_words())

    def say(self, sentence: str) -> None:
        if self._bar is None:
            say(sentence)
        else:
            self._bar.console.print(display(sentence), markup=False)

    def _show(self, done: int | None, what: str, told: str) -> None:
        now = time.monotonic()
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(what, told="")
            total = self._pictures or None
            self._bar.update(
                self._task, description=what, total=total, completed=done or 0, told=told
            )
        elif not self._quiet and now - self._said >= _SAY_SECONDS:
            self._said = now
            say(f"{what}: {told}")
