"""``imgsort.open``: the workspace for scripts and notebooks."""

import subprocess
import sys
from pathlib import Path

import pytest

import imgsort
from imgsort.errors import ImgsortError, NothingToDo, WorkspaceMissing
from tests.cli_runner import REPOSITORY
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file("north/cat-1.jpg", "cat-2.jpg", "unsure-dog-1.jpg")
    return desk


def test_importing_loads_nothing() -> None:
    """What a session needs is loaded when one is opened, and no model even then."""
    code = (
        "import sys, imgsort; before = set(sys.modules); print(imgsort.__version__, "
        "sorted({'numpy', 'pydantic', 'sqlalchemy', 'imgsort.api'} & before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{imgsort.__version__} []\n"


def test_the_log_is_asked(desk: Desk) -> None:
    """Typed rows, newest first, under the conditions of `imgsort log`."""
    with imgsort.open(desk.workspace.root) as photos:
        assert photos.root == desk.workspace.root
        rows = list(photos.log(label="cat"))
        assert {(row.name, row.final_label, row.subfolder) for row in rows} == {
            ("cat-1.jpg", "cat", "north"),
            ("cat-2.jpg", "cat", ""),
        }
        assert [row.name for row in photos.log(unsure=True)] == ["unsure-dog-1.jpg"]
        assert len(list(photos.log(limit=1))) == 1
        assert list(photos.log(since="1m")) == []


def test_pictures_are_labelled(desk: Desk) -> None:
    """By name, path or id; they move, `undo` knows the run, and the log agrees."""
    with imgsort.open(str(desk.workspace.root)) as photos:
        [unsure] = photos.log(unsure=True)
        done = photos.label([unsure.id, desk.workspace.sorted / "cat/cat-1.jpg"], "dog")
    assert (done.labelled, done.left) == (2, ())
    assert sorted(path.name for path in done.moved) == ["cat-1.jpg", "unsure-dog-1.jpg"]
    assert all(path.parent == desk.workspace.sorted / "dog" for path in done.moved)
    assert desk.log("SELECT kind, summary FROM runs ORDER BY id DESC LIMIT 1") == [
        ("label", "2 labelled, 2 files moved")
    ]
    assert desk.agrees()


def test_what_the_command_refuses_is_refused(desk: Desk) -> None:
    """A slip, an unknown picture, a word said before, no workspace: errors of one kind."""
    photos = imgsort.open(desk.workspace.root)
    with pytest.raises(ImgsortError, match="may be a slip for dog"):
        photos.label("cat-1.jpg", "dgo")
    with pytest.raises(ImgsortError, match="nothing was labelled"):
        photos.label("nosuch.jpg", "dog")
    photos.label("cat-1.jpg", "dgo", new_class=True)
    with pytest.raises(NothingToDo):
        photos.label("cat-1.jpg", "dgo")
    with pytest.raises(WorkspaceMissing):
        imgsort.open(desk.workspace.sorted)
    assert desk.count_labels() == 1
