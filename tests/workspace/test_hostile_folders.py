"""Odd folders: links for class folders, one file under many names, ten thousand entries, depth."""

import hashlib
import os
import shutil
import subprocess
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.daemon.inbox.file_kinds import FileKind, NameRules
from imgsort.daemon.inbox.probe import look
from imgsort.daemon.inbox.scan import EXAMPLES, Survey, Walk, sniffed
from imgsort.daemon.inbox.scan_schedule import Rounds
from imgsort.daemon.service import run as service
from imgsort.disk.identity import Identity
from imgsort.images import READABLE_SUFFIXES
from imgsort.reconcile.scan import DEEPEST, hashed
from imgsort.records.files import DiskFile
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import wait_for
from tests.workspace.test_hostile_swaps import daemon_of

NAMES = NameRules(READABLE_SUFFIXES)
MANY = 10_000


@pytest.fixture
def photos(test_data: Path) -> list[Path]:
    return sorted((test_data / "cats_dogs_snakes" / "dogs").iterdir())[:10]


def logged(workspace: Workspace) -> list[LogRow]:
    with Store.open(workspace.database, root=workspace.root) as store:
        return list(store.log.rows(LogFilter()))


def contents(*folders: Path) -> Counter[str]:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def test_a_class_folder_that_is_a_link_gets_nothing(
    workspace: Workspace, photos: list[Path], tmp_path: Path
) -> None:
    """Its pictures wait in the inbox and nobody waits for them; what lies behind the link is
    neither moved nor learned; once the link is gone they are filed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    theirs = Path(shutil.copy(photos[0], outside / "theirs.jpg"))
    link = workspace.sorted / "dog"
    link.symlink_to(outside)
    for photo in photos:
        shutil.copy(photo, workspace.inbox)
    before = contents(workspace.inbox)

    with daemon_of(workspace):
        log = workspace.root / "daemon.log"
        wait_for(
            lambda: "a link or a file stands in its place" in log.read_text(),
            "a word about the link",
        )
    waits = service.run(workspace, once=True).left_in_place

    assert list(outside.iterdir()) == [theirs]
    assert contents(workspace.inbox, workspace.unsure, workspace.rejected) == before
    assert waits == len(list(workspace.inbox.iterdir())) > 0
    with Store.open(workspace.database, root=workspace.root) as store:
        assert store.labels.current() == {}

    link.unlink()
    summary = service.run(workspace, once=True)
    assert (summary.left_in_place, list(workspace.inbox.iterdir())) == (0, [])
    assert contents(workspace.sorted, workspace.unsure, workspace.rejected) == before


def test_hard_links_are_pictures_of_their_own_and_change_nothing_elsewhere(
    workspace: Workspace, photos: list[Path], tmp_path: Path
) -> None:
    """One file under three names in the inbox and one outside: three arrivals, the fourth name
    keeps the file as it was."""
    outside = Path(shutil.copy(photos[0], tmp_path / "outside.jpg"))
    before = outside.stat()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        os.link(outside, workspace.inbox / name)

    summary = service.run(workspace, once=True)

    assert summary.images == 3
    rows = logged(workspace)
    assert sorted(row.name for row in rows) == ["a.jpg", "b.jpg", "c.jpg"]
    assert {row.sha256 for row in rows} == {hashlib.sha256(outside.read_bytes()).hexdigest()}
    assert list(workspace.inbox.iterdir()) == []
    after = outside.stat()
    assert (after.st_ino, after.st_nlink, after.st_mtime_ns, after.st_mode) == (
        before.st_ino, 4, before.st_mtime_ns, before.st_mode,
    )  # fmt: skip


def test_ten_thousand_entries_cost_little_memory(tmp_path: Path) -> None:
    """Of what is left alone a count and a few names are kept; of pictures only as many paths as
    there is room for."""
    original = tmp_path / "0.jpg"
    original.touch()
    for number in range(1, MANY):
        suffix = ("jpg", "mp4", "tmp")[number % 3]
        os.link(original, tmp_path / f"{number}{'-' * 100}.{suffix}")
    survey = Survey()
    tracemalloc.start()
    found = sum(1 for _ in Walk(tmp_path, NAMES, survey))
    rounds = Rounds(tmp_path, NAMES, clock=lambda: 0.0)
    step = rounds.step(100, now=0.0, scan_seconds=30.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == (MANY + 2) // 3
    assert survey.complete
    assert survey.unsupported.count == MANY // 3
    assert len(survey.unsupported.examples) == EXAMPLES
    assert (len(step), rounds.unfinished) == (100, True)
    assert peak < 2_000_000


@pytest.fixture
def emptied(tmp_path: Path) -> Iterator[Path]:
    """A folder that doesn't outlive its test: pytest can't remove what is nested this deep."""
    yield tmp_path
    subprocess.run(["rm", "-rf", str(tmp_path)], check=True)


def test_folders_deeper_than_any_path_are_told_of_and_left(emptied: Path) -> None:
    """A thousand levels: no error, no descriptor for each, the pictures above are found."""
    tmp_path = emptied
    (tmp_path / "top.jpg").touch()
    here = os.getcwd()  # noqa: PTH109 - so deep that only relative paths reach there
    try:
        os.chdir(tmp_path)
        for _ in range(1000):
            Path("down").mkdir()
            os.chdir("down")
        Path("deep.jpg").touch()
    finally:
        os.chdir(here)
    survey = Survey()

    found = list(Walk(tmp_path, NAMES, survey))

    assert found == [f"{tmp_path}/top.jpg"]
    assert (survey.closed.count, survey.complete) == (1, True)
    assert survey.closed.examples[0].count("/") == DEEPEST


def test_no_look_goes_through_a_folder_that_became_a_link(
    tmp_path: Path, photos: list[Path]
) -> None:
    """Neither the look before a picture is taken, nor the first bytes of a file without a suffix,
    nor the hash of a file that a person is thought to have put there."""
    outside, inbox = tmp_path / "outside", tmp_path / "inbox"
    outside.mkdir()
    inbox.mkdir()
    shutil.copy(photos[0], outside / "nameless")
    shutil.copy(photos[0], outside / "a.jpg")
    (inbox / "sub").symlink_to(outside)
    listed = Identity(1, 2, 3, 4)  # of the file that lay there when the folder was listed

    assert look(f"{inbox}/sub/a.jpg", (inbox,)) is None
    assert sniffed(inbox / "sub" / "nameless", inbox) is FileKind.UNSUPPORTED
    assert hashed([DiskFile(f"{inbox}/sub/a.jpg", listed, 0.0)], lambda: False) == {}
    assert sniffed(outside / "nameless", outside) is FileKind.PICTURE
