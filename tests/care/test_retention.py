"""Retention: off unless asked for, a dry run first, and never what something depends on."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgsort.care.retention import Gone, RetentionPlan, apply_retention, plan_retention
from imgsort.models.registry import Registry
from imgsort.records.files import KnownFile
from imgsort.store.care import CareLog, Trashed
from tests.care.conftest import NAMES
from tests.desk import Desk, content_hash
from tests.first_model import first_model_again

DAYS = "[retention]\nrejected_days = 30.0\ntrash_days = 30.0\nkeep_models = 1\n"


def at(tmp_path: Path, config: str = DAYS) -> Desk:
    desk = Desk.at(tmp_path / "photos", config)
    desk.file(*NAMES, "broken-2.jpg")
    return desk


def planned(desk: Desk, days: float) -> RetentionPlan:
    """What would go in so many days from now."""
    now = datetime.now(UTC) + timedelta(days=days)
    with desk.store() as store, CareLog(desk.workspace.database, desk.workspace.root) as log:
        return plan_retention(desk.workspace, store, log, now)


def applied(desk: Desk, plan: RetentionPlan) -> Gone:
    with desk.store() as store, CareLog(desk.workspace.database, desk.workspace.root) as log:
        return apply_retention(desk.workspace, store, log, plan, datetime.now(UTC))


def names(files: Sequence[Path | KnownFile | Trashed]) -> list[str]:
    return sorted((one if isinstance(one, Path) else one.path).name for one in files)


def trash(desk: Desk) -> list[str]:
    return sorted(path.name for path in desk.workspace.trash.glob("*/*"))


def test_it_is_off_by_default(desk: Desk) -> None:
    """A hundred years later everything is there; the command says so and exits 4."""
    assert not planned(desk, 36_500)
    said = desk.type("retention", "--apply")
    assert (said.code, "keeps it for ever" in said.out) == (4, True)
    assert not desk.workspace.trash.exists()


def test_rejected_files_go_to_the_trash_first(tmp_path: Path) -> None:
    """Not before their time; then through the journal, and a look at the folders stays quiet."""
    desk = at(tmp_path)
    assert not planned(desk, 29)
    plan = planned(desk, 31)
    assert names(plan.rejected) == ["broken-1.jpg", "broken-2.jpg"]
    before = desk.tree()
    assert applied(desk, plan).to_trash == 2
    assert trash(desk) == ["broken-1.jpg", "broken-2.jpg"]
    assert desk.agrees()
    assert sorted(set(before) - set(desk.tree())) == [
        "rejected/broken-1.jpg",
        "rejected/broken-2.jpg",
    ]
    causes = desk.log("SELECT cause, state FROM moves WHERE cause = 'retention'")
    assert causes == [("retention", "done")] * 2


def test_only_what_it_put_there_is_deleted(tmp_path: Path) -> None:
    """From the trash, after its time, written in the log; what people put there stays."""
    desk = at(tmp_path)
    applied(desk, planned(desk, 31))
    (day,) = desk.workspace.trash.iterdir()
    (day / "mine.jpg").write_bytes(b"mine")
    (day / "broken-2.jpg").write_bytes(b"another picture under that name")
    assert not planned(desk, 29).deleted
    assert applied(desk, planned(desk, 31)).deleted == 1
    assert trash(desk) == ["broken-2.jpg", "mine.jpg"]
    rows = desk.log("SELECT source, sha256 FROM moves WHERE cause = 'delete'")
    assert rows == [(f"trash/{day.name}/broken-1.jpg", content_hash("broken-1.jpg"))]
    assert not planned(desk, 31).deleted


def test_a_link_in_the_trash_leads_nowhere(tmp_path: Path) -> None:
    """A trash folder replaced by a link to other pictures deletes none of them."""
    desk = at(tmp_path)
    applied(desk, planned(desk, 31))
    (day,) = desk.workspace.trash.iterdir()
    elsewhere = tmp_path / "elsewhere"
    day.rename(elsewhere)
    day.symlink_to(elsewhere)
    assert not planned(desk, 31).deleted
    assert names(list(elsewhere.iterdir())) == ["broken-1.jpg", "broken-2.jpg"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO labels (image_id, class_id, kind, source, representative, labelled_at)"
        " SELECT id, 1, 'label', 'cli', 0, '2026-11-22T12:00:00.000Z' FROM images"
        " WHERE sha256 = ?",
        "UPDATE images SET split = 'holdout' WHERE sha256 = ?",
    ],
    ids=["labelled", "holdout"],
)
def test_what_something_depends_on_stays(tmp_path: Path, statement: str) -> None:
    """A label or the holdout stands on it: kept and named, in rejected/ and in the trash."""
    desk = at(tmp_path)
    _execute(desk, statement, content_hash("broken-1.jpg"))
    plan = planned(desk, 31)
    assert (names(plan.rejected), names(plan.kept)) == (["broken-2.jpg"], ["broken-1.jpg"])
    applied(desk, plan)
    _execute(desk, statement, content_hash("broken-2.jpg"))
    later = planned(desk, 31)
    assert (later.deleted, names(later.kept)) == ((), ["broken-1.jpg", "broken-2.jpg"])


def _execute(desk: Desk, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute(statement, values)
        log.commit()


def test_needed_models_stay(tmp_path: Path) -> None:
    """The active one and every one that rollback may reach; others go, newest kept."""
    desk = at(tmp_path)
    registry = Registry(desk.workspace.models)
    for _ in range(4):
        _published_again(registry)
    registry.activate(3)
    plan = planned(desk, 1)
    assert plan.models == (2, 4)
    assert applied(desk, plan).models == 2
    assert [card.version for card in registry.versions()] == [1, 3, 5]
    assert registry.rollback() == 1
    assert trash(desk) == ["model-v0002", "model-v0004"]
    assert len(planned(desk, 31).deleted_models) == 2
    applied(desk, planned(desk, 31))  # after the rollback nobody needs v3 any more
    assert [name for name in trash(desk) if name.startswith("model")] == ["model-v0003"]


def _published_again(registry: Registry) -> None:
    """The first model as the next version."""
    registry.publish(first_model_again(registry))


def test_the_command_shows_first(tmp_path: Path) -> None:
    """Without --apply nothing goes; with it the same goes."""
    desk = at(tmp_path, "[retention]\nrejected_days = 0.0000001\n")
    said = desk.type("retention")
    assert (said.code, "Nothing went" in said.out) == (0, True)
    assert "rejected/broken-1.jpg" in desk.tree()
    answer = desk.type("retention", "--apply", "--json").json
    assert answer["applied"]["to_trash"] == 2
    assert "rejected/broken-1.jpg" not in desk.tree()
