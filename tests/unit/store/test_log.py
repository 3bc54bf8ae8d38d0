"""Asking the log: filters, single arrivals, and the counts of `status`."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from imgsort.records.journal import Plan
from imgsort.records.labels import NewLabel
from imgsort.records.log import LogFilter
from imgsort.store import ClassCount, Store, engine
from imgsort.store.folder_counts import FolderCounts
from imgsort.store.overview import Overview
from tests.logbook import NOON, Workplace, card, file_all, new_store, sha256, verdict

LABEL = (
    "INSERT INTO labels (image_id, class_id, kind, source, representative, run_id, labelled_at)"
    " SELECT images.id, :class_id, :kind, 'move', 0, 1, '2026-11-22T13:00:00.000Z'"
    " FROM images WHERE sha256 = :sha256"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Seven arrivals a0 to a6 of two models; a human corrected a1 and confirmed a0."""
    work = Workplace(tmp_path)
    with new_store(tmp_path) as opened:
        opened.predictions.add_model(
            card(2, kind="linear", parent=1, created_at="2026-11-10T00:00:00Z")
        )
        said = [("cat", 0.95), ("dog", 0.75), ("cat", 0.35), ("dog", 0.6), ("cat", 0.71)]
        plans = [work.plan(number, verdict(*words)) for number, words in enumerate(said)]
        plans.append(work.plan(5, None))
        plans.append(by_model_2(work.plan(6, verdict("snake", 0.8))))
        file_all(opened, plans)
        classes = opened.classes.ensure(["cat"])
        label(tmp_path, "1", classes["cat"])
        label(tmp_path, "0", classes["cat"])
        yield opened


def by_model_2(plan: Plan) -> Plan:
    assert plan.arrival is not None
    return replace(plan, arrival=replace(plan.arrival, model=2))


def label(root: Path, image: str, class_id: int | None, kind: str = "label") -> None:
    """A human's word, as the learning loop writes it."""
    connection = sqlite3.connect(root / "state" / "imgsort.db")
    with connection:
        values = {"class_id": class_id, "kind": kind, "sha256": sha256(image)}
        connection.execute(LABEL, values)
    connection.close()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (LogFilter(), "a6 a5 a4 a3 a2 a1 a0"),
        (LogFilter(limit=2), "a6 a5"),
        (LogFilter(limit=0), ""),
        (LogFilter(label="cat"), "a4 a2 a0"),
        (LogFilter(label="lion"), ""),
        (LogFilter(below=0.71), "a3 a2"),
        (LogFilter(since=NOON + timedelta(seconds=5)), "a6 a5"),
        (LogFilter(model=2), "a6"),
        (LogFilter(unsure=True), "a3 a2"),
        (LogFilter(corrected=True), "a1"),
        (LogFilter(label="cat", unsure=True), "a2"),
        (LogFilter(label="dog", model=1, below=0.7), "a3"),
        (LogFilter(unsure=True, model=1, limit=1), "a3"),
        (LogFilter(unsure=True, model=2), ""),
        (LogFilter(label="dog", corrected=True), "a1"),
        (LogFilter(label="cat", corrected=True), ""),
    ],
)
def test_conditions_hold_together_and_the_newest_comes_first(
    store: Store, filters: LogFilter, expected: str
) -> None:
    """Every filter alone, and those that share an index together."""
    assert " ".join(row.name.removesuffix(".jpg") for row in store.log.rows(filters)) == expected


def test_a_human_label_says_whether_the_model_was_right(store: Store) -> None:
    """Unknown where nobody has looked."""
    assert {row.name: (row.human_label, row.is_correct) for row in store.log.rows(LogFilter())} == {
        "a0.jpg": ("cat", True),
        "a1.jpg": ("cat", False),
    } | {f"a{number}.jpg": (None, None) for number in range(2, 7)}


def test_the_newest_word_about_an_image_counts(store: Store, tmp_path: Path) -> None:
    """Corrected again, then withdrawn: the log follows."""
    dog = store.classes.ensure(["dog"])["dog"]
    label(tmp_path, "1", dog)
    assert list(store.log.rows(LogFilter(corrected=True))) == []
    label(tmp_path, "0", None, "withdrawn")
    (row,) = [row for row in store.log.rows(LogFilter()) if row.name == "a0.jpg"]
    assert (row.human_label, row.is_correct) == (None, None)


def test_a_label_belongs_to_the_content(store: Store, tmp_path: Path) -> None:
    """The same picture dropped again is as right or wrong as before."""
    again = replace(Workplace(tmp_path).plan(9, verdict("dog")), sha256=sha256("1"))
    file_all(store, [again])
    assert [row.name for row in store.log.rows(LogFilter(corrected=True))] == ["a9.jpg", "a1.jpg"]


def test_the_view_and_the_log_say_the_same(store: Store, tmp_path: Path) -> None:
    """What sqlite3 shows is what `imgsort log` shows, column by column."""
    connection = sqlite3.connect(tmp_path / "state" / "imgsort.db")
    view = connection.execute("SELECT * FROM prediction_log ORDER BY id DESC").fetchall()
    connection.close()
    rows = list(store.log.rows(LogFilter()))
    assert [tuple(getattr(row, name) for name in row.__slots__) for row in rows] == view


