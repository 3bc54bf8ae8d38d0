"""The journal of moves: what is written before a file moves, and after."""

import os
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from imgsort.disk.identity import Identity
from imgsort.records.journal import Landed
from imgsort.records.log import LogFilter
from imgsort.records.verdict import NOTHING_KNOWN, Verdict
from imgsort.store import Store, engine
from tests.logbook import (
    NOON,
    Workplace,
    card,
    file_all,
    identity,
    landed,
    new_store,
    sha256,
    verdict,
)

TABLES = ("images", "predictions", "arrivals", "moves")


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path) as opened:
        yield opened


def rows(root: Path, sql: str) -> list[tuple[object, ...]]:
    """What any SQLite client sees."""
    connection = sqlite3.connect(root / "state" / "imgsort.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def contents(root: Path) -> dict[str, list[tuple[object, ...]]]:
    return {table: rows(root, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608


def test_plans_come_back_in_order_and_stay_open_until_they_land(
    store: Store, work: Workplace
) -> None:
    """TX1 answers in the order of its plans; TX2 closes exactly the moves that landed."""
    plans = [work.plan(n, verdict(label)) for n, label in enumerate(["dog", "cat", "dog"])]
    planned = store.journal.record_decided(store.runs.begin("run"), plans)
    assert [(one.source, one.target, one.identity, one.sha256) for one in planned] == [
        (plan.source, plan.target, plan.identity, plan.sha256) for plan in plans
    ]
    assert store.journal.unfinished() == planned
    store.journal.mark_landed([landed(planned[1])])
    assert store.journal.unfinished() == [planned[0], planned[2]]


def test_the_log_shows_a_picture_only_once_it_lies_there(store: Store, work: Workplace) -> None:
    """A row of the log means a file at its path, never an intention."""
    planned = store.journal.record_decided(store.runs.begin("run"), [work.plan(1, verdict("cat"))])
    assert list(store.log.rows(LogFilter())) == []
    store.journal.mark_landed([landed(planned[0])])
    (row,) = store.log.rows(LogFilter())
    assert (row.name, row.path, row.sha256) == ("a1.jpg", "sorted/cat/a1.jpg", sha256("1"))
    assert (row.label, row.confidence, row.decision, row.model) == ("cat", 0.9, "filed", 1)
    assert (row.arrived_at, row.filed_at) == (
        "2026-11-22T12:00:01.000Z",
        "2026-11-22T12:01:00.000Z",
    )
    assert (row.reason, row.human_label, row.is_correct) == (None, None, None)


def test_an_unsure_picture_keeps_its_best_class(store: Store, work: Workplace) -> None:
    """`label` is the top-1 even when the decision was unsure."""
    file_all(store, [work.plan(1, verdict("cat", 0.41))])
    (row,) = store.log.rows(LogFilter())
    assert (row.label, row.decision, row.reason, row.path) == (
        "cat",
        "unsure",
        "confidence 0.41 is below 0.70",
        "unsure/a1.jpg",
    )


def test_a_rejected_picture_has_a_reason_and_no_prediction(store: Store, work: Workplace) -> None:
    """What can't be read is in the log too."""
    file_all(store, [work.plan(1, None)])
    (row,) = store.log.rows(LogFilter())
    assert (row.label, row.confidence, row.model, row.predicted_at) == (None, None, None, None)
    assert (row.decision, row.reason) == ("rejected", "the file is cut short")


def test_a_verdict_of_no_class_is_kept(store: Store, work: Workplace) -> None:
    """A model that knows no class leaves a prediction without a label."""
    nothing = Verdict("", 0.0, "unsure", NOTHING_KNOWN, ())
    file_all(store, [work.plan(1, nothing)])
    assert store.predictions.of([sha256("1")], 1) == {sha256("1"): nothing}
    (row,) = store.log.rows(LogFilter())
    assert (row.label, row.confidence, row.reason) == (None, 0.0, "no class is known yet")
    assert store.classes.names() == {}


def test_the_same_picture_twice_is_one_image_with_two_arrivals(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """Inference once, filed twice, in one batch or in two."""
    twin = replace(work.plan(2, verdict("cat")), sha256=sha256("1"))
    file_all(store, [work.plan(1, verdict("cat")), twin])
    file_all(store, [replace(work.plan(3, verdict("cat")), sha256=sha256("1"))])
    assert {table: len(found) for table, found in contents(tmp_path).items()} == {
        "images": 1,
        "predictions": 1,
        "arrivals": 3,
        "moves": 3,
    }


def test_a_verdict_comes_back_whole(store: Store, work: Workplace) -> None:
    """What a model said before is known again, for that content and that model only."""
    said = {
        sha256("1"): verdict("cat", 0.83),
        sha256("2"): replace(verdict("dog", 0.4), unlikeness=1.25),
    }
    file_all(store, [work.plan(1, said[sha256("1")]), work.plan(2, said[sha256("2")])])
    assert store.predictions.of([*said, sha256("new")], 1) == said
    assert store.predictions.of(said, 2) == {}


def test_a_renamed_class_is_renamed_in_what_was_predicted(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """Predictions refer to a class by its id."""
    file_all(store, [work.plan(1, verdict("cat"))])
    connection = sqlite3.connect(tmp_path / "state" / "imgsort.db")
    with connection:
        connection.execute("UPDATE classes SET name = 'kitty' WHERE name = 'cat'")
    connection.close()
    again = store.predictions.of([sha256("1")], 1)[sha256("1")]
    assert (again.label, again.top_k[0].label) == ("kitty", "kitty")
    assert [row.label for row in store.log.rows(LogFilter(label="kitty"))] == ["kitty"]


def test_two_models_each_have_their_say(store: Store, work: Workplace) -> None:
    """One prediction an image and model."""
    store.predictions.add_model(card(2, parent=1))
    file_all(store, [work.plan(1, verdict("cat"))])
    plan = work.plan(2, verdict("dog"))
    assert plan.arrival is not None
    again = replace(plan, sha256=sha256("1"), arrival=replace(plan.arrival, model=2))
    file_all(store, [again])
    assert store.predictions.of([sha256("1")], 1)[sha256("1")].label == "cat"
    assert store.predictions.of([sha256("1")], 2)[sha256("1")].label == "dog"
    assert [row.label for row in store.log.rows(LogFilter())] == ["dog", "cat"]


def test_dropping_a_plan_leaves_nothing_of_it(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """A file that changed before it moved was never there, as far as the log goes."""
    file_all(store, [work.plan(1, verdict("cat"))])
    before = contents(tmp_path)
    planned = store.journal.record_decided(
        store.runs.begin("run"), [work.plan(2, verdict("dog")), work.sidecar(2)]
    )
    store.journal.drop([one.move_id for one in planned])
    assert contents(tmp_path) == before
    assert store.journal.unfinished() == []


def test_dropping_a_twin_keeps_the_image_of_the_other(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """An image stays as long as any arrival stands for it."""
    file_all(store, [work.plan(1, verdict("cat"))])
    before = contents(tmp_path)
    twin = replace(work.plan(2, verdict("cat")), sha256=sha256("1"))
    (planned,) = store.journal.record_decided(store.runs.begin("run"), [twin])
    store.journal.drop([planned.move_id])
    assert contents(tmp_path) == before


def test_a_sidecar_that_landed_survives_its_dropped_picture(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """The journal keeps every move that happened."""
    picture, sidecar = store.journal.record_decided(
        store.runs.begin("run"), [work.plan(1, verdict("cat")), work.sidecar(1)]
    )
    store.journal.mark_landed([landed(sidecar)])
    store.journal.drop([picture.move_id])
    assert rows(tmp_path, "SELECT target, state, arrival_id FROM moves") == [
        ("sorted/cat/a1.xmp", "done", None)
    ]


def test_a_sidecar_belongs_to_the_picture_planned_before_it(store: Store, work: Workplace) -> None:
    """So that undo can bring both back."""
    first, second, sidecar = store.journal.record_decided(
        store.runs.begin("run"),
        [work.plan(1, verdict("cat")), work.plan(2, verdict("cat")), work.sidecar(2)],
    )
    assert sidecar.arrival_id == second.arrival_id != first.arrival_id
    named = store.journal.record_decided(
        store.runs.begin("run"), [work.sidecar(1, arrival_id=first.arrival_id)]
    )
    assert named[0].arrival_id == first.arrival_id


def test_a_sidecar_moves_no_arrival(store: Store, work: Workplace) -> None:
    """The path in the log is the picture's."""
    planned = store.journal.record_decided(
        store.runs.begin("run"), [work.plan(1, verdict("cat")), work.sidecar(1)]
    )
    store.journal.mark_landed([landed(planned[1])])
    assert list(store.log.rows(LogFilter())) == []
    store.journal.mark_landed([landed(planned[0])])
    assert [row.path for row in store.log.rows(LogFilter())] == ["sorted/cat/a1.jpg"]


def test_marking_twice_changes_nothing(store: Store, work: Workplace, tmp_path: Path) -> None:
    """Recovery may repeat TX2."""
    (planned,) = file_all(store, [work.plan(1, verdict("cat"))])
    before = contents(tmp_path)
    store.journal.mark_landed(
        [landed(planned, seconds=999), Landed(77, planned.target, identity(1), NOON)]
    )
    store.journal.drop([planned.move_id])
    assert contents(tmp_path) == before


def test_a_later_move_changes_the_place_and_not_the_filing(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """After refile or undo the log has the new path, and still the time of filing."""
    (first,) = file_all(store, [work.plan(1, verdict("cat"))])
    again = replace(
        work.plan(1, verdict("dog")),
        source=first.target,
        target=tmp_path / "sorted" / "dog" / "a1.jpg",
        cause="refile",
        arrival=None,
        arrival_id=first.arrival_id,
    )
    (planned,) = store.journal.record_decided(store.runs.begin("refile"), [again])
    assert [row.path for row in store.log.rows(LogFilter())] == ["sorted/cat/a1.jpg"]
    store.journal.mark_landed([replace(landed(planned, seconds=500), identity=identity(42))])
    (row,) = store.log.rows(LogFilter())
    assert (row.path, row.filed_at) == ("sorted/dog/a1.jpg", "2026-11-22T12:01:00.000Z")
    assert rows(tmp_path, "SELECT ino, state FROM arrivals") == [(42, "filed")]


def test_a_dropped_later_move_keeps_the_arrival(store: Store, work: Workplace) -> None:
    """Only an arrival that was never filed goes with its plan."""
    (first,) = file_all(store, [work.plan(1, verdict("cat"))])
    again = replace(work.plan(1, None), cause="undo", arrival=None, arrival_id=first.arrival_id)
    (planned,) = store.journal.record_decided(store.runs.begin("undo"), [again])
    store.journal.drop([planned.move_id])
    assert [row.path for row in store.log.rows(LogFilter())] == ["sorted/cat/a1.jpg"]


def test_a_target_is_reserved_until_it_is_landed_or_dropped(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """Two batches never aim at one name."""
    first, second = store.journal.record_decided(
        store.runs.begin("run"), [work.plan(1, verdict("cat")), work.plan(2, verdict("dog"))]
    )
    elsewhere = tmp_path / "sorted" / "cat" / "a1-2.jpg"
    store.journal.retarget(first.move_id, elsewhere)
    assert store.journal.reserved_targets() == {elsewhere, second.target}
    store.journal.mark_landed([replace(landed(first), target=elsewhere)])
    store.journal.drop([second.move_id])
    assert store.journal.reserved_targets() == set()
    assert [row.path for row in store.log.rows(LogFilter())] == ["sorted/cat/a1-2.jpg"]


def test_the_source_of_a_copy_is_known_again(store: Store, work: Workplace) -> None:
    """In copy mode the inbox keeps its files; none is filed twice."""
    copies = [replace(work.plan(n, verdict("cat")), mode="copy") for n in (1, 2)]
    file_all(store, copies)
    file_all(store, [work.plan(3, verdict("cat"))])
    rewritten = replace(identity(2), size=7)
    asked = [identity(1), identity(3), identity(4), rewritten]
    assert store.journal.known_copies(asked) == {identity(1)}
    assert store.journal.known_copies([identity(n) for n in range(2000)]) == {
        identity(1),
        identity(2),
    }


def test_a_batch_is_written_whole_or_not_at_all(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """TX1 is one transaction: a model nobody registered undoes all of it."""
    plan = work.plan(2, verdict("dog"))
    assert plan.arrival is not None
    unknown = replace(plan, arrival=replace(plan.arrival, model=9))
    with pytest.raises(IntegrityError):
        store.journal.record_decided(
            store.runs.begin("run"), [work.plan(1, verdict("cat")), unknown]
        )
    assert contents(tmp_path) == {table: [] for table in TABLES}
    assert store.classes.names() == {}


def test_no_plans_and_no_landings_are_fine(store: Store) -> None:
    """An empty batch costs nothing and breaks nothing."""
    assert store.journal.record_decided(store.runs.begin("run"), []) == []
    store.journal.mark_landed([])
    store.journal.drop([])


def test_a_moved_workspace_still_knows_its_files(work: Workplace, tmp_path: Path) -> None:
    """Paths below the root are relative to it; others stay absolute."""
    old, new = tmp_path / "old", tmp_path / "new"
    outside = tmp_path / "elsewhere" / "a2.jpg"
    with new_store(old) as store:
        place = Workplace(old)
        plans = [place.plan(1, verdict("cat")), place.plan(2, verdict("cat"), target=outside)]
        store.journal.record_decided(store.runs.begin("run"), plans)
    old.rename(new)
    with Store.open(new / "state" / "imgsort.db", root=new) as store:
        assert [(one.source, one.target) for one in store.journal.unfinished()] == [
            (new / "inbox" / "a1.jpg", new / "sorted" / "cat" / "a1.jpg"),
            (new / "inbox" / "a2.jpg", outside),
        ]


@pytest.mark.parametrize(
    "odd",
    [
        Identity(2**64 - 1, 2**63, 0, -2_000_000_000_000_000_000),
        Identity(2**63 - 1, 2**64 - 1, 2**62, 13_569_465_600_000_000_123),
    ],
    ids=["largest device, mtime in 1906", "largest inode, mtime in 2400"],
)
def test_identities_of_any_file_system_come_back_exactly(
    store: Store, work: Workplace, odd: Identity
) -> None:
    """dev and ino have 64 bits without a sign; times reach as far as ext4 and XFS do."""
    store.journal.record_decided(
        store.runs.begin("run"), [work.plan(1, None, identity=odd, mode="copy")]
    )
    assert [one.identity for one in store.journal.unfinished()] == [odd]
    assert store.journal.known_copies([odd]) == {odd}
    store.attempts.record(odd, work.root / "inbox" / "a1.jpg", "the decoder crashed")
    assert store.attempts.count(odd) == 1


NAMES = st.binary(min_size=1, max_size=255).filter(
    lambda name: not {0, ord("/")} & set(name) and name not in {b".", b".."}
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(name=NAMES, subfolder=NAMES)
def test_any_name_a_file_can_have_survives(
    store: Store, work: Workplace, name: bytes, subfolder: bytes
) -> None:
    """Bytes are kept as they are; the text beside them is one printable line of UTF-8."""
    path = work.root / "inbox" / os.fsdecode(subfolder) / os.fsdecode(name)
    plan = work.plan(1, verdict("cat"), source=path, target=work.root / os.fsdecode(name))
    assert plan.arrival is not None
    odd = replace(plan, arrival=replace(plan.arrival, name=name, subfolder=subfolder))
    (planned,) = store.journal.record_decided(store.runs.begin("run"), [odd])
    assert [(one.source, one.target) for one in store.journal.unfinished()] == [
        (odd.source, odd.target)
    ]
    store.journal.mark_landed([landed(planned)])
    (picture, *_) = store.pictures.at([odd.target])
    assert picture.arrival_id == planned.arrival_id
    row = store.log.arrival(picture.arrival_id)
    assert row is not None
    unsafe = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not {unicodedata.category(character) for character in row.name + row.path} & unsafe


def test_odd_names_read_as_text(store: Store, work: Workplace) -> None:
    """Bytes that aren't UTF-8, line breaks, escapes and reversed text are shown, not obeyed."""
    name = b"caf\xe9 \xc3\xa9\n\x1b[2J\xe2\x80\xae.jpg"
    plan = work.plan(1, verdict("cat"), target=work.root / "sorted" / "cat" / os.fsdecode(name))
    assert plan.arrival is not None
    file_all(store, [replace(plan, arrival=replace(plan.arrival, name=name))])
    (row,) = store.log.rows(LogFilter())
    assert row.name == "caf\\xe9 é\\n\\x1b[2J\\u202e.jpg"
    assert row.path == f"sorted/cat/{row.name}"


def test_attempts_are_counted_across_restarts_and_forgotten_when_filed(
    work: Workplace, tmp_path: Path
) -> None:
    """A picture that kills its decoder is tried twice, not twice a start."""
    path = tmp_path / "inbox" / "a1.jpg"
    with new_store(tmp_path) as store:
        assert store.attempts.count(identity(1)) == 0
        store.attempts.record(identity(1), path, "the decoder crashed")
    with Store.open(tmp_path / "state" / "imgsort.db", root=tmp_path) as store:
        store.attempts.record(identity(1), path, "it took longer than 20 s")
        store.attempts.record(identity(2), path, "the decoder crashed")
        assert (store.attempts.count(identity(1)), store.attempts.count(identity(2))) == (2, 1)
        assert store.attempts.count(replace(identity(1), mtime_ns=1)) == 0
        file_all(store, [work.plan(1, None)])
        assert (store.attempts.count(identity(1)), store.attempts.count(identity(2))) == (0, 1)


def test_a_picture_that_can_be_read_at_last_gets_its_facts(
    store: Store, work: Workplace, tmp_path: Path
) -> None:
    """Rejected under a low limit, read under a higher one: one image, with its size."""
    file_all(store, [work.plan(1, None)])
    file_all(store, [work.plan(1, verdict("cat"), arrived_at=NOON + timedelta(days=1))])
    assert rows(tmp_path, "SELECT width, height, format, camera, dhash FROM images") == [
        (4000, 3000, "JPEG", "Canon EOS R5", "fedcba9876543210")
    ]


def test_more_moves_than_a_query_has_variables(
    tmp_path: Path, work: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands planned at once land, or are dropped, however few variables SQLite takes."""
    connect = engine.connect

    def narrow(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 600)
        return connection

    monkeypatch.setattr(engine, "connect", narrow)
    with new_store(tmp_path) as store:
        plans = [work.plan(n, verdict("cat")) for n in range(1300)]
        run = store.runs.begin("run")
        batches = [plans[start : start + 20] for start in range(0, len(plans), 20)]
        planned = [one for batch in batches for one in store.journal.record_decided(run, batch)]
        store.journal.mark_landed([landed(one) for one in planned[:650]])
        store.journal.drop([one.move_id for one in planned[650:]])
        assert store.journal.unfinished() == []
    assert rows(tmp_path, "SELECT count(*), max(state) FROM arrivals") == [(650, "filed")]
