"""The log as a spreadsheet: text stays text, times are dates, and nothing is a formula."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from imgsort.errors import ImgsortError
from imgsort.records.log import COLUMNS, LogRow

MOST_ROWS = 1_048_575
"""What a sheet of .xlsx holds below its headings."""
_IN_UTC = frozenset({"arrived_at", "predicted_at", "filed_at", "missing_at"})
_AS_TEXT = frozenset({"id"})
_WIDTHS = {"name": 24, "path": 40, "reason": 32, "subfolder": 18, "camera": 18}
_USUAL_WIDTH = 14
_TIME_WIDTH = 20


def write_xlsx(rows: Iterable[LogRow], path: Path) -> int:
    """The rows as an .xlsx, its times in UTC where their headings say so; how many rows they were.

    Raises ImgsortError for more rows than a sheet holds, OSError where nothing can be written.
    """
    import xlsxwriter

    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file, xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            count = _filled(book, rows, path)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _filled(book: Any, rows: Iterable[LogRow], path: Path) -> int:
    sheet = book.add_worksheet("log")
    bold = book.add_format({"bold": True})
    times = {
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for place, column in enumerate(COLUMNS):
        timely = column.endswith("_at")
        sheet.set_column(place, place, _TIME_WIDTH if timely else _WIDTHS.get(column, _USUAL_WIDTH))
        sheet.write_string(0, place, f"{column} (UTC)" if column in _IN_UTC else column, bold)
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:A{MOST_ROWS + 1}"})
    count = 0
    for count, row in enumerate(rows, 1):
        if count > MOST_ROWS:
            raise ImgsortError(
                f"{path} would have more than the {MOST_ROWS:,} rows that a spreadsheet holds; "
                f"narrow it down with --since or --limit, or take --format csv."
            )
        for place, field in enumerate(fields(row)):
            _write(sheet, (count, place), field.name, getattr(row, field.name), times)
    sheet.autofilter(0, 0, count, len(COLUMNS) - 1)
    return count


def _write(sheet: Any, at: tuple[int, int], column: str, value: object, times: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value)
    elif isinstance(value, int | float) and column not in _AS_TEXT:
        sheet.write_number(*at, value)
    elif column.endswith("_at") and (moment := _moment(str(value))) is not None:
        sheet.write_datetime(*at, moment, times["moment" if "T" in str(value) else "day"])
    else:
        sheet.write_string(*at, str(value))


def _moment(text: str) -> datetime | None:
    """Without its zone, which a sheet has none for; None for what it can't hold as a date."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.date() > date(1900, 3, 1) else None
