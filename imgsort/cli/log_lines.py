"""The log for people: on a terminal two lines a picture, none wider than need be."""

from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len

from imgsort.records.log import LogRow

WIDTH = 80
HEADINGS = ("id", "when", "label", "confidence", "decision", "path", "reason")


def cells(row: LogRow) -> tuple[object, ...]:
    """One line of a table; times are local."""
    confidence = "" if row.confidence is None else f"{row.confidence:.2f}"
    when = f"{_local(row):%Y-%m-%d %H:%M:%S}"
    return row.id, when, row.label, confidence, _decision(row), row.path, row.reason


def lines(row: LogRow, today: datetime, width: int) -> Iterator[str]:
    """The same below each other: what was decided, then the whole path."""
    moment = _local(row)
    when = f"{moment:%d %b %H:%M}" if moment.year == today.year else f"{moment:%d %b %Y}"
    said = "" if row.label is None else f"{row.label} {row.confidence or 0:.2f}  "
    first = f"{row.id:>6}  {when:<12}  {said}{_decision(row)}"
    if row.reason is None:
        yield first
    elif cell_len(first) + cell_len(row.reason) + 2 <= width:
        yield f"{first}: {row.reason}"
    else:
        yield first
        yield f"        {row.reason}"
    yield f"        {row.path}"


def _local(row: LogRow) -> datetime:
    return datetime.fromisoformat(row.filed_at or row.arrived_at).astimezone()


def _decision(row: LogRow) -> str:
    said = "" if row.human_label is None else f", you said {row.human_label}"
    return f"{row.decision}{said}{', gone' if row.missing_at else ''}"
