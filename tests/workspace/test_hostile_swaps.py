"""Somebody swaps files and folders under the daemon's hands: nothing outside is read or moved."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.registry import Registry
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import command, environment, imgsort, wait_for
from tests.hooks import swap_racer

SECONDS = float(os.environ.get("IMGSORT_RACE_SECONDS", "15"))
"""How long a race lasts; minutes find more."""
LONG_AGO = 946_684_800


class Canary:
    """A picture outside the workspace that nobody may read; reading it would show in its atime."""

    def __init__(self, folder: Path, photo: Path) -> None:
        folder.mkdir()
        self.path = Path(shutil.copy(photo, folder / "canary.jpg"))
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.path.chmod(0o600)
        os.utime(self.path, (LONG_AGO, LONG_AGO + 1))
        self._before = self.path.stat()

    def is_untouched(self) -> bool:
        now = self.path.stat()
        return now == self._before and list(self.path.parent.iterdir()) == [self.path]


@pytest.fixture
def photos(test_data: Path) -> list[Path]:
    return sorted((test_data / "cats_dogs_snakes" / "dogs").iterdir())[:60]


@pytest.fixture
def canary(tmp_path: Path, photos: list[Path]) -> Canary:
    return Canary(tmp_path / "elsewhere", photos[-1])


@contextmanager
def daemon_of(workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    """`imgsort run`, its log in a file, as a race has much to tell; must end well at SIGTERM."""
    log = workspace.root / "daemon.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("-C", workspace.root, "run"),
            env=environment(IMGSORT_TEST_LOADED=os.devnull),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_for(lambda: process.poll() or b"ready: watching " in log.read_bytes(), "the daemon")
        yield process
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def files(*folders: Path) -> Iterator[Path]:
    """Regular files, links not followed."""
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def contents(*folders: Path) -> Counter[str]:
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files(*folders))


def logged(workspace: Workspace) -> dict[str, str]:
    """Path below the workspace -> SHA-256, of every row."""
    with Store.open(workspace.database, root=workspace.root) as store:
        return {row.path: row.sha256 for row in store.log.rows(LogFilter())}


def lying(workspace: Workspace) -> dict[str, str]:
    return {
        path.relative_to(workspace.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(*workspace.picture_folders[1:])
    }


def knows(workspace: Workspace, sha256: str) -> bool:
    """Is anything of that content kept, in the log or among the embeddings?"""
    registry = Registry(workspace.models)
    card = registry.card(registry.active() or 1)
    with EmbeddingStore.open(workspace.embeddings) as kept:
        embedded = [
            precision
            for precision in ("float32", "bfloat16", "float16")
            if kept.get(card.backbone_id, precision, [sha256])
        ]
    return bool(embedded) or sha256 in logged(workspace).values()


def raced(inbox: Path, canary: Canary, photo: Path) -> tuple[int, int]:
    """Let the racer loose, as another user where that is possible; pictures made, and swaps."""
    inbox.chmod(0o777)
    program = Path(swap_racer.__file__).read_text()
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(SECONDS), str(canary.path)],
        input=photo.read_bytes(), capture_output=True, cwd=inbox, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    pictures, swaps = done.stdout.split()
    return int(pictures), int(swaps)


@pytest.mark.slow
def test_a_swap_racer_gains_nothing(
    workspace: Workspace, canary: Canary, photos: list[Path]
) -> None:
    """Thousands of exchanges of pictures with links, pipes, folders and each other, and of folders
    with links: the daemon goes on, no picture is lost, and the canary is neither read nor moved."""
    photo = photos[0]
    with daemon_of(workspace):
        pictures, swaps = raced(workspace.inbox, canary, photo)
        last = workspace.inbox / "last.jpg"
        shutil.copy(photo, last)
        wait_for(lambda: not last.exists(), "the picture that came after the race")

    assert canary.is_untouched()
    assert not knows(workspace, canary.sha256)
    made = [photo.read_bytes() + b"%d" % number for number in range(pictures)]
    expected = Counter(hashlib.sha256(data).hexdigest() for data in (*made, photo.read_bytes()))
    assert contents(*workspace.picture_folders) == expected
    assert logged(workspace) == lying(workspace)
    odd = [p for base in workspace.picture_folders[1:] for p in base.rglob("*") if p.is_symlink()]
    assert odd == []
    assert swaps > 50 * SECONDS
    assert len(logged(workspace)) > SECONDS / 2


def test_the_canary_tells_when_it_is_read(canary: Canary, tmp_path: Path) -> None:
    """The check that the races rely on would fail; on a disk mounted noatime it couldn't."""
    assert canary.is_untouched()
    probe = tmp_path / "probe"
    probe.write_bytes(b"x")
    os.utime(probe, (LONG_AGO, LONG_AGO + 1))
    probe.read_bytes()
    if probe.stat().st_atime == LONG_AGO:
        pytest.skip(f"{tmp_path} is mounted noatime: reading leaves no trace there")
    canary.path.read_bytes()
    assert not canary.is_untouched()


@pytest.mark.slow
def test_a_class_folder_swapped_for_a_link_leads_nothing_out(
    workspace: Workspace, canary: Canary, photos: list[Path]
) -> None:
    """Who may write into sorted/ exchanges a class folder with a link to elsewhere, again and
    again while pictures are filed: none lands there, and what lies there is not read."""
    here, away = workspace.sorted / "dog", workspace.sorted / ".away"
    here.mkdir(exist_ok=True)
    away.symlink_to(canary.path.parent)
    over, swaps = threading.Event(), [0]

    def swap() -> None:
        while not over.wait(0.003) or not away.is_symlink():
            swaps[0] += swap_racer.exchange(str(here), str(away))

    with daemon_of(workspace):
        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            for photo in photos[:50]:
                shutil.copy(photo, workspace.inbox)
                time.sleep(SECONDS / 50)
        finally:
            over.set()
            swapper.join()
    # What met the link was set aside for a minute; a new run doesn't wait for that.
    assert imgsort("-C", workspace.root, "run", "--once").code == 0
    assert list(files(workspace.inbox)) == []
    assert canary.is_untouched()
    assert not knows(workspace, canary.sha256)
    assert contents(*workspace.picture_folders) == Counter(
        hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos[:50]
    )
    assert logged(workspace) == lying(workspace)
    assert swaps[0] > 20 * SECONDS
