"""`backup`: whole, verified, at one moment, and never half of one."""

import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgsort.care import archive, backup
from imgsort.care.backup import back_up, daily_backups, no_rest, prune
from imgsort.daemon.daily_backup import EVERY, OVERDUE, Backups, is_due, made_at
from imgsort.daemon.log_output import Notices
from imgsort.errors import BackupProblem, DatabaseProblem
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import environment, wait_for
from tests.desk import Desk

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def unpacked(file: Path, folder: Path) -> archive.Manifest:
    folder.mkdir()
    return archive.unpack(file, folder, no_rest)


def test_a_backup_holds_all_but_the_pictures(desk: Desk, tmp_path: Path) -> None:
    """Database, models, configuration and class list, with the rows there were."""
    done = back_up(desk.workspace)
    manifest = unpacked(done.path, tmp_path / "out")
    assert set(manifest.files) == {
        "imgsort.db",
        "config.toml",
        "classes.json",
        "models/v0001/model.json",
        "models/v0001/head.safetensors",
    }
    assert (manifest.rows["arrivals"], manifest.active) == (5, 1)
    assert [path.name for path in desk.workspace.backups.iterdir()] == [done.path.name]


def test_a_backup_is_one_moment_while_somebody_writes(desk: Desk, tmp_path: Path) -> None:
    """A writer that never rests neither blocks it nor makes it start over; no row is half in it."""
    stop = threading.Event()
    written = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            desk.file_all({f"cat-{number}-x.jpg": f"cat-{number}-x.jpg"})
            written.append(number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: len(written) > 3, "the writer to write")
        before = len(written)
        # Resting makes the copy last; the writer goes on meanwhile.
        done = back_up(desk.workspace, rest=lambda: time.sleep(0.05))
        during = len(written) - before
    finally:
        stop.set()
        writer.join()
    rows = unpacked(done.path, tmp_path / "out").rows
    assert during > 0
    assert rows["arrivals"] == rows["images"]
    assert 5 + before <= rows["arrivals"] <= 5 + before + during + 1
    assert desk.agrees()


def test_a_killed_backup_leaves_none(desk: Desk) -> None:
    """Killed at every stage: no file that could be taken for a backup, and the next one cleans."""
    script = """
import os, signal, sys
from pathlib import Path
from imgsort.care.backup import back_up
from imgsort.workspace.workspace import Workspace
left = int(sys.argv[2])
def rest():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
back_up(Workspace.open(Path(sys.argv[1])), rest=rest)
"""
    killed = 0
    for steps in (0, 1, 2, 4, 6, 9, 12):
        command = [sys.executable, "-c", script, os.fspath(desk.workspace.root), str(steps)]
        answer = subprocess.run(command, env=environment(), check=False, capture_output=True)
        assert answer.returncode in {0, -signal.SIGKILL}, answer.stderr
        if answer.returncode:
            killed += 1
            assert list(desk.workspace.backups.glob("*.tar")) == []
            assert any(desk.workspace.backups.iterdir())
    assert killed >= 5
    done = back_up(desk.workspace)
    assert done.path in list(desk.workspace.backups.iterdir())
    assert [path for path in desk.workspace.backups.iterdir() if path.is_dir()] == []


def test_a_damaged_database_is_not_backed_up(desk: Desk) -> None:
    """Better no backup than one that pushes the sound ones out."""
    damage(desk.workspace.database)
    with pytest.raises(DatabaseProblem, match="is damaged"):
        back_up(desk.workspace)
    assert list(desk.workspace.backups.glob("*")) == []


