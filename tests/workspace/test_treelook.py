"""A look at the folders keeps only what differs, and learns what a look at everything would."""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgsort.disk.identity import is_at
from imgsort.reconcile import look as treelook
from imgsort.reconcile.apply import ReconcileSummary, reconcile_folders
from imgsort.reconcile.compare import Sight, differences, to_hash, trusted_moves
from imgsort.reconcile.look import TreeLook, look_at
from imgsort.reconcile.meaning import Reconciled, reconcile
from imgsort.reconcile.scan import hashed, look_through
from imgsort.reconcile.signs import Signs
from imgsort.records.files import Layout, Snapshot
from imgsort.store import Store
from imgsort.store.files import FileTopic
from tests.desk import Desk

NAMES = ("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-dog-2.jpg", "broken-1.jpg")
NOW = 4e9
Doing = Callable[[Path], object]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Everything filed, and looked at once: the log knows the class folders."""
    desk = Desk.at(tmp_path / "photos")
    desk.file(*NAMES)
    learn(desk)
    return desk


def learn(desk: Desk) -> ReconcileSummary:
    with desk.store() as store:
        return reconcile_folders(desk.workspace, store, None)


def look(desk: Desk) -> TreeLook:
    with desk.store() as store:
        return look_at(Layout.of(desk.workspace), store)


def at_everything(layout: Layout, store: Store) -> TreeLook:
    """The plain way, which keeps all."""
    disk, known = look_through(layout), list(store.files.known())
    present = sum(not one.missing for one in known)
    found = differences(disk, known)
    return TreeLook(disk, found, store.files.known_classes(), present, len(found.settled))


def learned(looked: TreeLook, store: Store, layout: Layout) -> Reconciled:
    """What comes of it, once nothing is too young any more."""
    disk, found = replace(looked.disk, taken_at=NOW), looked.found
    found.lost = [one for one in found.lost if not is_at(one.location, one.identity)]
    trusted = trusted_moves(found, disk, looked.classes, layout)
    hashes = hashed(to_hash(found, disk, trusted, layout, unlimited=True), lambda: False)
    spoken = store.labels.current()
    return reconcile(Sight(disk, found, hashes, looked.classes, spoken, layout), unlimited=True)


def test_nothing_new_costs_one_pass(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are not read a second time, and nothing is kept of any file."""
    monkeypatch.setattr(FileTopic, "known", None)
    seen = look(desk)
    assert (seen.disk.files, bool(seen.found), seen.found.settled) == ({}, False, [])
    assert seen.present == len(NAMES)
    assert learn(desk) == ReconcileSummary()


def touched(path: Path) -> None:
    if path.exists():
        os.utime(path, (1, 1))


def refilled(root: Path) -> None:
    """The class folder gets another name; one of its old name is made, and all goes into that."""
    cat, kitten = root / "sorted/cat", root / "sorted/kitten"
    if kitten.exists() or not cat.exists():
        return
    cat.rename(kitten)
    cat.mkdir()
    for path in list(kitten.iterdir()):
        path.rename(cat / path.name)
    os.utime(kitten, (1, 1))  # so that it looks renamed, which it was


def linked(root: Path) -> None:
    """A hard link to one picture in the place of another that looks the same."""
    cat, dog = root / "sorted/cat/cat-1.jpg", root / "sorted/dog/dog-1.jpg"
    if not (cat.exists() and dog.exists()):
        return
    cat.write_bytes(dog.read_bytes())
    shutil.copystat(dog, cat)
    cat.unlink()
    os.link(dog, cat)


def moved(source: str, target: str) -> Doing:
    def move(root: Path) -> None:
        if (root / source).exists():
            (root / target).parent.mkdir(exist_ok=True)
            (root / source).rename(root / target)

    return move


