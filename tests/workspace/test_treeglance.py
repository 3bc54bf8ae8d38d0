"""The short look at the folders says "all in place" exactly where the full one learns nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imgsort import reconciling, treeglance, treescan
from imgsort.reconciling import reconcile_folders
from imgsort.store import Store
from imgsort.tree import Glance, Layout
from imgsort.treeglance import all_in_place
from tests.desk import Desk

NAMES = ("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-dog-2.jpg", "broken-1.jpg")
Doing = Callable[[Path], object]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Everything filed, and looked at once: the log knows the class folders."""
    desk = Desk.at(tmp_path / "photos")
    desk.file(*NAMES)
    look(desk)
    return desk


def look(desk: Desk) -> reconciling.ReconcileSummary:
    with desk.store() as store:
        return reconcile_folders(desk.workspace, store, None)


def short(desk: Desk) -> bool:
    with desk.store() as store:
        return all_in_place(Layout.of(desk.workspace), store)


def test_nothing_new_is_seen_at_a_glance(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then no full look is taken."""
    monkeypatch.setattr(reconciling, "look_through", None)
    assert short(desk)
    assert look(desk) == reconciling.ReconcileSummary()


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


CHANGES: dict[str, Doing] = {
    "moved": lambda root: (root / "sorted/cat/cat-1.jpg").rename(root / "sorted/dog/cat-1.jpg"),
    "renamed": lambda root: (root / "sorted/cat/cat-1.jpg").rename(root / "sorted/cat/x.jpg"),
    "removed": lambda root: (root / "sorted/cat/cat-1.jpg").unlink(),
    "sent back": lambda root: (root / "sorted/cat/cat-1.jpg").rename(root / "inbox/cat-1.jpg"),
    "touched": lambda root: touched(root / "sorted/cat/cat-1.jpg"),
    "copied": lambda root: shutil.copy2(root / "sorted/cat/cat-1.jpg", root / "sorted/dog/c.jpg"),
    "new": lambda root: (root / "unsure/new.jpg").write_bytes(b"new"),
    "new class": lambda root: (root / "sorted/bird").mkdir(),
    "class renamed": lambda root: (root / "sorted/cat").rename(root / "sorted/kitten"),
    "class made anew": lambda root: shutil.copytree(
        root / "sorted/cat", root / "sorted/dog/cat", copy_function=os.link
    ),
    "no class": lambda root: (root / "sorted/CON").mkdir(),
    "replaced": lambda root: (root / "sorted/dog/dog-1.jpg").replace(root / "sorted/cat/cat-1.jpg"),
}


@pytest.mark.parametrize("doing", CHANGES.values(), ids=CHANGES)
def test_every_change_calls_for_a_full_look(desk: Desk, doing: Doing) -> None:
    """Whatever a person does to files or class folders."""
    doing(desk.workspace.root)
    assert not short(desk)


def test_a_lost_picture_that_is_back_calls_for_one(desk: Desk) -> None:
    """While it is missing nothing changes any more; when it is back the log must learn that."""
    path = desk.workspace.sorted / "cat/cat-1.jpg"
    path.rename(desk.workspace.root / "kept.jpg")
    assert look(desk).missing == 1
    assert short(desk)
    (desk.workspace.root / "kept.jpg").rename(path)
    assert not short(desk)
    look(desk)
    assert desk.log("SELECT count(*) FROM arrivals WHERE missing_at IS NOT NULL") == [(0,)]


def test_what_is_filed_meanwhile_is_in_its_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is seen before the log is read: what landed between is known too many."""
    real = treescan.glance

    def early(layout: Layout) -> Glance:
        seen = real(layout)
        desk.file("cat-9.jpg", "dog-9.jpg")
        return seen

    monkeypatch.setattr(treeglance, "glance", early)
    assert short(desk)
    monkeypatch.setattr(treeglance, "LATELY", 1)
    monkeypatch.setattr(treeglance, "glance", lambda _: Glance(set(), (), complete=True))
    assert not short(desk)


def test_folders_that_cannot_be_seen_call_for_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is closed to this user is no empty one."""
    real = treescan.glance
    monkeypatch.setattr(
        treeglance,
        "glance",
        lambda layout: Glance(real(layout).signs, real(layout).folders, complete=False),
    )
    assert not short(desk)


def test_copies_in_two_classes_are_spoken_of_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice about them comes from a full look; the next one must not take it back."""
    monkeypatch.setattr(Store, "contested", lambda _: {"ab": frozenset({"cat", "dog"})})
    assert not short(desk)