def damage(database: Path) -> None:
    """Write over the middle pages of a database that nobody has open."""
    size = database.stat().st_size
    with database.open("r+b") as file:
        for page in range(4, size // 4096, 2):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)


def test_nothing_is_overwritten(desk: Desk, tmp_path: Path) -> None:
    """An existing file keeps its content, and the picture folders take no backup."""
    taken = tmp_path / "mine.tar"
    taken.write_bytes(b"mine")
    with pytest.raises(BackupProblem, match="nothing is overwritten"):
        back_up(desk.workspace, taken)
    assert taken.read_bytes() == b"mine"
    with pytest.raises(BackupProblem, match="is for pictures"):
        back_up(desk.workspace, desk.workspace.sorted)
    with pytest.raises(BackupProblem, match="is no folder"):
        back_up(desk.workspace, tmp_path / "no" / "such.tar")


@pytest.mark.parametrize("size", ["60k", "160k", "176k", "200k", "240k", "300k"])
def test_a_full_disk_leaves_nothing(
    desk: Desk, small_disk: Callable[[str], Path], size: str
) -> None:
    """One sentence that names the backup, wherever the room ends, and the space is free again."""
    disk = small_disk(size)
    with pytest.raises(BackupProblem, match=r"imgsort-\S+ could not be made") as told:
        back_up(desk.workspace, disk)
    assert "nothing was left behind" in str(told.value)
    assert list(disk.iterdir()) == []


def test_only_daily_backups_are_pruned(desk: Desk) -> None:
    """The newest N stay, and those made by hand."""
    by_hand = back_up(desk.workspace).path
    daily = [back_up(desk.workspace, daily=True).path for _ in range(4)]
    assert prune(desk.workspace.backups, 2) == daily[:2]
    assert daily_backups(desk.workspace.backups) == daily[2:]
    assert by_hand.exists()


@pytest.mark.parametrize(
    ("age", "quiet", "due"),
    [
        (None, True, True),
        (None, False, False),
        (EVERY - timedelta(minutes=1), True, False),
        (EVERY, True, True),
        (EVERY, False, False),
        (OVERDUE, False, True),
        (timedelta(days=-2), True, True),
    ],
)
def test_when_it_is_time(age: timedelta | None, quiet: bool, due: bool) -> None:
    """Once a day at a quiet moment; long overdue, or after a clock that went back, all the same."""
    assert is_due(NOW, None if age is None else NOW - age, quiet=quiet) == due


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_daemon_makes_one_when_it_is_quiet(desk: Desk) -> None:
    """Not at its start, not while images wait; then one, and not another on the same day."""
    clock = Clock()
    backups = Backups(desk.workspace, Notices(), clock)
    made = desk.workspace.backups
    backups.tick(0)
    assert not backups.is_working
    clock.now = 1000.0
    backups.tick(waiting=3)
    assert not backups.is_working
    clock.now = 2000.0
    backups.tick(0)
    wait_for(lambda: daily_backups(made) and not backups.is_working, "the daily backup")
    clock.now = 9000.0
    backups.tick(0)
    assert not backups.is_working
    (path,) = daily_backups(made)
    assert made_at(path) is not None


def test_the_daemon_gives_up_at_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop is obeyed between two pieces of work, and leaves nothing."""
    monkeypatch.setattr("imgsort.daemon.daily_backup.BREATH_SECONDS", 30.0)
    clock = Clock()
    backups = Backups(desk.workspace, Notices(), clock)
    clock.now = 2000.0
    backups.tick(0)
    wait_for(desk.workspace.backups.is_dir, "the backup to begin")
    backups.stop()
    assert not backups.is_working
    assert list(desk.workspace.backups.iterdir()) == []


def test_the_database_is_one_file_in_it(desk: Desk, tmp_path: Path) -> None:
    """A copy taken by tar alone can be opened: no -wal is missing."""
    done = back_up(desk.workspace)
    with tarfile.open(done.path) as tar:
        assert tar.getnames()[0] == archive.MANIFEST
        tar.extract("imgsort.db", tmp_path, filter="data")
    header = (tmp_path / "imgsort.db").read_bytes()[18:20]
    assert header == b"\x01\x01"  # not in WAL mode: https://www.sqlite.org/fileformat2.html


def test_the_command(desk: Desk, tmp_path: Path) -> None:
    """Into the folder that was named; the answer names the file."""
    answer = desk.type("backup", tmp_path, "--json").json
    assert Path(answer["path"]).parent == tmp_path
    assert answer["rows"]["arrivals"] == 5
    assert "verified" in desk.type("backup").out


def test_two_at_once(desk: Desk) -> None:
    """The second waits a second, then says so."""
    with desk.workspace.backup_lock(), pytest.raises(BackupProblem, match="being made"):
        back_up(Workspace.open(desk.workspace.root))


def test_working_files_are_hidden() -> None:
    """So that no pattern of backups matches them."""
    assert backup.WORK.startswith(".")
