"""What `imgsort log` accepts, and what other programs get from it."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.errors import BadSince
from imgsort.records.log import (
    COLUMNS,
    LogRow,
    harmless,
    original,
    parse_since,
    write_csv,
    write_json,
)

ROW = LogRow(
    id=7,
    name="=cmd|' /C calc'!A0.jpg",
    path="sorted/cat/=cmd|' /C calc'!A0.jpg",
    sha256="ab" * 32,
    label="cat",
    confidence=0.925,
    decision="filed",
    reason=None,
    model=1,
    arrived_at="2026-11-22T18:30:00.123Z",
    predicted_at="2026-11-22T18:30:00.456Z",
    filed_at="2026-11-22T18:30:00.789Z",
    human_label="dog",
    is_correct=False,
    subfolder="north/7",
    captured_at="2026-11-22T05:30:00",
    camera="Canon EOS R5",
    final_label="dog",
    missing_at=None,
)
BERLIN = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=BERLIN)),
        ("2026-11-20T18:30", datetime(2026, 11, 20, 18, 30, tzinfo=BERLIN)),
        ("2026-11-20 18:30:15", datetime(2026, 11, 20, 18, 30, 15, tzinfo=BERLIN)),
        ("2026-11-20T18:30Z", datetime(2026, 11, 20, 18, 30, tzinfo=UTC)),
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("2 w", NOW - timedelta(weeks=2)),
        ("9999999999d", datetime.min.replace(tzinfo=UTC)),
        ("9999999d", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_since_is_a_date_a_time_or_a_while_ago(text: str, expected: datetime) -> None:
    """Dates are in the user's own time zone unless they name one."""
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "2026-13-01", "1.5h"])
def test_since_that_means_nothing_is_refused(text: str) -> None:
    """The message shows the three forms there are."""
    with pytest.raises(BadSince) as told:
        parse_since(text, NOW)
    assert str(told.value) == (
        f"--since {text!r} is no time; give a date such as 2026-11-22, a time such as "
        f"2026-11-22T18:30, or 30m, 24h, 7d."
    )


def test_json_is_a_list_of_objects_with_the_columns_of_the_view() -> None:
    """Names, order and types are for scripts to rely on."""
    out = io.StringIO()
    write_json([ROW, ROW], out)
    rows = json.loads(out.getvalue())
    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
    assert LogRow(**rows[0]) == ROW


def test_json_of_no_rows_is_an_empty_list() -> None:
    """A script need not treat that apart."""
    out = io.StringIO()
    write_json([], out)
    assert json.loads(out.getvalue()) == []


def test_csv_has_a_header_and_no_formulas() -> None:
    """A spreadsheet shows a name that begins like a formula; it doesn't run it."""
    out = io.StringIO(newline="")
    write_csv([ROW], out)
    header, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert tuple(header) == COLUMNS
    assert dict(zip(header, row, strict=True)) == {
        "id": "7",
        "name": "'=cmd|' /C calc'!A0.jpg",
        "path": "sorted/cat/=cmd|' /C calc'!A0.jpg",
        "sha256": "ab" * 32,
        "label": "cat",
        "confidence": "0.925",
        "decision": "filed",
        "reason": "",
        "model": "1",
        "arrived_at": "2026-11-22T18:30:00.123Z",
        "predicted_at": "2026-11-22T18:30:00.456Z",
        "filed_at": "2026-11-22T18:30:00.789Z",
        "human_label": "dog",
        "is_correct": "0",
        "subfolder": "north/7",
        "captured_at": "2026-11-22T05:30:00",
        "camera": "Canon EOS R5",
        "final_label": "dog",
        "missing_at": "",
        "reason_code": "",
        "precision": "",
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_may_start_a_formula_is_quoted(start: str) -> None:
    """The characters OWASP lists for CSV injection."""
    assert harmless(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["cat", "a=b", "'tis a cat", "", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """Nothing else is touched."""
    assert harmless(text) == text


@given(st.text(alphabet="='+-@\t\r\na", max_size=6) | st.text())
def test_quoting_can_be_undone(text: str) -> None:
    """`label --from-csv` reads back what `log --format csv` wrote, quotes of one's own included."""
    assert original(harmless(text)) == text