CHANGES: dict[str, Doing] = {
    "moved": moved("sorted/cat/cat-1.jpg", "sorted/dog/cat-1.jpg"),
    "moved to a new class": moved("sorted/cat/cat-2.jpg", "sorted/lynx/cat-2.jpg"),
    "renamed": moved("sorted/cat/cat-2.jpg", "sorted/cat/x.jpg"),
    "removed": lambda root: (root / "sorted/cat/cat-1.jpg").unlink(missing_ok=True),
    "sent back": moved("sorted/dog/dog-1.jpg", "inbox/dog-1.jpg"),
    "to unsure": moved("sorted/dog/dog-1.jpg", "unsure/dog-1.jpg"),
    "from unsure": moved("unsure/unsure-dog-2.jpg", "sorted/dog/unsure-dog-2.jpg"),
    "loose": moved("sorted/cat/cat-2.jpg", "sorted/cat-2.jpg"),
    "touched": lambda root: touched(root / "sorted/cat/cat-1.jpg"),
    "copied": lambda root: [
        shutil.copy2(one, root / "unsure" / f"copy of {one.name}")
        for one in (root / "sorted").glob("*/*-1.jpg")
    ],
    "new": lambda root: (root / "sorted/cat/new.jpg").write_bytes(b"new"),
    "note": lambda root: (root / "sorted/cat/note.txt").write_bytes(b"note"),
    "edited": lambda root: [
        one.write_bytes(b"edited") for one in (root / "sorted").glob("*/cat-1.jpg")
    ],
    "new class": lambda root: (root / "sorted/bird").mkdir(),
    "class renamed": moved("sorted/cat", "sorted/kitten"),
    "class into another": lambda root: shutil.copytree(
        root / "sorted/dog", root / "unsure/dog", copy_function=os.link
    ),
    "class emptied": lambda root: shutil.rmtree(root / "sorted/dog"),
    "class refilled": refilled,
    "no class": lambda root: (root / "sorted/CON").mkdir(),
    "exchanged": linked,
}


@pytest.mark.parametrize(
    "names",
    [*((name,) for name in CHANGES), *itertools.combinations(CHANGES, 2)],
    ids=" and ".join,
)
def test_what_is_learned_is_the_same(desk: Desk, names: tuple[str, ...]) -> None:
    """Whatever a person does, alone and together with anything else."""
    for name in names:
        if (desk.workspace.sorted / "dog").exists() or not name.startswith("class"):
            CHANGES[name](desk.workspace.root)
    layout = Layout.of(desk.workspace)
    with desk.store() as store:
        slim, whole = look_at(layout, store), at_everything(layout, store)
        assert learned(slim, store, layout) == learned(whole, store, layout)
        assert slim.present == whole.present
        assert slim.disk.files.items() <= whole.disk.files.items()


def test_a_lost_picture_that_is_back_is_noticed(desk: Desk) -> None:
    """While it is missing nothing changes any more; when it is back the log must learn that."""
    path = desk.workspace.sorted / "cat/cat-1.jpg"
    path.rename(desk.workspace.root / "kept.jpg")
    assert learn(desk).missing == 1
    assert learn(desk).missing == 0
    (desk.workspace.root / "kept.jpg").rename(path)
    learn(desk)
    assert desk.log("SELECT count(*) FROM arrivals WHERE missing_at IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("first", [True, False])
def test_what_is_filed_meanwhile_is_in_its_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """Before the disk is seen or after: neither strangers, nor lost."""

    def busy(layout: Layout, expected: Signs) -> Snapshot:
        if first:
            desk.file("cat-9.jpg", "dog-9.jpg")
        seen = look_through(layout, expected)
        if not first:
            desk.file("cat-9.jpg", "dog-9.jpg")
        return seen

    monkeypatch.setattr(treelook, "look_through", busy)
    monkeypatch.setattr(FileTopic, "known", None)  # a busy daemon must not read all rows again
    found = look(desk).found
    assert (found.strangers, found.lost, found.same) == ([], [], [])


def test_only_what_could_matter_is_kept(desk: Desk) -> None:
    """Of 40 pictures in their places: one a folder, and those as large as the stranger."""
    desk.file(*(f"cat-{'x' * number}.jpg" for number in range(3, 43)))
    desk.file(*(f"dog-{number}.jpg" for number in range(10, 20)))
    (desk.workspace.sorted / "cat" / "new.jpg").write_bytes(b"z" * 1000)
    found = look(desk).found
    assert [one.path.rpartition("/")[2] for one in found.strangers] == ["new.jpg"]
    assert len(found.settled) == len({one.location.rpartition("/")[0] for one in found.settled})
    size = (desk.workspace.sorted / "dog" / "dog-10.jpg").stat().st_size
    (desk.workspace.sorted / "cat" / "new.jpg").write_bytes(b"z" * size)
    assert {one.size for one in look(desk).found.settled} >= {size}
    same: Any = [one for one in look(desk).found.settled if one.size == size]
    assert len(same) >= 10


def test_copies_in_two_classes_are_spoken_of_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as they lie there, also where nothing else has changed."""
    cat, dog = desk.workspace.sorted / "cat" / "cat-1.jpg", desk.workspace.sorted / "dog"
    desk.type("label", cat, "dog")
    os.utime(shutil.copy(dog / "cat-1.jpg", cat), (1, 1))
    monkeypatch.setattr("imgsort.reconcile.adoption.COPY_SECONDS", 0.0)
    monkeypatch.setattr("imgsort.reconcile.adoption.SETTLE_SECONDS", 0.0)
    (first,) = learn(desk).notices
    assert "copies of one picture lie in cat and dog" in first
    assert learn(desk).notices == (first,)
