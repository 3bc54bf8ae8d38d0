"""A workspace that an earlier version made goes on: nothing of it is lost, every command knows it.

tests/earlier/0007 was made by the program before revision 0008: its database as SQL, the files it
had filed, labelled and audited, two models and the status file of its daemon.
"""

import csv
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from imgsort.care.heartbeat import read_status
from imgsort.models.registry import Registry
from imgsort.records.audit_draw import AuditDraw
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace
from tests.desk import Desk, content_hash

EARLIER = Path(__file__).parents[1] / "earlier" / "0007"
CODES = {
    "cat-1.jpg": None,
    "unsure-dog-3.jpg": "low_confidence",
    "unsure-cat-4.jpg": "low_confidence",
    "broken-1.jpg": "unreadable",
    "by-hand.jpg": "put_here_unreadable",
}


@pytest.fixture
def earlier(tmp_path: Path) -> Desk:
    """As it was left, copied to another place."""
    root = tmp_path / "photos"
    shutil.copytree(EARLIER, root, symlinks=True)
    state = root / "state"
    state.mkdir()
    for name in ("models", "status.json"):
        (root / name).rename(state / name)
    (root / "inbox").mkdir()
    script = root / "imgsort.sql"
    with closing(sqlite3.connect(state / "imgsort.db")) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    script.unlink()
    return Desk(Workspace.open(root))


@pytest.fixture
def desk(earlier: Desk) -> Desk:
    """The same, brought forward."""
    said = earlier.type("migrate")
    assert said.code == 0, said.err
    return earlier


def test_it_is_brought_forward(earlier: Desk) -> None:
    """Commands ask for `migrate`; that keeps a copy, and every row."""
    assert earlier.type("label", "cat-2.jpg", "dog").code == 78
    before = {
        table: earlier.log(f"SELECT count(*) FROM {table}")  # noqa: S608
        for table in ("arrivals", "images", "labels", "moves", "predictions", "runs", "models")
    }
    done = migrate(earlier.workspace.database)
    assert (done.before, done.changed) == ("0007", True)
    assert done.snapshot is not None
    assert done.snapshot.exists()
    for table, count in before.items():
        assert earlier.log(f"SELECT count(*) FROM {table}") == count  # noqa: S608
    assert earlier.log("PRAGMA foreign_key_check") == []
    assert earlier.agrees()


def test_its_log(desk: Desk) -> None:
    """Every arrival with its words, and the code of each reason."""
    rows = {row["name"]: row for row in desk.type("log", "--json").json}
    assert len(rows) == 10
    assert {name: rows[name]["reason_code"] for name in CODES} == CODES
    assert rows["by-hand.jpg"]["reason"].startswith("put here by hand, but it can't be read: ")
    assert (rows["cat-3.jpg"]["label"], rows["cat-3.jpg"]["human_label"]) == ("cat", "dog")
    assert "unsure-cat-4.jpg" in desk.type("log").out


def test_its_status(desk: Desk) -> None:
    """What lies where, what the daemon said last, and the model that learned there."""
    said = desk.type("status", "--json").json
    assert said["log"]["filed"] == 6
    assert (said["last_error"], said["live"]) == ("The disk was full.", None)
    assert said["model"]["version"] == 2
    told = read_status(desk.workspace.status_file)
    assert told is not None
    assert (told.state, told.counters.images, told.left_in_place.count) == ("stopped", 9, 1)
    training = Registry(desk.workspace.models).card(2).training
    assert (training.labels, training.labels_of[3], training.new.filed_right) == (120, 30, 31)
    assert "shown in its test" in desk.type("models", "show", "2").out


def test_its_labels_and_undo(desk: Desk) -> None:
    """A new word moves a picture, undo brings it back, and then takes back what was said before the
    migration."""
    assert desk.type("label", "dog-1.jpg", "cat").code == 0
    assert "sorted/cat/dog-1.jpg" in desk.tree()
    assert desk.type("undo", "--last").code == 0
    assert "sorted/dog/dog-1.jpg" in desk.tree()
    said = desk.type("undo", "--run", "3")
    assert said.code == 0, said.err
    assert "unsure/unsure-cat-4.jpg" in desk.tree()
    assert "unsure-cat-4.jpg" not in desk.labels()
    assert desk.agrees()


def test_its_audits(desk: Desk, tmp_path: Path) -> None:
    """Both draws are rows now; a list of one of them can still be answered."""
    with desk.store() as store:
        assert store.audits.all() == [
            AuditDraw(5, 1, 8, (3, 5, 1, 9, 6)),
            AuditDraw(6, 2, 8, (1, 9)),
        ]
    answers = tmp_path / "audit.csv"
    with answers.open("w", newline="") as file:
        rows = [("sha256", "label"), (content_hash("dog-2.jpg"), "y")]
        csv.writer(file).writerows(rows)
    said = desk.type("audit", "--answers", answers)
    assert said.code == 0, said.err
    assert desk.labels()["dog-2.jpg"] == ("dog", "audit", True)
    summaries = desk.log("SELECT summary FROM runs WHERE kind = 'audit' ORDER BY id")
    assert summaries == [("drew 5 of 8 pictures",), ("drew 2 of 8 pictures",)]
