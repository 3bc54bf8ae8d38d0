"""Results on stdout: JSON for scripts, tables for people."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.cells import cell_len

from imgsort.disk.display import UNSAFE, display

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")


def ascii_only() -> bool:
    """Whether stdout can't be trusted with every letter: JSON has escapes for those."""
    return sys.stdout.encoding.lower() not in {"utf-8", "utf8"}


def print_json(value: Any) -> None:
    """One JSON value, readable, keys in the order given."""
    typer.echo(_inert(json.dumps(value, ensure_ascii=ascii_only(), indent=2)))


def _inert(text: str) -> str:
    """JSON of the same meaning with nothing in it that a terminal would obey."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        each if each == "\n" or unicodedata.category(each) not in UNSAFE else _escape(each)
        for each in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else json.dumps(character)[1:-1]


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that is as wide as the terminal; piped, each row stays on one line."""
    cells = [["" if cell is None else display(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        typer.echo("\n".join(_aligned([list(headings), *cells])))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")  # a long path goes on below, and isn't cut
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with their columns below each other, and nothing after the last word."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """One fact a line: its name, then its value."""
    listed = [(name, display(_plain(value))) for name, value in pairs]
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        typer.echo(f"{name:<{width}}  {value}".rstrip())


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def local(moment: datetime) -> str:
    """As the clock on the wall shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The same items, with a bar on stderr while a person watches; silent in a pipe."""
    if not sys.stderr.isatty():
        yield from items
        return
    with _bar(what, disable=False) as bar:
        yield from bar.track(items, total=total)


@contextmanager
def decoding() -> Iterator[Callable[[int, int], None]]:
    """A bar of pictures opened, on stderr while a person watches; it comes with the first one."""
    with _bar("opening pictures", disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _bar(what: str, *, disable: bool) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True, disable=disable,
    )  # fmt: skip
