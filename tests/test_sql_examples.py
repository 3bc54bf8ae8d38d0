"""What the documentation says of the database is true: its columns, and its SQL examples."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from imgsort.records.journal import Cause
from imgsort.records.reasons import ReasonCode
from imgsort.records.verdict import Score
from tests.logbook import Workplace, file_all, new_store, sha256, verdict

REPOSITORY = Path(__file__).parent.parent
TABLES = (
    "prediction_log",
    "images",
    "arrival_counts",
    "arrivals",
    "predictions",
    "classes",
    "class_changes",
    "labels",
    "models",
    "moves",
    "runs",
    "audits",
    "acts",
    "archive_log",
    "archive_jobs",
    "archive_parts",
    "archive_pictures",
    "decode_attempts",
)


def documentation() -> str:
    """The README's section on the log, or the file it is kept in until then."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    if "```sql" in readme:
        return readme
    return (REPOSITORY / "docs" / "database-readme-section.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"^```sql\n(.*?)^```", documentation(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A log of this week: cats, dogs, a close call, a broken file, a duplicate, a correction."""
    root = tmp_path_factory.mktemp("photos")
    work = Workplace(root)
    week = [datetime.now(UTC) - timedelta(days=day) for day in range(6)]
    said = [verdict("cat"), verdict("dog", 0.75), verdict("cat", 0.41), None, verdict("snake")]
    close = replace(verdict("cat", 0.45), top_k=(Score("cat", 0.45), Score("dog", 0.4)))
    plans = [
        work.plan(number, words, arrived_at=moment)
        for number, (words, moment) in enumerate(zip([*said, close], week, strict=True))
    ]
    twin = work.plan(6, verdict("cat"), arrived_at=week[0], sha256=sha256("0"))
    with new_store(root) as store:
        file_all(store, [*plans, twin])
    connection = sqlite3.connect(root / "state" / "imgsort.db")
    with connection:
        connection.execute(
            "INSERT INTO labels"
            " (image_id, class_id, kind, source, representative, run_id, labelled_at)"
            " VALUES (2, 1, 'label', 'move', 0, 1, '2026-11-22T13:00:00.000Z')"
        )
    yield connection
    connection.close()


def test_there_are_ten_examples() -> None:
    """The README promises ten."""
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: " ".join(example.split())[:40])
def test_the_example_answers_its_question(database: sqlite3.Connection, example: str) -> None:
    """It runs as it stands and finds rows in a log that has some."""
    assert database.execute(example).fetchall() != []


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented_in_its_order(database: sqlite3.Connection, table: str) -> None:
    """No column too few, none too many."""
    section = re.search(rf"^### `{table}`.*?(?=^#|\Z)", documentation(), re.DOTALL | re.MULTILINE)
    assert section is not None
    documented = re.findall(r"^\| `(\w+)` \|", section[0], re.MULTILINE)
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    assert documented == columns


def test_every_word_of_a_column_is_documented() -> None:
    """Causes of moves and codes of reasons: README has each of them, and none besides."""
    for table, column, words in (
        ("moves", "cause", set(get_args(Cause))),
        ("arrivals", "reason_code", {code.value for code in ReasonCode}),
    ):
        section = re.search(rf"^### `{table}`.*?(?=^#)", documentation(), re.DOTALL | re.MULTILINE)
        assert section is not None
        row = re.search(rf"^\| `{column}` \|(.*)\|$", section[0], re.MULTILINE)
        assert row is not None
        assert set(re.findall(r"`(\w+)`", row[1])) - {"reason"} == words


def test_every_cause_of_a_move_is_explained() -> None:
    """docs/database.md says of each who makes it and what it does."""
    guide = (REPOSITORY / "docs" / "database.md").read_text(encoding="utf-8")
    table = guide.partition("| cause | made by |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(get_args(Cause))


def test_every_table_is_documented(database: sqlite3.Connection) -> None:
    """All but Alembic's own."""
    found = database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    assert {name for (name,) in found} == {*TABLES, "alembic_version"}
