"""Picture folders that are renamed, copied, linked or restored: nobody said anything by that."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from imgsort.reconcile.apply import reconcile_folders
from imgsort.store import Store
from imgsort.workspace.config import Config, FoldersSettings
from imgsort.workspace.workspace import Workspace
from tests.album import Album, made, new_album, sha256
from tests.desk import Desk


@pytest.fixture
def album(tmp_path: Path) -> Iterator[Album]:
    """Two classes, a word on one picture, one in unsure/, one in rejected/."""
    with new_album(tmp_path / "photos") as album:
        for number in range(3):
            album.filed(f"{number}.jpg")
        album.filed("2026-dog.jpg", "dog")
        album.filed("doubtful.jpg", "unsure")
        album.filed("broken.jpg", "rejected")
        album.look()
        yield album


@contextmanager
def as_named(album: Album, root: Path | None = None, **folders: str) -> Iterator[Album]:
    """The same workspace with other folders in config.toml, or opened by another path."""
    workspace = Workspace(root or album.workspace.root, Config(folders=FoldersSettings(**folders)))
    with Store.open(workspace.database, root=workspace.root) as store:
        yield Album(workspace, store)


def rename(folder: Path, target: Path) -> None:
    folder.rename(target)


def move_to_another_disk(folder: Path, target: Path) -> None:
    """New inodes, the times kept, as `cp -a` and `rsync -a` do."""
    shutil.copytree(folder, target)
    shutil.rmtree(folder)


def move_without_times(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target, copy_function=shutil.copyfile)
    shutil.rmtree(folder)


def copy_and_keep(folder: Path, target: Path) -> None:
    """The former folder is kept as a backup."""
    shutil.copytree(folder, target)


def link(folder: Path, target: Path) -> None:
    target.symlink_to(folder)


WAYS: list[Callable[[Path, Path], None]] = [
    rename,
    move_to_another_disk,
    move_without_times,
    copy_and_keep,
    link,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_folders_by_another_name_say_nothing(
    album: Album, tmp_path: Path, way: Callable[[Path, Path], None]
) -> None:
    """config.toml names the picture folders anew, inside or outside of the workspace."""
    elsewhere = made(tmp_path / "disk") / "library"
    way(album.sorted, elsewhere)
    way(album.workspace.unsure, album.workspace.root / "doubtful")
    with as_named(album, sorted=str(elsewhere), unsure="doubtful") as moved:
        summary = moved.look()
        assert (summary.labelled, summary.withdrawn, summary.missing) == (0, 0, 0)
        assert moved.store.labels.current() == {}
        names = {path.name for path in (one.path for one in moved.store.files.known())}
        assert names == {"0.jpg", "1.jpg", "2.jpg", "2026-dog.jpg", "doubtful.jpg", "broken.jpg"}
        assert all(one.path.exists() and not one.missing for one in moved.store.files.known())
        assert not moved.look().learned
        assert all(is_below_now(moved, one.path) for one in moved.store.files.known())


def is_below_now(album: Album, path: Path) -> bool:
    return any(folder in path.parents for folder in album.workspace.picture_folders)


def test_a_correction_made_meanwhile_still_counts(album: Album) -> None:
    """One picture was put into another class while the folder had no name in config.toml."""
    library = album.workspace.root / "library"
    album.sorted.rename(library)
    (library / "cat/0.jpg").rename(library / "dog/0.jpg")
    with as_named(album, sorted="library") as moved:
        assert moved.look().labelled == 1
        assert moved.words() == {"library/dog/0.jpg": "dog"}


def test_a_new_folder_beside_the_former_calls_nothing_missing(album: Album) -> None:
    """config.toml names an empty folder; what was filed before stays where it is, known."""
    made(album.workspace.root / "second")
    with as_named(album, sorted="second") as moved:
        assert not moved.look().missing
        assert all(not one.missing for one in moved.store.files.known())


def test_the_workspace_by_a_link_and_by_absolute_folders(album: Album, tmp_path: Path) -> None:
    """Whatever way it is opened, a file is one row, and named from the workspace."""
    link = tmp_path / "link"
    link.symlink_to(album.workspace.root)
    root = album.workspace.root
    absolute = {name: str(root / name) for name in ("inbox", "sorted", "unsure", "rejected")}
    for opened in (root, link):
        with as_named(album, opened, **absolute) as again:
            assert not again.look().learned
            assert len(list(again.store.files.known())) == 6
            assert again.paths() == again.tree()


def test_a_workspace_that_was_unpacked_has_other_inodes(album: Album, tmp_path: Path) -> None:
    """Two files of one content whose inodes were exchanged: each is where it was."""
    one = album.filed("same.jpg", content=b"same")
    two = album.filed("same2.jpg", "dog", content=b"same")
    os.utime(two, ns=(one.stat().st_atime_ns, one.stat().st_mtime_ns))
    two_before = two.stat()
    album.look()
    spare = album.workspace.root / "spare"
    one.rename(spare)
    two.rename(one)
    spare.rename(two)
    assert one.stat().st_ino == two_before.st_ino
    assert (album.look().labelled, album.store.labels.current()) == (0, {})
    assert album.paths() == album.tree()


@pytest.mark.parametrize("times", [True, False])
def test_a_copied_workspace_says_nothing(album: Album, tmp_path: Path, times: bool) -> None:
    """Every inode is new, with the times or without; copies of one content among them."""
    for name, said in (("a.jpg", "cat"), ("b.jpg", "dog"), ("c.jpg", "unsure")):
        album.filed(name, said, content=b"same")
    album.look()
    copy = tmp_path / "copy"
    shutil.copytree(
        album.workspace.root, copy, copy_function=shutil.copy2 if times else shutil.copyfile
    )
    with as_named(album, copy) as copied:
        summary = copied.look()
        assert (summary.labelled, summary.withdrawn, summary.missing) == (0, 0, 0)
        assert (copied.store.labels.current(), copied.paths()) == ({}, copied.tree())


def test_what_differs_in_a_restored_workspace_is_asked_about(album: Album, tmp_path: Path) -> None:
    """The log is of another moment than the files: what lies elsewhere may be imgsort's own doing.
    It is told once, and from then on a move is a word again."""
    (album.sorted / "dog/filed since.jpg").write_bytes(b"filed since")
    (album.sorted / "cat/0.jpg").rename(album.sorted / "dog/0.jpg")
    for path in (album.sorted / "dog").iterdir():
        os.utime(path, (1, 1))
    copy = tmp_path / "copy"
    shutil.copytree(album.workspace.root, copy)
    with as_named(album, copy) as copied:
        while (summary := copied.look()).waiting:  # what is new has to be two seconds old
            time.sleep(0.5)
        assert copied.store.labels.current() == {}
        [notice] = summary.notices
        assert "2 pictures lie elsewhere than in its log" in notice
        assert copied.paths() == copied.tree()
        assert copied.look().notices == ()
        (copied.sorted / "cat/1.jpg").rename(copied.sorted / "dog/1.jpg")
        assert copied.look().labelled == 1


def test_after_a_restart_that_renumbered_devices_a_move_counts(album: Album) -> None:
    """Every identity is another, but not the inodes."""
    with closing(sqlite3.connect(album.workspace.database)) as log, log:
        log.execute("UPDATE arrivals SET dev = dev + 1")
    (album.sorted / "cat/0.jpg").rename(album.sorted / "dog/0.jpg")
    assert album.look().labelled == 1


def test_the_old_place_is_looked_at_once_more(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies at its place again when the move would be written down has not been moved."""
    picture = album.sorted / "cat/0.jpg"
    target = album.sorted / "dog/0.jpg"
    os.link(picture, target)
    picture.unlink()

    def put_back(*_: object) -> None:
        if not picture.exists():
            os.link(target, picture)

    monkeypatch.setattr("imgsort.reconcile.apply.recover_locked", put_back)
    summary = reconcile_folders(album.workspace, album.store, None)
    assert (summary.labelled, album.store.labels.history(sha256(picture))) == (0, [])
    assert "sorted/cat/0.jpg" in album.paths()


