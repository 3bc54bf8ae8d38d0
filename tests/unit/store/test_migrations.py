"""The schema: made from nothing, brought forward with every row, never left half-way."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, inspect

from imgsort.errors import DatabaseProblem
from imgsort.records.reasons import FOUND_AGAIN, PUT_HERE, SENT_BACK, ReasonCode
from imgsort.records.verdict import (
    CLASS_RETIRED,
    NOT_FILED_YET,
    NOT_FINITE,
    NOTHING_FITS,
    NOTHING_KNOWN,
    UNLIKE,
)
from imgsort.store.schema import Migrated, head_revision, migrate, revision_of
from imgsort.store.tables import METADATA, REVISIONS
from tests.logbook import Workplace, file_all, new_store, verdict

SCRIPTS = Path(__file__).parents[3] / "migrations"
HEAD = REVISIONS[-1]
NEXT = f"{int(HEAD) + 1:04}"

REVISION = f"""
import os, signal
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{NEXT}", "{HEAD}"
def upgrade():
    with op.batch_alter_table("images", recreate="always") as table:
        table.add_column(sa.Column("stars", sa.Integer(), nullable=True))
    with op.batch_alter_table("arrivals", recreate="always") as table:
        table.alter_column("reason", existing_type=sa.Text(), nullable=True)
"""


ARRIVAL = (
    "INSERT INTO arrivals (image_id, name, name_bytes, subfolder, subfolder_bytes, path,"
    " path_bytes, arrived_at, decision, class_id, state)"
    " VALUES (1, '{}', '', '', '', '', '', '', {}, '{}')"
)
FIRST_ROWS = (
    "INSERT INTO classes (id, name, created_at) VALUES (1, 'cat', '')",
    "INSERT INTO images (id, sha256, size, first_seen_at) VALUES (1, 'ab', 9, '')",
    ARRIVAL.format("a.jpg", "'filed', 1", "filed"),
    ARRIVAL.format("b.jpg", "'unsure', NULL", "filed"),
    ARRIVAL.format("c.jpg", "'filed', 1", "filed"),
    ARRIVAL.format("on_its_way.jpg", "'filed', 1", "decided"),
    "INSERT INTO labels (id, image_id, class_id, kind, source, representative, labelled_at)"
    " VALUES (7, 1, 1, 'label', 'cli', 1, '')",
)
"""As revision 0001 had them."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database with twenty pictures, some of them twins, and a human's word on one."""
    work = Workplace(tmp_path)
    with new_store(tmp_path) as store:
        file_all(store, [work.plan(number, verdict("cat")) for number in range(19)])
        file_all(store, [work.plan(0, verdict("cat"))])
    path = tmp_path / "state" / "imgsort.db"
    execute(
        path,
        "INSERT INTO labels (image_id, class_id, kind, source, representative, run_id, labelled_at)"
        " VALUES (3, 2, 'label', 'cli', 0, 1, '2026-11-22T13:00:00.000Z')",
    )
    return path


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The revisions there are; tests add one of their own."""
    copy = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_revision(scripts: Path, *more: str) -> None:
    lines = "".join(f"    {line}\n" for line in more)
    (scripts / "versions" / f"{NEXT}_more.py").write_text(REVISION + lines)


def execute(database: Path, *statements: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def dump(database: Path) -> list[str]:
    """Schema and rows, as SQL."""
    connection = sqlite3.connect(database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def query(database: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


TABLES = (
    "acts",
    "archive_jobs",
    "archive_parts",
    "archive_pictures",
    "arrival_counts",
    "arrivals",
    "audits",
    "class_changes",
    "classes",
    "decode_attempts",
    "images",
    "labels",
    "models",
    "moves",
    "predictions",
    "runs",
)


def test_a_new_database_has_every_table_and_the_view(tmp_path: Path) -> None:
    """From nothing to the newest revision, with nothing to copy first."""
    database = tmp_path / "imgsort.db"
    assert migrate(database) == Migrated(None, HEAD, None)
    assert revision_of(database) == head_revision() == HEAD
    names = query(database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    assert {name for (name,) in names} == {
        *TABLES,
        "alembic_version",
        "prediction_log",
        "archive_log",
    }
    assert query(database, "PRAGMA journal_mode") == [("wal",)]


def test_the_view_has_the_columns_that_users_rely_on(database: Path) -> None:
    """Names and order are an interface."""
    columns = [column[1] for column in query(database, "PRAGMA table_info(prediction_log)")]
    assert columns == [
        "id",
        "name",
        "path",
        "sha256",
        "label",
        "confidence",
        "decision",
        "reason",
        "model",
        "arrived_at",
        "predicted_at",
        "filed_at",
        "human_label",
        "is_correct",
        "subfolder",
        "captured_at",
        "camera",
        "final_label",
        "missing_at",
        "reason_code",
        "precision",
    ]


def test_migrating_again_changes_nothing(database: Path) -> None:
    """A database that is up to date is left alone, byte for byte."""
    before = database.read_bytes()
    done = migrate(database)
    assert (done, done.changed) == (Migrated(HEAD, HEAD, None), False)
    assert database.read_bytes() == before


def test_the_revisions_make_the_tables_the_program_declares(tmp_path: Path) -> None:
    """`alembic check` finds nothing to do, and the program knows the newest revision by name."""
    database = tmp_path / "imgsort.db"
    migrate(database)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    engine.dispose()
    walk = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in walk)[::-1] == REVISIONS


def test_every_check_of_the_program_is_in_the_database(tmp_path: Path) -> None:
    """`alembic check` doesn't compare CHECK constraints, so their names are compared here."""
    database = tmp_path / "imgsort.db"
    migrate(database)
    engine = create_engine(f"sqlite:///{database}")
    inspector = inspect(engine)
    for table in METADATA.tables.values():
        declared = {
            (one.name, str(one.sqltext))
            for one in table.constraints
            if isinstance(one, CheckConstraint)
        }
        found = inspector.get_check_constraints(table.name)
        assert {(one["name"], one["sqltext"]) for one in found} == declared
    engine.dispose()


