"""Disks that are full, read-only, gone, or another one than the inbox's; under the real daemon."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.conftest import copied
from tests.chaos.ledger import Ledger
from tests.chaos.program import Program, said, wait_for

Mount = Callable[..., None]
pytestmark = pytest.mark.chaos


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = folder / ".ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


def on_another_disk(workspace: Workspace, mount: Mount, size: str = "4m") -> Workspace:
    """The same with sorted/ on a small file system of its own."""
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", at=workspace.sorted)
    return workspace


def paused(daemon: Program, reason: str) -> None:
    daemon.wait_until("paused")
    assert reason in str(said(daemon.workspace)["paused_reason"])


def goes_on(daemon: Program, books: Books) -> None:
    """By itself: nobody restarts it."""
    wait_for(lambda: books.waiting() == 0, "the images to be filed")
    daemon.wait_until("running")
    assert daemon.stop() == 0


def test_a_full_destination_pauses_until_there_is_room(
    books: Books, mount: Mount, ledger: Ledger
) -> None:
    """The images wait in the inbox; with room again it goes on by itself."""
    workspace = on_another_disk(books.workspace, mount)
    ballast = fill(workspace.sorted)
    daemon = Program.daemon(workspace)
    books.drop(4)
    paused(daemon, "disk is full")
    assert books.waiting() == 4
    ballast.unlink()
    goes_on(daemon, books)
    ledger.fault("full disk: sorted/", books.harm())


def test_a_full_disk_under_everything(
    founded: Path, tmp_path: Path, mount: Mount, ledger: Ledger
) -> None:
    """Database and pictures on one full disk: nothing half done, and it goes on by itself."""
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", at=place)
    books = Books(copied(founded, place / "photos"))
    daemon = Program.daemon(books.workspace)
    for _ in range(3):
        daemon.process.send_signal(signal.SIGSTOP)  # the disk fills before it looks
        books.drop(6)
        ballast = fill(place)
        daemon.process.send_signal(signal.SIGCONT)
        time.sleep(4)  # its status can't be written on this disk, so nobody can ask it
        assert daemon.process.poll() is None
        assert books.waiting() > 0
        ballast.unlink()
        wait_for(lambda: books.waiting() == 0, "the images to be filed")
    assert daemon.stop() == 0
    ledger.fault("full disk: the whole workspace", books.harm(), 3)


def test_a_read_only_destination_pauses_until_it_can_be_written(
    books: Books, mount: Mount, ledger: Ledger
) -> None:
    """Remounted read-only while it runs, and writable again."""
    workspace = on_another_disk(books.workspace, mount)
    daemon = Program.daemon(workspace)
    books.drop(2)
    wait_for(lambda: books.waiting() == 0, "the first images")
    remount(workspace.sorted, "ro")
    books.drop(3)
    paused(daemon, "mounted read-only")
    assert books.waiting() == 3
    remount(workspace.sorted, "rw")
    goes_on(daemon, books)
    ledger.fault("read-only disk: sorted/", books.harm())


def test_an_inbox_that_is_unmounted_is_no_empty_inbox(
    books: Books, mount: Mount, ledger: Ledger
) -> None:
    """Paused; nothing is taken from, or written on, the naked mount point."""
    workspace = books.workspace
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", at=workspace.inbox)
    daemon = Program.daemon(workspace)
    books.drop(2)
    wait_for(lambda: books.waiting() == 0, "the first images")
    subprocess.run(["umount", str(workspace.inbox)], check=True)
    workspace.inbox.rmdir()
    paused(daemon, "inbox is missing")
    workspace.inbox.mkdir()
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", at=workspace.inbox)
    books.drop(2)
    goes_on(daemon, books)
    ledger.fault("inbox unmounted", books.harm())


def test_sorted_unmounted_and_back(books: Books, mount: Mount, ledger: Ledger) -> None:
    """Its pictures are not called missing for it, and nothing lands below the mount point."""
    workspace = on_another_disk(books.workspace, mount)
    daemon = Program.daemon(workspace)
    books.drop(2)
    wait_for(lambda: books.waiting() == 0, "the first images")
    kept = workspace.root / "kept"
    kept.mkdir()
    subprocess.run(["mount", "--bind", str(workspace.sorted), str(kept)], check=True)
    try:
        subprocess.run(["umount", "--lazy", str(workspace.sorted)], check=True)
        workspace.sorted.rmdir()
        books.drop(2)
        paused(daemon, "sorted is missing")
        assert books.waiting() == 2
        workspace.sorted.mkdir()
        mount("--bind", kept, at=workspace.sorted)
        goes_on(daemon, books)
    finally:
        subprocess.run(["umount", str(kept)], check=True)
    ledger.fault("sorted/ unmounted", books.harm())


def test_a_destination_that_only_root_may_write(books: Books, ledger: Ledger) -> None:
    """chattr +i stops root too: its images are left for a minute, with the reason, and tried
    again."""
    workspace = books.workspace
    daemon = Program.daemon(workspace)
    immutable = subprocess.run(
        ["chattr", "+i", str(workspace.sorted)], capture_output=True, check=False
    )
    if immutable.returncode != 0:
        pytest.skip(f"chattr +i is not possible here: {immutable.stderr.decode().strip()}")
    try:
        books.drop(2)
        wait_for(lambda: "may not write there" in str(said(workspace)["left_in_place"]), "a word")
        assert said(workspace)["state"] == "running"
    finally:
        subprocess.run(["chattr", "-i", str(workspace.sorted)], check=True)
    wait_for(lambda: books.waiting() == 0, "the images to be filed", 90)
    assert daemon.stop() == 0
    ledger.fault("destination forbidden", books.harm())
