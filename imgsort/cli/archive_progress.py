"""How far a backfill has come, on a terminal and in a log."""

import time
from typing import TYPE_CHECKING

from imgsort.cli.app import say
from imgsort.cli.terminal_bar import TerminalBar

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_SAY_SECONDS = 60.0


class Bar(TerminalBar):
    """How a run gets on: a bar on a terminal, else a line a minute on stderr."""

    def __init__(self, quiet: bool, what: str = "judging") -> None:
        super().__init__()
        self._quiet, self._what = quiet, what
        self._pictures = self._done = self._before = 0
        self._began = self._said = time.monotonic()

    def columns(self) -> "tuple[ProgressColumn, ...]":
        from rich.progress import TextColumn

        return *super().columns(), TextColumn("{task.fields[told]}")

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