def test_undo_finds_its_way_into_renamed_folders(tmp_path: Path) -> None:
    """A label is taken back, and a filing, after the class and then sorted/ got another name."""
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "cat-3.jpg", "cat-4.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    root = desk.workspace.root
    (root / "sorted/cat").rename(root / "sorted/kitty")
    desk.type("undo", "--last", "--dry-run")
    (root / "sorted").rename(root / "library")
    (root / "config.toml").write_text('[folders]\nsorted = "library"\n')
    assert desk.type("undo", "--run", 2).code == 0
    assert (root / "library/kitty/cat-1.jpg").exists()
    assert desk.type("undo", "--run", 1).code == 0
    assert sorted(path.name for path in (root / "inbox").iterdir()) == [
        *("cat-1.jpg", "cat-2.jpg", "cat-3.jpg", "cat-4.jpg")
    ]
    assert not (root / "sorted").exists()
    assert desk.type("undo", "--last", "--dry-run").code == 4


def test_two_classes_that_exchange_names_are_undone_rightly(tmp_path: Path) -> None:
    """Each move follows its own folder."""
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "dog-2.jpg", "snake-1.jpg")
    desk.type("label", "cat-1.jpg", "snake")
    desk.type("label", "dog-1.jpg", "snake")
    here = desk.workspace.sorted
    (here / "cat").rename(here / "lion")
    desk.type("undo", "--last", "--dry-run")
    (here / "dog").rename(here / "cat")
    for run in (2, 3):
        assert desk.type("undo", "--run", run).code == 0
    assert (here / "lion/cat-1.jpg").exists()
    assert (here / "cat/dog-1.jpg").exists()
