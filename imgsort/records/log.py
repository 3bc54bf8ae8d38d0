"""What `imgsort log` asks for, and the forms it answers in for other programs."""

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TextIO

from imgsort.errors import BadSince

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_AGO = re.compile(r"(\d+)\s*(m|min|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions that must all hold. ``limit`` None means every row."""

    label: str | None = None
    below: float | None = None
    since: datetime | None = None
    model: int | None = None
    unsure: bool = False
    corrected: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the view ``prediction_log``, field by column. Times are ISO 8601 UTC text."""

    id: int
    name: str
    path: str
    sha256: str
    label: str | None
    confidence: float | None
    decision: str
    reason: str | None
    model: int | None
    arrived_at: str
    predicted_at: str | None
    filed_at: str
    human_label: str | None
    is_correct: bool | None
    subfolder: str = ""
    captured_at: str | None = None
    camera: str | None = None
    final_label: str | None = None
    missing_at: str | None = None
    reason_code: str | None = None
    precision: str | None = None


COLUMNS = tuple(field.name for field in fields(LogRow))


def parse_since(text: str, now: datetime) -> datetime:
    """``2026-11-22``, ``2026-11-22T18:30`` in ``now``'s zone; or ``30m``, ``24h``, ``7d`` ago."""
    if ago := _AGO.fullmatch(text.strip()):
        span = {_UNITS[ago[2].lower()]: int(ago[1])}
        try:
            return now - timedelta(**span)
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadSince(
            f"--since {text!r} is no time; give a date such as 2026-11-22, a time such as "
            f"2026-11-22T18:30, or 30m, 24h, 7d."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def write_json(rows: Iterable[LogRow], out: TextIO, *, ascii_only: bool = False) -> None:
    """A JSON list with one object a row, a row a line, written as the rows come.

    ``ascii_only`` is for an ``out`` that isn't UTF-8.
    """
    out.write("[")
    separator = "\n"
    for row in rows:
        out.write(separator + json.dumps(asdict(row), ensure_ascii=ascii_only))
        separator = ",\n"
    out.write("]\n" if separator == "\n" else "\n]\n")


def write_csv(rows: Iterable[LogRow], out: TextIO) -> None:
    """CSV (RFC 4180) with a header. Open ``out`` with newline="". Unknown values are empty."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(getattr(row, column)) for column in COLUMNS])


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return harmless(value) if isinstance(value, str) else value


def harmless(text: str) -> str:
    """Text that a spreadsheet won't run as a formula: it gets ``'`` before = + - @ tab CR or LF.

    Text that has such quotes already gets one more, so that ``original`` can undo every case.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def original(cell: str) -> str:
    """What ``harmless`` made the cell from."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
