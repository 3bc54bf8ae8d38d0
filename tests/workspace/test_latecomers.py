"""A sidecar that comes after its picture was filed, on real folders with a real small model."""

import os
import shutil
import time
from pathlib import Path

import pytest

from imgsort.daemon.service import run as service
from imgsort.filing.late_sidecars import leader_of
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.store.latecomers import Filed
from imgsort.workspace.workspace import Workspace
from tests.logbook import NOON, Workplace, file_all, new_store, verdict

SUFFIXES = (".xmp", ".json")


def filed(*names: str) -> list[Filed]:
    return [
        Filed(number, os.fsencode(name), b"", Path("/sorted/cat", name))
        for number, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("sidecar", "names", "leader"),
    [
        ("a.xmp", ["a.jpg"], 0),
        ("a.jpg.xmp", ["b.jpg", "a.jpg"], 1),
        ("a.CR3", ["a.jpg"], 0),
        ("a.CR3", ["a.png"], None),  # no camera writes a PNG beside a RAW
        ("a.xmp", ["b.jpg"], None),
        ("a.xmp", ["a.jpg", "a.png"], None),  # whose?
        ("a.xmp", ["a.jpg", "a.jpg"], None),  # the camera counted round
        ("a.jpg.xmp", ["a.jpg", "a.png"], 0),
        ("a.doc", ["a.jpg"], None),
    ],
)
def test_whose_sidecar_it_is(sidecar: str, names: list[str], leader: int | None) -> None:
    """One picture, or nobody's."""
    found = leader_of(sidecar, filed(*names), SUFFIXES)
    assert (found and found.arrival_id) == leader


@pytest.fixture
def quick(workspace: Workspace) -> Workspace:
    with workspace.config_file.open("a") as config:
        config.write("\n[watch]\nsettle_seconds = 0.1\n")
    return Workspace.open(workspace.root)


def run(workspace: Workspace) -> None:
    time.sleep(0.2)  # what was dropped has settled by then
    service.run(workspace, once=True)


def places(workspace: Workspace) -> dict[str, Path]:
    """Where each picture of the log lies, by the name it had."""
    with Store.open(workspace.database, root=workspace.root) as store:
        return {
            row.name: workspace.root / row.path for row in store.log.rows(LogFilter(limit=None))
        }


def test_it_goes_after_its_picture(quick: Workspace, test_data: Path) -> None:
    """Under the picture's new name, through the journal; others stay, and nothing is overwritten.

    Two pictures of one name get a number, so does the sidecar of the second.
    """
    cats = sorted((test_data / "cats_dogs_snakes" / "cats").iterdir())
    inbox = quick.inbox
    (inbox / "trip").mkdir()
    shutil.copy(cats[0], inbox / "a.jpg")
    shutil.copy(cats[1], inbox / "trip" / "a.jpg")
    shutil.copy(cats[2], inbox / "b.jpg")
    shutil.copy(cats[3], inbox / "b.webp")  # another with b's stem
    run(quick)
    for name in ("a.xmp", "trip/a.xmp", "a.CR3", "b.xmp", "z.xmp"):
        (inbox / name).write_text(f"of {name}")
    (inbox / "trip" / "a.xmp").touch()
    run(quick)
    left = sorted(os.fspath(path.relative_to(inbox)) for path in inbox.rglob("*.*"))
    assert left == ["b.xmp", "z.xmp"]
    with Store.open(quick.database, root=quick.root) as store:
        rows = [row for row in store.log.rows(LogFilter(limit=None)) if row.name == "a.jpg"]
        assert store.journal.unfinished() == []
    pictures = [quick.root / row.path for row in rows]
    assert {path.with_suffix(".xmp").read_text() for path in pictures} == {
        "of a.xmp",
        "of trip/a.xmp",
    }
    raws = [path.with_suffix(".CR3") for path in pictures if path.with_suffix(".CR3").exists()]
    assert [path.read_text() for path in raws] == ["of a.CR3"]
    assert raws[0].with_suffix(".xmp").read_text() == "of a.xmp"


def test_nothing_is_overwritten(quick: Workspace, test_data: Path) -> None:
    """A sidecar that is there already is somebody's work."""
    picture = next((test_data / "cats_dogs_snakes" / "cats").iterdir())
    shutil.copy(picture, quick.inbox / "a.jpg")
    run(quick)
    beside = places(quick)["a.jpg"].with_suffix(".xmp")
    beside.write_text("there already")
    (quick.inbox / "a.xmp").write_text("late")
    run(quick)
    assert (beside.read_text(), (quick.inbox / "a.xmp").read_text()) == ("there already", "late")


def test_pictures_of_a_thousand_folders_are_found(tmp_path: Path) -> None:
    """A card with a folder for each hour: none of them is one too many."""
    folders = [b"hour-%d" % number for number in range(1200)]
    with new_store(tmp_path) as store:
        place = Workplace(tmp_path)
        file_all(
            store,
            [
                place.plan(number, verdict("cat"), subfolder=folder)
                for number, folder in enumerate(folders)
            ],
        )
        assert {one.subfolder for one in store.pictures.filed_since(folders, NOON)} == {*folders}