def test_an_arrival_is_found_by_id_and_by_path(store: Store, tmp_path: Path) -> None:
    """As `imgsort label` is told of it."""
    (first,) = [row for row in store.log.rows(LogFilter()) if row.name == "a0.jpg"]
    assert store.log.arrival(first.id) == first
    assert store.log.arrival(99) is None
    folder = tmp_path / "sorted" / "cat"
    assert [one.arrival_id for one in store.pictures.at([folder / "a0.jpg"])] == [first.id]
    assert store.pictures.at([folder / "b.jpg"]) == []


def test_status_counts_what_has_landed(store: Store, tmp_path: Path) -> None:
    """Decided and not yet filed is neither filed nor unsure; it is unfinished."""
    work = Workplace(tmp_path)
    store.journal.record_decided(
        store.runs.begin("run"), [work.plan(7, verdict("cat")), work.plan(8, verdict("ant", 0.1))]
    )
    overview = store.counts.overview(NOON + timedelta(seconds=4))
    assert overview == Overview(
        filed=4,
        unsure=2,
        rejected=1,
        classes=(ClassCount("cat", 2), ClassCount("dog", 1), ClassCount("snake", 1)),
        today=5,
        last_arrival=NOON + timedelta(seconds=8),
        corrected=1,
        labels_since_training=2,
        unfinished=2,
    )
    assert overview.total == 7


def test_a_correction_counts_once_its_file_has_landed(store: Store, tmp_path: Path) -> None:
    """The picture that a human called a cat is dropped again, and called a dog again."""
    again = replace(Workplace(tmp_path).plan(9, verdict("dog")), sha256=sha256("1"))
    store.journal.record_decided(store.runs.begin("run"), [again])
    assert store.counts.overview(NOON).corrected == 1
    file_all(store, [replace(again, source=again.source.with_name("b9.jpg"))])
    assert store.counts.overview(NOON).corrected == 2


def test_status_of_an_empty_log(tmp_path: Path) -> None:
    """Nothing has happened yet."""
    with new_store(tmp_path) as store:
        assert store.counts.overview(NOON) == Overview(0, 0, 0, (), 0, None, 0, 0, 0)


def test_only_labels_since_the_newest_training_wait(store: Store, tmp_path: Path) -> None:
    """A model that was trained after the labels has used them."""
    store.predictions.add_model(card(3, kind="linear", parent=2, created_at="2026-11-23T00:00:00Z"))
    assert store.counts.overview(NOON).labels_since_training == 0


def test_today_begins_at_local_midnight(store: Store, tmp_path: Path) -> None:
    """By default; arrivals of long ago aren't of today."""
    old = Workplace(tmp_path).plan(20, verdict("cat"))
    file_all(store, [old])
    before = store.counts.overview().today
    assert old.arrival is not None
    now = NOON.now(UTC)
    fresh = replace(
        Workplace(tmp_path).plan(21, verdict("cat")), arrival=replace(old.arrival, arrived_at=now)
    )
    file_all(store, [fresh])
    assert store.counts.overview().today == before + 1


SEARCHES = [
    (LogFilter(), "ix_arrivals_arrived_at"),
    (LogFilter(since=NOON), "ix_arrivals_arrived_at"),
    (LogFilter(below=0.5), "ix_arrivals_arrived_at"),
    (LogFilter(label="cat"), "ix_arrivals_class_id"),
    (LogFilter(label="cat", unsure=True, model=1, below=0.5), "ix_arrivals_class_id"),
    (LogFilter(unsure=True), "ix_arrivals_decision"),
    (LogFilter(unsure=True, model=1), "ix_arrivals_decision"),
    (LogFilter(model=1), "ix_arrivals_model"),
    (LogFilter(corrected=True), "ix_arrivals_image_id"),
]


@pytest.mark.parametrize(("filters", "index"), SEARCHES)
def test_every_question_is_answered_from_an_index(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    filters: LogFilter,
    index: str,
) -> None:
    """A page of a million rows takes milliseconds: the right index, already in the right order."""
    statements: list[str] = []
    real = engine.connect

    def traced(path: Path, *, checkpointer: bool) -> sqlite3.Connection:
        connection = real(path, checkpointer=checkpointer)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(engine, "connect", traced)
    database = tmp_path / "state" / "imgsort.db"
    with Store.open(database, root=tmp_path) as watched:
        list(watched.log.rows(replace(filters, limit=50)))
    (asked,) = [one for one in statements if "ORDER BY arrivals" in one]
    connection = sqlite3.connect(database)
    plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {asked}")]
    connection.close()
    assert [index in step for step in plan if " arrivals " in step] == [True]
    assert filters.corrected or "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_what_lies_where_is_counted_in_folders_not_decisions(tmp_path: Path) -> None:
    """A picture moved out of unsure/ lies in sorted/; of a gone one the folder is told, unless a
    copy of it is there."""
    work = Workplace(tmp_path)
    folders = [tmp_path / name for name in ("sorted", "unsure", "rejected")]
    with new_store(tmp_path) as store:
        plans = [work.plan(number, verdict("cat")) for number in range(4)]
        plans.append(work.plan(4, verdict("cat", 0.4), target=tmp_path / "sorted/dog/a4.jpg"))
        plans += [work.plan(5, verdict("cat", 0.4)), work.plan(6, None)]
        plans.append(work.plan(0, verdict("cat"), name="twin.jpg", target=tmp_path / "sorted/t/0"))
        file_all(store, plans)
        store.labels.add(None, [NewLabel(sha256("4"), "label", "dog", "move", False)])
        store.files.mark_missing([1, 2])  # of the first there is a twin
        assert store.counts.lying(folders) == FolderCounts(4, 1, 1, 1, {"cat": 1})
