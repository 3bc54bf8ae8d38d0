"""Results on stdout: JSON for scripts, tables for people."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

T = TypeVar("T")


def shown(value: str | bytes) -> str:
    """Text that is safe to print: bytes that are no UTF-8, and control characters, are escaped."""
    text = os.fsencode(value).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_json(value: Any) -> None:
    """One JSON value, readable, keys in the order given."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that is as wide as the terminal; piped, each row stays on one line."""
    wide = not sys.stdout.isatty()
    console = Console(width=10_000 if wide else None, highlight=False)
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else shown(str(cell))) for cell in row))
    console.print(table, soft_wrap=wide)


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """One fact a line: its name, then its value."""
    listed = [(name, shown(str(value))) for name, value in pairs]
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        typer.echo(f"{name:<{width}}  {value}")


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The same items, with a bar on stderr while a person watches; silent in a pipe."""
    if not sys.stderr.isatty():
        yield from items
        return
    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        yield from bar.track(items, total=total)


@contextmanager
def decoding() -> Iterator[Callable[[int, int], None]]:
    """A bar of pictures opened, on stderr while a person watches; it comes with the first one."""
    with Progress(
        TextColumn("opening pictures"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        task = bar.add_task("", visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
