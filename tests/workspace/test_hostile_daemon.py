"""Everything odd at once, dropped into a real daemon's inbox."""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from imgsort.care.heartbeat import read_status
from imgsort.daemon.service import run as service
from imgsort.disk.display import display
from imgsort.images import READABLE_SUFFIXES
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

MOST_MEMORY = 1e9
"""Bytes for the daemon besides what its workers may take, and on top of what this process held
before: it may have run a thousand tests and loaded TensorFlow."""


@pytest.fixture
def hostile(test_data: Path, workspace: Workspace) -> Path:
    """hostile.tar.gz, links, loops and names that are no UTF-8 included, below the inbox."""
    folder = workspace.inbox / "hostile"
    folder.mkdir()
    # Not Python's tarfile: its filters refuse what this archive is there for.
    command = ["tar", "-xzf", str(test_data / "hostile.tar.gz"), "-C", str(folder)]
    subprocess.run(command, check=True)
    return folder


def contents(workspace: Workspace) -> Counter[str]:
    """How often each content lies in the picture folders, links not followed."""
    found: Counter[str] = Counter()
    for base in workspace.picture_folders:
        for path in base.rglob("*"):
            if path.is_file() and not path.is_symlink():
                found[hashlib.sha256(path.read_bytes()).hexdigest()] += 1
    return found


class Memory:
    """The most memory that this process and its children held together, in bytes more than at the
    start."""

    def __init__(self) -> None:
        self.peak = 0
        self._before = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._before = self._held()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, self._held() - self._before)

    @staticmethod
    def _held() -> int:
        me = psutil.Process()
        total = 0
        for process in (me, *me.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total


def test_everything_hostile_at_once(hostile: Path, workspace: Workspace, test_data: Path) -> None:
    """The daemon finishes; nothing is lost; what claims to be a picture is filed or refused with a
    reason; good neighbours are filed; memory stays bounded."""
    good = sorted((test_data / "cats_dogs_snakes" / "dogs").iterdir())[:40]
    for number, picture in enumerate(good):
        shutil.copy(picture, workspace.inbox / f"good-{number}{picture.suffix}")
    before = contents(workspace)
    began = time.monotonic()
    with Memory() as memory:
        summary = service.run(workspace, once=True)
    assert contents(workspace) == before
    with Store.open(workspace.database, root=workspace.root) as store:
        rows = list(store.log.rows(LogFilter()))
    assert len(rows) == summary.images
    filed = (path for base in workspace.picture_folders[1:] for path in base.rglob("*"))
    names = {display(path.relative_to(workspace.root)) for path in filed if path.is_file()}
    assert {name for name in names if not name.endswith(".xmp")} == {row.path for row in rows}
    assert [row.name for row in rows if row.decision != "filed" and not row.reason] == []
    neighbours = [row for row in rows if row.name.startswith("good-")]
    assert len(neighbours) == len(good)
    assert {row.decision for row in neighbours} <= {"filed", "unsure"}
    assert sum(row.decision == "filed" for row in neighbours) >= len(good) // 2
    workers = len(os.sched_getaffinity(0)) * workspace.config.decode.memory_mb * 1e6
    assert memory.peak < MOST_MEMORY + workers
    assert time.monotonic() - began < 600, "a hostile picture held the daemon up"


def test_what_stays_in_the_inbox_is_no_picture(hostile: Path, workspace: Workspace) -> None:
    """A regular file that stays behind is ignored litter or of a kind imgsort doesn't read, and
    status counts it."""
    service.run(workspace, once=True)
    left = [path for path in workspace.inbox.rglob("*") if path.is_file() and not path.is_symlink()]
    said = read_status(workspace.status_file)
    assert said is not None
    assert said.unsupported.count > 0
    assert len(said.unsupported.examples) > 0
    hidden = (".", "~", "._")
    pictures = [
        path
        for path in left
        if path.suffix.lower() in READABLE_SUFFIXES
        and not any(part.startswith(hidden) for part in path.relative_to(hostile.parent).parts)
    ]
    assert pictures == []
