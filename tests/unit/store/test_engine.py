"""How the database is opened, shared and refused, and what its failures are called."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imgsort.errors import DatabaseProblem, ModelProblem, StoreBroken, StoreBusy, StoreFull
from imgsort.records.log import LogFilter
from imgsort.store import Store, engine
from imgsort.store.revision import head_revision
from tests.logbook import NOON, Workplace, card, file_all, landed, new_store, sha256, verdict


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database with twenty pictures in it."""
    work = Workplace(tmp_path)
    with new_store(tmp_path) as store:
        file_all(store, [work.plan(number, verdict("cat")) for number in range(20)])
    return tmp_path / "state" / "imgsort.db"


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 30_000), ("foreign_keys", 1)],
)
def test_every_connection_is_durable(database: Path, pragma: str, expected: object) -> None:
    """WAL, an fsync at each commit, patience with other writers, references checked."""
    connection = engine.connect(database)
    assert connection.execute(f"PRAGMA {pragma}").fetchone() == (expected,)
    connection.close()


@pytest.mark.parametrize(("checkpointer", "pages"), [(True, 1000), (False, 0)])
def test_only_the_checkpointer_checkpoints(database: Path, checkpointer: bool, pages: int) -> None:
    """SQLite before 3.51.3 can lose a WAL that two processes checkpoint at once."""
    connection = engine.connect(database, checkpointer=checkpointer)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (pages,)
    connection.close()


def test_a_reader_blocks_no_writer(store: Store, tmp_path: Path) -> None:
    """Somebody reads the log slowly while pictures are filed; each sees whole batches only."""
    work = Workplace(tmp_path)
    file_all(store, [work.plan(n, verdict("cat")) for n in range(3)])
    reading = store.log.rows(LogFilter())
    seen = [next(reading).name]
    file_all(store, [work.plan(n, verdict("cat")) for n in range(3, 6)])
    seen += [row.name for row in reading]
    assert seen == ["a2.jpg", "a1.jpg", "a0.jpg"]
    assert len(list(store.log.rows(LogFilter()))) == 6


def test_readers_do_not_wait_for_a_writer(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`imgsort log` answers while the daemon writes; another writer gives up in one sentence."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store.open(database, root=tmp_path) as store:
        assert len(list(store.log.rows(LogFilter()))) == 20
        with pytest.raises(StoreBusy, match=r"Another program has kept .*imgsort\.db locked"):
            store.runs.begin("run")
        other.execute("ROLLBACK")
        assert store.runs.begin("run") == 2
    other.close()


def test_threads_share_a_store(store: Store, tmp_path: Path) -> None:
    """The daemon's stages write and read at the same time; nothing is lost or mixed."""
    work = Workplace(tmp_path)

    def fill(first: int) -> None:
        for number in range(first, first + 10):
            file_all(store, [work.plan(number, verdict("cat"))])
            assert store.classes.names()

    threads = [threading.Thread(target=fill, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({row.path for row in store.log.rows(LogFilter())}) == 40
    assert store.classes.names() == {1: "cat", 2: "other"}


def test_a_full_disk_is_said_and_passes(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the batch is kept, and the same batch goes in once there is room."""
    work = Workplace(tmp_path)
    batch = [work.plan(number, verdict("dog")) for number in range(100, 300)]
    real = engine.connect

    def cramped(*args: Path, checkpointer: bool) -> sqlite3.Connection:
        connection = real(*args, checkpointer=checkpointer)
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are
        return connection

    monkeypatch.setattr(engine, "connect", cramped)
    with Store.open(database, root=tmp_path) as store:
        with pytest.raises(StoreFull, match=r"imgsort\.db is full; make room on it"):
            store.journal.record_decided(1, batch)
        assert store.journal.unfinished() == []
    monkeypatch.setattr(engine, "connect", real)
    with Store.open(database, root=tmp_path) as store:
        assert len(store.journal.record_decided(1, batch)) == 200


def test_an_io_error_has_a_name(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be read at all is neither busy nor full, and says to look after the disk."""
    with Store.open(database, root=tmp_path) as store:
        shutil.rmtree(database.parent)
        with pytest.raises(StoreBroken, match="look after the disk"):
            store.runs.begin("run")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreFull),
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
        (sqlite3.SQLITE_LOCKED, StoreBusy),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreBroken),
        (sqlite3.SQLITE_IOERR_WRITE, StoreBroken),
        (sqlite3.SQLITE_CANTOPEN, StoreBroken),
        (sqlite3.SQLITE_READONLY, DatabaseProblem),
        (sqlite3.SQLITE_CORRUPT, DatabaseProblem),
        (sqlite3.SQLITE_NOTADB, DatabaseProblem),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.OperationalError),
    ],
)
def test_what_sqlite_reports_becomes_what_a_caller_can_do(
    tmp_path: Path, code: int, expected: type[Exception]
) -> None:
    """Try again later, look after the disk, or ask a human; a bug of ours stays what it is."""
    problem = sqlite3.OperationalError("as SQLite puts it")
    problem.sqlite_errorcode = code
    with pytest.raises(expected) as told, engine.translated(tmp_path / "imgsort.db"):
        raise problem
    assert type(told.value) is expected


