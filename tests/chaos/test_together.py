"""Several at one workspace: daemons, commands, and programs that only read."""

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.ledger import Ledger
from tests.chaos.program import Program, run_once, said, typed, wait_for

NOTHING_TO_DO = 4
BUSY = 73
"""`undo` of a filing: the live daemon would only file it again."""
STEPS = ("before-tx1", "after-tx1", "after-place", "after-target-fsync", "after-tx2")


@pytest.mark.chaos
def test_a_second_daemon_is_refused(
    books: Books, mount: Callable[..., None], ledger: Ledger
) -> None:
    """Exit 73 and the holder's pid; also by another way into the same workspace."""
    workspace = books.workspace
    other_way = workspace.root.parent / "other way"
    other_way.mkdir()
    mount("--bind", workspace.root, at=other_way)
    daemon = Program.daemon(workspace)
    books.drop(3)
    for way in (workspace, Workspace.open(other_way)):
        answer = typed(way, "run", "--once")
        assert answer.returncode == 73
        assert f"(pid {daemon.process.pid}) holds" in answer.stderr
        assert len(answer.stderr.splitlines()) == 1
    wait_for(lambda: books.waiting() == 0, "the images to be filed")
    assert daemon.stop() == 0
    ledger.fault("second daemon", books.harm(), 2)


@pytest.mark.chaos
def test_movers_beside_each_other_each_killed(books: Books, ledger: Ledger) -> None:
    """The daemon files, people label, refile and undo; each dies in the middle again and again."""
    workspace, random = books.workspace, np.random.default_rng(4)
    books.drop(8)
    run_once(workspace)
    kinds = (("label", "dog"), ("refile",), ("undo",), ("label", "cat"))
    for number in range(16):
        words = _words(workspace, *kinds[number % len(kinds)])
        books.drop(3)
        daemon = Program(workspace, "run", IMGSORT_FAILPOINT=f"{STEPS[number % 5]}:3")
        time.sleep(float(random.uniform(0.5, 3)))
        mover = Program(workspace, *words, IMGSORT_FAILPOINT=STEPS[(number // 2) % 5])
        _waited_or_killed(mover, 20)
        _waited_or_killed(daemon, 5)
        run_once(workspace)
        books.labels = _labels(workspace)  # what people said is theirs to say
        assert books.waiting() == 0
        ledger.fault("daemon and commands together, killed", books.harm(), 2)


@pytest.mark.chaos
def test_a_reader_that_never_lets_go_blocks_nobody(books: Books, ledger: Ledger) -> None:
    """A transaction held open all the while: filing goes on, the WAL shrinks afterwards."""
    workspace = books.workspace
    run_once(workspace)
    with closing(sqlite3.connect(workspace.database)) as reader:
        reader.isolation_level = None
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM arrivals").fetchone() == (0,)
        daemon = Program.daemon(workspace)
        for _ in range(10):
            books.drop(20)
            wait_for(lambda: books.waiting() == 0, "the images to be filed")
        assert reader.execute("SELECT count(*) FROM arrivals").fetchone() == (0,)
    assert daemon.stop() == 0
    assert not workspace.database.with_name("imgsort.db-wal").exists()
    ledger.fault("a reader holds a transaction", books.harm())


@pytest.mark.chaos
def test_a_locked_database_pauses_until_it_is_free(books: Books, ledger: Ledger) -> None:
    """Another program holds the write lock for longer than anybody waits."""
    workspace = books.workspace
    daemon = Program.daemon(workspace)
    with closing(sqlite3.connect(workspace.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        books.drop(2)
        daemon.wait_until("paused")
        assert "locked" in str(said(workspace)["paused_reason"])
        assert books.waiting() == 2
        writer.execute("ROLLBACK")
    wait_for(lambda: books.waiting() == 0, "the images to be filed")
    assert daemon.stop() == 0
    ledger.fault("database locked", books.harm())


def _words(workspace: Workspace, kind: str, *rest: str) -> tuple[str, ...]:
    """The command line: `label` for the newest pictures in unsure/ or sorted/."""
    if kind == "refile":
        return ("refile", "--apply", "--to-unsure")
    if kind == "undo":
        return ("undo", "--last")
    found = _asked(workspace, "SELECT max(id) FROM arrivals WHERE state = 'filed'")
    return ("label", str(found), *rest)


def _labels(workspace: Workspace) -> int:
    return _asked(workspace, "SELECT count(*) FROM labels")


def _asked(workspace: Workspace, question: str) -> int:
    with closing(sqlite3.connect(workspace.database)) as log:
        [[number]] = log.execute(question).fetchall()
    return int(number)


def _waited_or_killed(program: Program, seconds: float) -> None:
    """It dies at its fail point, comes to its end, or is killed."""
    try:
        code = program.process.wait(seconds)
    except subprocess.TimeoutExpired:
        program.kill()
    else:
        assert code in (0, NOTHING_TO_DO, BUSY, -signal.SIGKILL), program.printed()
    assert "Traceback" not in program.printed()
