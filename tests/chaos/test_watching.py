"""Events that never come, an inbox that is exchanged, writers that take their time."""

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books, picture
from tests.chaos.conftest import SETTINGS, copied
from tests.chaos.ledger import Harm, Ledger
from tests.chaos.program import Program, run_once, wait_for

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")
BURST = 60
SLOW_BYTES = 400_000
"""At 4 kB a second, far longer than ten daemons live."""
DAEMONS = 10
pytestmark = pytest.mark.chaos


@contextmanager
def short_queue(length: int) -> Iterator[None]:
    """The kernel's event queues, as long as they are made in here, hold this many events."""
    before = QUEUE.read_text()
    try:
        QUEUE.write_text(f"{length}\n")
    except OSError as problem:
        pytest.skip(f"only root may set fs.inotify.max_queued_events ({problem.strerror})")
    try:
        yield
    finally:
        QUEUE.write_text(before)


def deaf(workspace: Workspace) -> Program:
    """A daemon whose event queue overflowed when a burst came while it was held up."""
    with short_queue(4):
        return Program.daemon(workspace)


def burst(daemon: Program, books: Books, number: int) -> None:
    daemon.process.send_signal(signal.SIGSTOP)
    books.drop(number)
    daemon.process.send_signal(signal.SIGCONT)


def test_an_event_overflow_costs_time_only(books: Books, ledger: Ledger) -> None:
    """The queue holds 4 events, 60 images come at once: the scan finds them."""
    daemon = deaf(books.workspace)
    burst(daemon, books, BURST)
    wait_for(lambda: books.waiting() == 0, "the images to be filed")
    assert daemon.stop() == 0
    ledger.fault("event queue overflow", books.harm())


def test_control_without_the_scan_an_overflow_loses_images(
    founded: Path, tmp_path: Path, ledger: Ledger
) -> None:
    """Must fail: with a scan an hour, images that lost their event (with watchdog 7 all that were
    read along with the overflow) still lie there when a later one is filed."""
    late = SETTINGS.replace("scan_seconds = 2", "scan_seconds = 3600")
    books = Books(copied(founded, tmp_path / "late", late))
    daemon = deaf(books.workspace)
    burst(daemon, books, BURST)
    time.sleep(10)
    (later,) = books.drop(1)
    wait_for(lambda: not later.exists(), "an image that has an event")
    left = books.waiting()
    daemon.kill()
    ledger.control("control: event overflow, no scan", Harm(lost=left))


def test_an_inbox_that_was_replaced_is_watched(books: Books, ledger: Ledger) -> None:
    """mv inbox away; mkdir inbox: the new one is the inbox, the old one is left alone."""
    workspace = books.workspace
    daemon = Program.daemon(workspace)
    for number in range(3):
        away = workspace.root / f"away{number}"
        workspace.inbox.rename(away)
        workspace.inbox.mkdir()
        stays = away / "stays.png"
        stays.write_bytes(picture())
        books.drop(2)
        wait_for(lambda: books.waiting() == 0, "the images in the new inbox")
        assert stays.exists()
    assert daemon.stop() == 0
    ledger.fault("inbox replaced", books.harm(), 3)


def test_a_slow_writer_outlives_ten_daemons(books: Books, ledger: Ledger) -> None:
    """2 kB at a time while the daemon is killed and started again: no half picture is judged."""
    content = picture() + bytes(SLOW_BYTES)
    slow = books.workspace.inbox / "slow.png"
    gone_on = threading.Event()

    def write() -> None:
        with slow.open("wb", buffering=0) as file:
            for start in range(0, len(content), 2000):
                file.write(content[start : start + 2000])
                gone_on.wait(0.5)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(DAEMONS):
            daemon = Program(books.workspace, "run")
            time.sleep(3)
            daemon.kill()
            assert slow.exists(), "it was filed while it was written"
        assert writer.is_alive(), "it was written too soon to tell"
    finally:
        gone_on.set()
        writer.join()
    books.dropped[hashlib.sha256(content).hexdigest()] += 1
    run_once(books.workspace)
    assert books.waiting() == 0
    ledger.fault("daemon killed beside a slow writer", books.harm(), DAEMONS)


def test_a_killed_daemon_leaves_nothing_for_the_next_to_trip_over(
    books: Books, ledger: Ledger
) -> None:
    """SIGKILL at fifteen moments of its life; SIGTERM at others: always a clean exit."""
    kills = 0
    for number in range(15):
        books.drop(6)
        daemon = Program(books.workspace, "run")
        time.sleep(0.3 + number * 0.25)
        if number % 3 == 2:
            assert daemon.stop() in (0, -signal.SIGTERM), daemon.printed()
        else:
            daemon.kill()
        kills += 1
    run_once(books.workspace)
    assert books.waiting() == 0
    ledger.fault("daemon killed or stopped at a moment", books.harm(), kills)