def test_a_missing_database_says_what_to_do(tmp_path: Path) -> None:
    """No empty file is made in its place."""
    with pytest.raises(DatabaseProblem) as told:
        Store.open(tmp_path / "imgsort.db", root=tmp_path)
    assert str(told.value) == (
        f"{tmp_path}/imgsort.db is missing; bring it back with `imgsort restore FILE`, or, where "
        f"there is no backup (there is none in {tmp_path.parent}/backups), make a new log from the "
        f"folders with `imgsort rebuild-db`."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_program_is_left_alone(database: Path, tmp_path: Path) -> None:
    """Exit 78, both revisions named, not one byte changed."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(DatabaseProblem, match=f"at revision ffff.*up to {head_revision()}") as told:
        Store.open(database, root=tmp_path)
    assert told.value.exit_code == 78
    assert database.read_bytes() == before


def test_what_was_half_written_outside_of_wal_mode_is_undone(
    database: Path, tmp_path: Path
) -> None:
    """A hot journal, as a power cut leaves it beside a database that a backup tool copied."""
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("PRAGMA cache_size = 1")  # so that pages reach the file before the commit
        writer.execute("BEGIN")
        writer.executemany(
            "INSERT INTO runs (kind, started_at) VALUES (?, '2026-11-22T12:00:00.000Z')",
            [("x" * 3000,)] * 50,
        )
        cut = tmp_path / "cut"
        cut.mkdir()
        for name in ("imgsort.db", "imgsort.db-journal"):
            shutil.copy(database.with_name(name), cut / name)
        writer.execute("ROLLBACK")
    with Store.open(cut / "imgsort.db", root=cut, checkpointer=True) as store:
        assert store.integrity() == []
        assert store.labels.current(["x" * 3000]) == {}
    assert not (cut / "imgsort.db-journal").exists()


def test_a_database_without_tables_asks_for_migrate(tmp_path: Path) -> None:
    """An older or empty schema is brought up to date by the user, not behind his back."""
    (tmp_path / "imgsort.db").touch()
    with pytest.raises(
        DatabaseProblem,
        match=f"at revision none, this imgsort needs {head_revision()}; run `imgsort migrate`",
    ):
        Store.open(tmp_path / "imgsort.db", root=tmp_path)


def test_a_file_that_is_no_database_is_refused(database: Path, tmp_path: Path) -> None:
    """A damaged header stops the start, with a way out."""
    database.write_bytes(b"\xff" * 8192)
    with pytest.raises(DatabaseProblem, match=r"is damaged .*bring a backup back"):
        Store.open(database, root=tmp_path)


def test_integrity_is_silent_about_a_sound_database(store: Store) -> None:
    """Nothing found, nothing said."""
    assert store.integrity() == []


def test_integrity_finds_a_damaged_page(database: Path, tmp_path: Path) -> None:
    """Noise over a page of a table is found before anything is read from it."""
    content = bytearray(database.read_bytes())
    connection = sqlite3.connect(database)
    page = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'arrivals'"
    ).fetchone()
    connection.close()
    start = (page[0] - 1) * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    database.write_bytes(content)
    with Store.open(database, root=tmp_path) as store:
        assert store.integrity() != []
        with pytest.raises(DatabaseProblem, match="is damaged"):
            list(store.log.rows(LogFilter()))


READ_ONLY = """
import os, sys
from pathlib import Path
from imgsort.store import Store
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
Store.open(Path(sys.argv[1]), root=Path(sys.argv[1]).parent)
"""


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_database_that_may_not_be_written_is_refused(database: Path, what: str) -> None:
    """Another user, or a mode that forbids it: one sentence that names the place."""
    folder = Path(tempfile.mkdtemp())
    try:
        copy = folder / "imgsort.db"
        shutil.copy(database, copy)
        copy.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o777 if what == "file" else 0o555)
        code = [sys.executable, "-c", READ_ONLY, str(copy)]
        told = subprocess.run(code, capture_output=True, text=True, check=False)
        place = copy if what == "file" else folder
        assert told.stderr.splitlines()[-1] == (
            f"imgsort.errors.DatabaseProblem: {place} can't be written by this user; run imgsort "
            f"as its owner, or correct its owner or mode."
        )
        assert list(folder.iterdir()) == [copy]
    finally:
        folder.chmod(0o777)
        shutil.rmtree(folder)


def test_a_folder_name_is_no_address(tmp_path: Path) -> None:
    """Characters that mean something in a URI, or no text at all, are only a name."""
    root = tmp_path / os.fsdecode(b"a?mode=memory#b%20\xff")
    with new_store(root) as store:
        file_all(store, [Workplace(root).plan(1, verdict("cat"))])
    assert (root / "state" / "imgsort.db").stat().st_size > 0


def test_a_model_number_is_never_used_for_another_model(store: Store) -> None:
    """Predictions of a lost model 1 must not be taken for those of a new one."""
    store.predictions.add_model(card(1))
    with pytest.raises(ModelProblem, match="The log knows another model 1, of 2026-11-01T08:00:00"):
        store.predictions.add_model(card(1, backbone_id="another"))


def test_a_run_is_on_record(store: Store, tmp_path: Path) -> None:
    """Every move names its run; a run says how it ended."""
    run = store.runs.begin("run")
    store.runs.end(run, "20 filed")
    (planned,) = store.journal.record_decided(run, [Workplace(tmp_path).plan(1, verdict("cat"))])
    store.journal.mark_landed([landed(planned)])
    connection = sqlite3.connect(tmp_path / "state" / "imgsort.db")
    found = connection.execute(
        "SELECT runs.kind, runs.summary, moves.cause, moves.state, moves.done_at, moves.sha256"
        " FROM moves JOIN runs ON runs.id = moves.run_id"
    ).fetchall()
    connection.close()
    done_at = NOON.replace(minute=1).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert found == [("run", "20 filed", "file", "done", done_at, sha256("1"))]


def test_classes_keep_their_ids(store: Store) -> None:
    """A class is made once; the answer names each one asked for."""
    first = store.classes.ensure(["cat", "dog"])
    assert store.classes.ensure(["snake", "dog", "dog"]) == {"snake": 3, "dog": first["dog"]}
    assert store.classes.names() == {1: "cat", 2: "dog", 3: "snake"}


def test_a_topic_is_loaded_when_it_is_asked_for(store: Store, tmp_path: Path) -> None:
    """`log` and `status` answer at once: opening the store loads no topic, and the log's rows load
    nothing that writes."""
    store.runs.begin("run")
    script = """
import sys
from pathlib import Path
from imgsort.records.log import LogFilter
from imgsort.store import Store
def loaded():
    return {name.removeprefix("imgsort.store.") for name in sys.modules if "imgsort.store." in name}
with Store.open(Path(sys.argv[1]) / "state" / "imgsort.db", root=Path(sys.argv[1])) as store:
    print(*sorted(loaded()))
    list(store.log.rows(LogFilter()))
    print(*sorted(loaded() & {"journal", "decisions", "files", "history", "labels", "pictures"}))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "engine paths revision store tables\n\n"
