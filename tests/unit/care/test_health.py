"""Is all well? One sentence when not; and a status file that a full disk can't silence."""

import errno
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imgsort.care.health import Disk, Facts, problems
from imgsort.care.heartbeat import (
    CountAndExamples,
    Counters,
    Heartbeat,
    State,
    read_status,
    utc_now,
    write_status,
)
from imgsort.store.soundness import damage

GB = 10**9
WELL = Facts(
    root=Path("/photos"),
    pid=7,
    said=Heartbeat(7, "running"),
    age=1.0,
    disks=(Disk(Path("/photos/sorted"), 50 * GB, 100 * GB),),
    damage=None,
)


def test_all_is_well() -> None:
    """No sentence."""
    assert problems(WELL) == []


@pytest.mark.parametrize("state", ["starting", "running", "stopping"])
def test_what_passes_by_itself_is_healthy(state: State) -> None:
    """A daemon that starts or stops does what it should."""
    assert problems(replace(WELL, said=Heartbeat(7, state))) == []


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            replace(WELL, pid=None),
            "No daemon runs on /photos; start it with `imgsort run`.",
        ),
        (
            replace(WELL, said=None, age=None),
            "The daemon (pid 7) has not said anything yet; ask again in a moment.",
        ),
        (
            replace(WELL, said=Heartbeat(6, "stopped")),
            "The daemon (pid 7) has not said anything yet; ask again in a moment.",
        ),
        (
            replace(WELL, age=31.2),
            "The daemon (pid 7) has not said anything for 31 seconds; look at its log, then "
            "restart it.",
        ),
        (
            replace(WELL, said=Heartbeat(7, "paused", paused_reason="It is full.")),
            "Nothing is filed at present: It is full.",
        ),
        (
            replace(WELL, said=Heartbeat(7, "running", stuck="infer")),
            "The daemon's part `infer` is stuck; restart it, then send its log.",
        ),
        (
            replace(WELL, disks=(Disk(Path("/photos/state"), 99_000_000, 100 * GB),)),
            "The disk of /photos/state has only 99 MB free; make room on it.",
        ),
        (
            replace(WELL, damage="row 1 missing from index"),
            "The database is damaged (row 1 missing from index); stop imgsort and bring a "
            "backup back with `imgsort restore FILE`.",
        ),
    ],
)
def test_each_trouble_has_its_sentence(facts: Facts, sentence: str) -> None:
    """What is wrong and what to do."""
    assert problems(facts) == [sentence]


def test_a_small_disk_is_not_always_low() -> None:
    """100 MB are little on a large disk and much on a memory card of 64 MB."""
    assert not Disk(Path("/sd"), 10_000_000, 64_000_000).is_low
    assert Disk(Path("/sd"), 3_000_000, 64_000_000).is_low


def test_the_patience_is_the_askers() -> None:
    """--max-age."""
    assert problems(replace(WELL, age=31.2), max_age=60) == []
    assert len(problems(replace(WELL, age=31.2), max_age=31)) == 1


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("CREATE INDEX by_name ON things (name)")
        rows = ((f"name {number:06}",) for number in range(5000))
        connection.executemany("INSERT INTO things (name) VALUES (?)", rows)
        connection.commit()
    return path


def test_a_sound_database_is_called_sound(database: Path) -> None:
    """Also while somebody writes to it."""
    assert damage(database, 5) is None
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert damage(database, 5) is None


def test_a_damaged_database_is_called_damaged(database: Path) -> None:
    """Noise in its pages, or a file that is none."""
    with database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 16384)
    assert damage(database, 5)
    database.write_bytes(b"no database at all" * 500)
    assert damage(database, 5) == "file is not a database"
    database.unlink()
    assert damage(database, 5) == "it is missing"


def test_a_look_ends_in_time(database: Path) -> None:
    """What could not be checked is not called damaged."""
    assert damage(database, 0.0) is None


def full(_: Path, content: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device", str(len(content)))


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "status.json"
    write_status(path, Heartbeat(7, "running", utc_now()))
    return path


def test_the_status_is_replaced(told: Path) -> None:
    """In one step: who holds the old file reads on in that."""
    before = told.stat().st_ino
    write_status(told, Heartbeat(7, "stopping", utc_now()))
    said = read_status(told)
    assert said is not None
    assert (said.state, said.pid) == ("stopping", 7)
    assert told.stat().st_ino != before
    assert [path.name for path in told.parent.iterdir()] == ["status.json"]


def test_a_full_disk_has_its_say(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is written over in place: no block more is needed, and nothing is left over."""
    before = told.stat()
    monkeypatch.setattr(Path, "write_bytes", full)
    write_status(told, Heartbeat(7, "paused", utc_now(), paused_reason="The disk is full."))
    said = read_status(told)
    assert said is not None
    assert (said.state, said.paused_reason) == ("paused", "The disk is full.")
    after = told.stat()
    assert (after.st_ino, after.st_size, after.st_blocks) == (
        *(before.st_ino, before.st_size, before.st_blocks),
    )
    assert [path.name for path in told.parent.iterdir()] == ["status.json"]


def test_names_give_way_where_there_is_no_room(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts stay."""
    many = CountAndExamples(60, tuple(f"{'long name ' * 100}{number}" for number in range(20)))
    monkeypatch.setattr(Path, "write_bytes", full)
    write_status(told, Heartbeat(7, "paused", utc_now(), unsupported=many))
    said = read_status(told)
    assert said is not None
    assert said.unsupported == CountAndExamples(60)


def test_half_a_status_is_read_again(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in the middle of being written over."""
    whole = told.read_text()
    told.write_text(whole[:100])
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        told.write_text(whole)

    monkeypatch.setattr(time, "sleep", sleep)
    said = read_status(told)
    assert said is not None
    assert (said.pid, len(sleeps)) == (7, 1)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("[1]")])
def test_no_status_is_none(told: Path, spoil: Callable[[Path], object]) -> None:
    """A file that is gone, or something else."""
    spoil(told)
    assert read_status(told) is None


def test_a_status_is_read_as_it_was_written(told: Path) -> None:
    """Every field, but for the moment, which the writer puts there."""
    full_of_news = Heartbeat(
        7,
        "paused",
        utc_now(),
        counters=Counters(5, 2, 1, 1),
        model=3,
        images_per_second=2.5,
        left_for_kind={"tga": 2},
        left_in_place=CountAndExamples(2, ("a.jpg: it vanished", "b.jpg")),
        attention=("Look at sorted/.",),
        paused_reason="It is full.",
    )
    write_status(told, full_of_news)
    said = read_status(told)
    assert said is not None
    assert said.age(datetime.now(UTC)) is not None
    assert replace(said, heartbeat="") == full_of_news


@pytest.mark.parametrize(
    ("text", "state", "images"),
    [
        ('{"pid": 7, "state": "paused", "counters": {"filed": 5}}', "paused", 5),
        (
            '{"pid": 7, "state": "running", "moon": {"phase": 1}, "counters": {"seen": 9}}',
            "running",
            0,
        ),
        ('{"pid": 7, "state": "dreaming", "counters": [1], "heartbeat": 5}', "starting", 0),
    ],
)
def test_the_status_of_another_version_is_read(
    told: Path, text: str, state: str, images: int
) -> None:
    """An older daemon says less, a newer one more, or otherwise: what is known of it holds."""
    told.write_text(text)
    said = read_status(told)
    assert said is not None
    assert (said.pid, said.state, said.counters.images) == (7, state, images)
    assert said.age(datetime.now(UTC)) is None