def test_a_rebuilt_table_keeps_its_rows_indexes_and_references(
    database: Path, scripts: Path
) -> None:
    """Rebuilding tables that others refer to loses nothing, and the view is as before."""
    before = {table: query(database, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608
    log = query(database, "SELECT * FROM prediction_log")
    indexes = query(database, "SELECT name, sql FROM sqlite_master WHERE type = 'index'")
    add_revision(scripts)
    done = migrate(database, scripts=scripts)
    assert (done.before, done.after, done.changed) == (HEAD, NEXT, True)
    images = query(database, "SELECT * FROM images")
    assert images == [(*row, None) for row in before["images"]]
    for table in set(TABLES) - {"images"}:
        assert query(database, f"SELECT * FROM {table}") == before[table]  # noqa: S608
    assert query(database, "SELECT * FROM prediction_log") == log
    assert len(log) == 20
    assert query(database, "PRAGMA foreign_key_check") == []
    after = query(database, "SELECT name, sql FROM sqlite_master WHERE type = 'index'")
    assert {name for name, _ in after} == {name for name, _ in indexes}


def test_the_first_databases_are_brought_forward(tmp_path: Path, scripts: Path) -> None:
    """From every revision there was, with rows: none is lost, and the arrivals are counted."""
    database = at_revision(tmp_path, scripts, "0001")
    execute(database, *FIRST_ROWS)
    done = migrate(database)
    assert (done.before, done.after) == ("0001", HEAD)
    names = [("a.jpg",), ("b.jpg",), ("c.jpg",)]
    assert query(database, "SELECT name FROM prediction_log ORDER BY id") == names
    counts = "SELECT decision, class_id, arrivals FROM arrival_counts ORDER BY 1"
    assert query(database, counts) == [("filed", 1, 2), ("unsure", 0, 1)]
    words = "SELECT id, class_id, kind, source, representative, retracts FROM labels"
    assert query(database, words) == [(7, 1, "label", "cli", 1, None)]
    assert query(database, "SELECT DISTINCT human_label FROM prediction_log") == [("cat",)]
    assert query(database, "PRAGMA foreign_key_check") == []
    execute(database, "DELETE FROM arrivals WHERE name = 'a.jpg'")
    assert query(database, counts) == [("filed", 1, 1), ("unsure", 0, 1)]


def at_revision(tmp_path: Path, scripts: Path, revision: str) -> Path:
    """An empty database of an earlier version."""
    for script in (scripts / "versions").glob("0*.py"):
        if script.name[:4] > revision:
            script.unlink()
    database = tmp_path / "imgsort.db"
    assert migrate(database, scripts=scripts).after == revision
    return database


SENTENCES = {
    "confidence 0.41 is below 0.70": "low_confidence",
    "no known class fits at all": "nothing_fits",
    "no class is known yet": "nothing_known",
    "the network's numbers for this image are not finite": "not_finite",
    "unlike anything known": "unlike",
    "this class isn't told surely enough yet to file under it": "not_filed_yet",
    "this class is retired": "class_retired",
    "sent back": "sent_back",
    "imported from /media/archive": "imported",
    "put here by hand": "put_here",
    "put here by hand, but it can't be read: the file is cut short": "put_here_unreadable",
    "found again after the log was lost": "found_again",
    "found again after the log was lost, but it can't be read: it is a video": (
        "found_again_unreadable"
    ),
    "changed in its place, but it can't be read: the file is cut short": "changed_unreadable",
    "somebody's own words": "other",
}
"""All that versions with revision 0007 wrote, and what nobody of us did -> the code."""


def test_reasons_get_codes(tmp_path: Path, scripts: Path) -> None:
    """Every sentence of the versions before has its code, in arrivals and in predictions; what a
    decoder said of a rejected file is unreadable, and what was filed has neither."""
    database = at_revision(tmp_path, scripts, "0007")
    execute(
        database,
        *FIRST_ROWS[:2],
        "INSERT INTO models VALUES (1, 'imagenet', 'b', 'b', 'float32', NULL, '')",
    )
    arrival = (
        "INSERT INTO arrivals (image_id, name, name_bytes, subfolder, subfolder_bytes, path,"
        " path_bytes, arrived_at, decision, reason, state)"
        " VALUES (1, '', '', '', '', '', '', '', ?, ?, 'filed')"
    )
    prediction = (
        "INSERT INTO predictions (image_id, model, confidence, decision, reason, top_k,"
        " predicted_at) VALUES (1, 1, 0, 'unsure', 'unlike anything known', '[]', '')"
    )
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(arrival, [("unsure", sentence) for sentence in SENTENCES])
        connection.execute(arrival, ("rejected", "the content is a PDF document"))
        connection.execute(arrival, ("rejected", "put here by hand"))
        connection.execute(arrival, ("filed", None))
        connection.execute(prediction)
    migrate(database)
    told = query(database, "SELECT reason, reason_code FROM prediction_log ORDER BY id")
    assert told == [
        *SENTENCES.items(),
        ("the content is a PDF document", "unreadable"),
        ("put here by hand", "put_here"),
        (None, None),
    ]
    assert query(database, "SELECT reason_code FROM predictions") == [("unlike",)]


def test_audits_get_rows_of_their_own(tmp_path: Path, scripts: Path) -> None:
    """What was JSON in the run's summary is a row, whatever its seed, and the summary says it in
    words; runs that drew nothing, or of which something else is told, stay as they are."""
    database = at_revision(tmp_path, scripts, "0008")
    long = 2**70
    summaries = [
        ("audit", '{"seed": 1, "candidates": 8, "drawn": [3, 5, 1]}'),
        ("label", "1 labelled"),
        ("audit", None),
        ("audit", "nothing was done"),
        ("audit", f'{{"seed": {long}, "candidates": 2, "drawn": []}}'),
        ("audit", '{"drawn": "three"}'),
        ("audit", "[1]"),
    ]
    with closing(sqlite3.connect(database)) as connection, connection:
        statement = "INSERT INTO runs (kind, started_at, summary) VALUES (?, '', ?)"
        connection.executemany(statement, summaries)
    migrate(database)
    rows = query(database, "SELECT run_id, seed, candidates, drawn FROM audits")
    assert rows == [(1, "1", 8, "[3, 5, 1]"), (5, str(long), 2, "[]")]
    told = query(database, "SELECT kind, summary FROM runs ORDER BY id")
    summaries[0] = ("audit", "drew 3 of 8 pictures")
    summaries[4] = ("audit", "drew 0 of 2 pictures")
    assert told == summaries


def test_the_sentences_of_today_have_the_codes_of_the_revision() -> None:
    """What the program writes and what the revision reads agree."""
    written = [
        *(NOTHING_FITS, NOTHING_KNOWN, NOT_FINITE, UNLIKE, NOT_FILED_YET, CLASS_RETIRED),
        *(SENT_BACK, PUT_HERE, FOUND_AGAIN),
    ]
    assert {one.sentence: one.code.value for one in written}.items() <= SENTENCES.items()
    assert {*SENTENCES.values(), "unreadable"} == {code.value for code in ReasonCode}


def test_a_populated_database_is_copied_first(database: Path, scripts: Path) -> None:
    """The copy beside it is whole, at the old revision, and no half copy is left."""
    before = query(database, "SELECT * FROM prediction_log")
    add_revision(scripts)
    snapshot = migrate(database, scripts=scripts).snapshot
    assert snapshot == database.with_name(f"imgsort.db.before-{NEXT}")
    assert revision_of(snapshot) == HEAD
    assert query(snapshot, "SELECT * FROM prediction_log") == before
    assert not list(database.parent.glob("*.part"))


def test_an_empty_database_is_not_copied(tmp_path: Path, scripts: Path) -> None:
    """There is nothing to lose."""
    database = tmp_path / "imgsort.db"
    migrate(database)
    add_revision(scripts)
    assert migrate(database, scripts=scripts) == Migrated(HEAD, NEXT, None)


def test_views_that_users_added_survive(database: Path, scripts: Path) -> None:
    """A view would stop a table from being rebuilt; it is put aside, not lost."""
    execute(database, 'CREATE VIEW "my ""cats""" AS SELECT * FROM prediction_log')
    before = query(database, 'SELECT * FROM "my ""cats"""')
    add_revision(scripts)
    migrate(database, scripts=scripts)
    assert query(database, 'SELECT * FROM "my ""cats"""') == before


@pytest.mark.parametrize(
    ("harm", "table"),
    [
        ('op.execute("DELETE FROM labels")', "labels"),
        ('op.execute("DELETE FROM images WHERE id = 3")', "arrivals, images, labels, predictions"),
        ('op.drop_table("moves")', "moves"),
        ('op.execute("UPDATE predictions SET class_id = 99 WHERE id = 1")', "predictions"),
    ],
)
def test_a_migration_that_would_lose_rows_is_undone(
    database: Path, scripts: Path, harm: str, table: str
) -> None:
    """Rows are counted and references checked before the commit; the old schema stays."""
    before = dump(database)
    add_revision(scripts, harm)
    with pytest.raises(DatabaseProblem, match=f"would have lost rows of {table}, so it was undone"):
        migrate(database, scripts=scripts)
    assert dump(database) == before


def test_a_migration_that_fails_is_undone(database: Path, scripts: Path) -> None:
    """Even after a table was rebuilt: schema changes are part of the transaction."""
    before = dump(database)
    add_revision(scripts, "raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        migrate(database, scripts=scripts)
    assert dump(database) == before


def test_a_killed_migration_leaves_the_old_database(database: Path, scripts: Path) -> None:
    """SIGKILL after the tables were rebuilt: the next start sees the old schema, and can go on."""
    before = dump(database)
    add_revision(scripts, "os.kill(os.getpid(), signal.SIGKILL)")
    code = (
        "import sys; from pathlib import Path; from imgsort.store.schema import migrate; "
        "migrate(Path(sys.argv[1]), scripts=Path(sys.argv[2]))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(database), str(scripts)], cwd=SCRIPTS.parent, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert dump(database) == before
    add_revision(scripts)
    assert migrate(database, scripts=scripts).after == NEXT
    assert len(query(database, "SELECT * FROM prediction_log")) == 20


def test_a_newer_database_is_left_alone(database: Path) -> None:
    """Both revisions are named, and not one byte changes."""
    execute(database, "UPDATE alembic_version SET version_num = 'ffff'")
    before = database.read_bytes()
    with pytest.raises(
        DatabaseProblem, match=f"at revision ffff.*up to {HEAD}.*nothing was changed"
    ):
        migrate(database)
    assert database.read_bytes() == before


def test_a_damaged_database_is_not_migrated(database: Path, scripts: Path) -> None:
    """What SQLite finds wrong is said, and no copy of it passes for a snapshot."""
    content = bytearray(database.read_bytes())
    (page,) = query(database, "SELECT rootpage FROM sqlite_master WHERE name = 'moves'")[0]
    assert isinstance(page, int)
    content[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    database.write_bytes(content)
    add_revision(scripts)
    with pytest.raises(DatabaseProblem, match="is damaged"):
        migrate(database, scripts=scripts)
    assert revision_of(database) == HEAD
    assert not list(database.parent.glob("*before*"))


def test_a_database_from_elsewhere_is_no_revision(tmp_path: Path) -> None:
    """A file without our tables has none; a missing file has none either and isn't made."""
    missing = tmp_path / "missing.db"
    assert revision_of(missing) is None
    assert not missing.exists()
    empty = tmp_path / "empty.db"
    empty.touch()
    assert revision_of(empty) is None


def test_asking_the_log_loads_no_alembic() -> None:
    """It is needed only where there is something to migrate."""
    code = "import sys, imgsort.store.schema, imgsort.store; print('alembic' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SCRIPTS.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n"
