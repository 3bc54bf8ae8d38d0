"""A bar on a terminal; nothing where nobody watches."""

import sys
from typing import TYPE_CHECKING, Self

from imgsort.cli.app import say
from imgsort.disk.closing import Closing
from imgsort.disk.display import display

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID


class TerminalBar(Closing):
    """What a command that takes long shows of itself; ``columns`` say what."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            console = Console(stderr=True)
            self._bar = Progress(*self.columns(), console=console, transient=True)
            self._bar.start()
        return self

    def columns(self) -> "tuple[ProgressColumn, ...]":
        """From left to right; only asked for on a terminal."""
        from rich.progress import BarColumn, TextColumn

        return TextColumn("{task.description}"), BarColumn()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, sentence: str) -> None:
        """Above the bar, or on stderr without one."""
        if self._bar is None:
            say(sentence)
        else:
            self._bar.console.print(display(sentence), markup=False)
