"""The power goes: a real ext4 or xfs on a loop device drops what it was not told to keep."""

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from imgsort.disk import failpoints
from imgsort.disk.durable import sync_folder
from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.conftest import copied
from tests.chaos.ledger import Harm, Ledger
from tests.chaos.movers import Movers
from tests.chaos.program import Program, typed, wait_for

FILE_SYSTEMS = ("ext4", "xfs")
SHUTDOWN = 0x8004587D
"""FS_IOC_SHUTDOWN; with 2 (NOLOGFLUSH) not even the journal in memory gets to the disk."""
SYNCED = [point for point in failpoints.FILING if point not in ("before-tx1", "after-tx1")]
"""From here on a picture must last whether or not its producer has synced it."""
TRIES = 10
_NUMBERS = count()


@dataclass
class Disk:
    """A file system of its own kind in a file, mounted at ``place``."""

    image: Path
    place: Path
    mount: Callable[..., None]
    cuts: int = field(default=0)

    @classmethod
    def make(cls, kind: str, folder: Path, mount: Callable[..., None]) -> "Disk":
        if shutil.which(f"mkfs.{kind}") is None:
            pytest.skip(f"mkfs.{kind} is not installed")
        disk = cls(folder / "disk.img", folder / "disk", mount)
        disk.place.mkdir()
        with disk.image.open("wb") as image:
            image.truncate(400 << 20)
        subprocess.run([f"mkfs.{kind}", "-q", str(disk.image)], check=True, capture_output=True)
        mount("-o", "loop", disk.image, at=disk.place)
        return disk

    def cut(self) -> None:
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", 2))
        finally:
            os.close(descriptor)
        self.cuts += 1

    def plug_in(self) -> None:
        """Mount it again: the file system replays its own journal."""
        # Decoder processes of a killed daemon take a moment to notice.
        wait_for(self._unmounted, f"{self.place} to be let go")
        # A container that started meanwhile may still hold the dead mount: go on with a copy.
        copy = self.image.with_suffix(f".{self.cuts % 2}")
        subprocess.run(["cp", "--sparse=always", self.image, copy], check=True)
        self.image.unlink()
        self.image = copy
        self.mount("-o", "loop", self.image, at=self.place)

    def _unmounted(self) -> bool:
        return (
            subprocess.run(["umount", str(self.place)], capture_output=True, check=False).returncode
            == 0
        )


@pytest.fixture(params=FILE_SYSTEMS)
def disk(request: pytest.FixtureRequest, tmp_path: Path, mount: Callable[..., None]) -> Disk:
    return Disk.make(request.param, tmp_path, mount)


@pytest.fixture
def plain(disk: Disk, empty_log: Path) -> Books:
    """A workspace on that disk, for movers that judge a picture by its first word."""
    root = disk.place / "photos"
    for name in ("inbox", "sorted", "unsure", "rejected", "state"):
        (root / name).mkdir(parents=True)
    (root / "config.toml").touch()
    shutil.copy(empty_log, root / "state/imgsort.db")
    os.sync()
    return Books(Workspace.open(root))


def arrive(books: Books, *, synced: bool) -> None:
    """Four pictures of three megabytes in all."""
    for word in ("cat", "dog", "unsure", "broken"):
        number = next(_NUMBERS)
        content = f"{word} {os.getpid()} {number} ".encode() + os.urandom(700_000)
        books.put(f"{word}.jpg", content, synced=synced)
    if synced:
        sync_folder(books.workspace.inbox)


def cut_at(disk: Disk, books: Books, movers: Movers, point: str, **how: str) -> Harm:
    """The power goes when a mover reaches this point; afterwards all is filed."""
    root = books.workspace.root
    movers.run("file", root, failpoint=point, **how)
    disk.cut()
    disk.plug_in()
    movers.run("recover", root)
    movers.run("file", root)
    return books.harm()


@pytest.mark.parametrize("point", ["after-place:2", "after-tx2"])
def test_a_power_cut_in_the_middle_of_the_work(
    disk: Disk, plain: Books, movers: Movers, ledger: Ledger, point: str
) -> None:
    """What producers had synced is filed once, and the log knows it."""
    arrive(plain, synced=True)
    ledger.fault("power cut", cut_at(disk, plain, movers, point))


@pytest.mark.chaos
@pytest.mark.parametrize("synced", [True, False], ids=["synced", "unsynced"])
@pytest.mark.parametrize("way", ["rename", "no-noreplace", "only-copies", "copy-mode"])
def test_a_power_cut_at_any_step(
    disk: Disk, plain: Books, movers: Movers, ledger: Ledger, way: str, *, synced: bool
) -> None:
    """The same at every step; and for producers that sync nothing, once we rely on the content."""
    points = [*failpoints.FILING] if synced else SYNCED
    if way == "copy-mode":
        if not synced:
            pytest.skip("the originals stay with their producer, who has to keep them")
        (plain.workspace.root / "config.toml").write_text('[filing]\nmode = "copy"\n')
        plain.workspace = Workspace.open(plain.workspace.root)
    points += {
        "rename": failpoints.NAMING,
        "no-noreplace": (*failpoints.NAMING, *failpoints.CROSSING),
    }.get(way, (*failpoints.COPYING, *failpoints.CROSSING))
    hits = [f"{point}:{hit}" for point in points for hit in (1, 3)]
    for hit in hits:
        arrive(plain, synced=synced)
        ledger.fault("power cut", cut_at(disk, plain, movers, hit, way=way))


@pytest.mark.chaos
def test_a_power_cut_under_the_whole_program(disk: Disk, founded: Path, ledger: Ledger) -> None:
    """`imgsort run` at work when the power goes, whenever that is."""
    books = Books(copied(founded, disk.place / "photos"))
    os.sync()
    for left in (11, 8, 5, 2, 0):
        books.drop(12)
        sync_folder(books.workspace.inbox)
        program = Program(books.workspace, "run")
        wait_for(lambda left=left: books.waiting() <= left, "the work to begin")  # type: ignore[misc]
        disk.cut()
        program.kill()
        disk.plug_in()
        answer = typed(books.workspace, "run", "--once")
        assert answer.returncode == 0, answer.stderr
        ledger.fault("power cut under `imgsort run`", books.harm())


@pytest.mark.chaos
@pytest.mark.parametrize("variant", ["no-content-fsync", "unsynced-log"])
def test_control_without_the_syncs_a_power_cut_does_harm(
    disk: Disk, plain: Books, movers: Movers, ledger: Ledger, variant: str
) -> None:
    """Must fail: contents never synced, or the log committed with synchronous=NORMAL."""
    harm = Harm()
    for _ in range(TRIES):
        arrive(plain, synced=variant == "unsynced-log")
        point = "after-tx2" if variant == "no-content-fsync" else "after-target-fsync"
        movers.run("file", plain.workspace.root, failpoint=point, broken=variant)
        disk.cut()
        disk.plug_in()
        movers.run("recover", plain.workspace.root)
        harm = plain.harm()
        if harm != Harm():
            break
    ledger.control(f"control: power cut, {variant}", harm)
