"""XMP sidecars on request: beside the picture, never in it, never over somebody else's."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from imgsort.cli import classes  # noqa: F401 - they register the commands
from imgsort.filing.left_behind_sidecars import errand_beside
from imgsort.filing.relocate import run_errands
from imgsort.workspace.workspace import Workspace
from tests.desk import Desk

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
OURS = "{urn:imgsort:xmp:1}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path / "photos", "[filing]\nwrite_xmp = true\n")


def read(path: Path) -> tuple[list[str | None], dict[str, str]]:
    """Keywords, and what imgsort says besides."""
    tree = ET.parse(path)  # noqa: S314 - our own
    [description] = tree.iter(f"{RDF}Description")
    keywords = [one.text for one in tree.iterfind(f".//{DC}subject//{RDF}li")]
    return keywords, {
        name.removeprefix(OURS): value
        for name, value in description.attrib.items()
        if name.startswith(OURS)
    }


def test_a_filed_picture_is_described(desk: Desk) -> None:
    """Class as a keyword, confidence and model; the picture's bytes are as they were."""
    desk.file("cat-1.jpg")
    picture = desk.workspace.sorted / "cat/cat-1.jpg"
    keywords, facts = read(picture.with_name("cat-1.jpg.xmp"))
    assert keywords == ["cat"]
    assert facts == {
        "decision": "filed",
        "label": "cat",
        "said_by": "model",
        "model_label": "cat",
        "confidence": "0.870000",
        "model": "1",
    }
    assert picture.read_bytes() == b"cat-1.jpg"
    assert [path for path in picture.parent.iterdir() if path.name.startswith(".")] == []


def test_an_imported_picture_is_described(desk: Desk, tmp_path: Path) -> None:
    """By what the person said; nothing is written beside the original."""
    original = tmp_path / "data/cat/a.png"
    original.parent.mkdir(parents=True)
    Image.new("RGB", (24, 32), "red").save(original)
    said = desk.type("import", tmp_path / "data")
    assert said.code == 0, said.err
    assert desk.tree() == ["sorted/cat/a.png", "sorted/cat/a.png.xmp"]
    keywords, facts = read(desk.workspace.sorted / "cat/a.png.xmp")
    assert (keywords, facts["said_by"]) == (["cat"], "human")
    assert list(original.parent.iterdir()) == [original]


def test_what_is_unsure_or_unreadable_is_not(desk: Desk) -> None:
    """There is nothing to say."""
    desk.file("unsure-cat-1.jpg", "broken-1.jpg")
    assert [path for path in desk.tree() if path.endswith(".xmp")] == []


def test_a_persons_word_renews_it(desk: Desk) -> None:
    """It travels with its picture and says what the person said."""
    desk.file("cat-1.jpg", "unsure-dog-1.jpg")
    desk.type("label", "cat-1.jpg", "unsure-dog-1.jpg", "snake")
    assert [path for path in desk.tree() if path.endswith(".xmp")] == [
        "sorted/snake/cat-1.jpg.xmp",
        "sorted/snake/unsure-dog-1.jpg.xmp",
    ]
    keywords, facts = read(desk.workspace.sorted / "snake/cat-1.jpg.xmp")
    assert (keywords, facts["said_by"], facts["model_label"]) == (["snake"], "human", "cat")


@pytest.mark.parametrize("along", [True, False])
def test_a_move_by_hand_renews_it(desk: Desk, *, along: bool) -> None:
    """Whether the person takes the sidecar along or not, and where there was none before."""
    desk.file("cat-1.jpg", "unsure-dog-1.jpg")
    snakes = desk.workspace.sorted / "snake"
    snakes.mkdir()
    beside = desk.workspace.sorted / "cat/cat-1.jpg.xmp"
    beside.with_name("cat-1.jpg").rename(snakes / "cat-1.jpg")
    if along:
        beside.rename(snakes / beside.name)
    (desk.workspace.unsure / "unsure-dog-1.jpg").rename(snakes / "unsure-dog-1.jpg")
    desk.type("undo", "--last", "--dry-run")  # any command looks at the folders first
    assert [path for path in desk.tree() if path.endswith(".xmp")] == [
        "sorted/snake/cat-1.jpg.xmp",
        "sorted/snake/unsure-dog-1.jpg.xmp",
    ]
    for path in snakes.glob("*.xmp"):
        keywords, facts = read(path)
        assert (keywords, facts["said_by"]) == (["snake"], "human")


def test_a_word_without_a_move_renews_it(desk: Desk) -> None:
    """A confirmation, a label that the picture lies right with, and the undo of one."""
    desk.file("cat-1.jpg", "dog-1.jpg")
    desk.type("confirm", "sorted/cat")
    desk.type("label", "dog-1.jpg", "dog")
    said = {
        name: read(desk.workspace.sorted / name / f"{name}-1.jpg.xmp")[1]["said_by"]
        for name in ("cat", "dog")
    }
    assert said == {"cat": "human", "dog": "human"}
    assert desk.type("undo", "--last").code == 0
    assert read(desk.workspace.sorted / "dog/dog-1.jpg.xmp")[1]["said_by"] == "model"


def test_a_word_on_one_copy_renews_the_others(desk: Desk) -> None:
    """What is said of a content is true of each of its files."""
    desk.file_all({"cat-1.jpg": "cat-1.jpg", "cat-2.jpg": "cat-1.jpg"})
    (desk.workspace.sorted / "dog").mkdir()
    (desk.workspace.sorted / "cat/cat-1.jpg").rename(desk.workspace.sorted / "dog/cat-1.jpg")
    desk.type("undo", "--last", "--dry-run")
    assert read(desk.workspace.sorted / "cat/cat-2.jpg.xmp")[0] == ["dog"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_class_that_is_renamed_renews_all_of_its_own(desk: Desk, *, by_hand: bool) -> None:
    """By the command or by the folder."""
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg")
    if by_hand:
        (desk.workspace.sorted / "cat").rename(desk.workspace.sorted / "kitten")
        desk.type("undo", "--last", "--dry-run")
    else:
        assert desk.type("classes", "rename", "cat", "kitten").code == 0
    keywords = [read(path)[0] for path in sorted(desk.workspace.sorted.rglob("*.xmp"))]
    assert keywords == [["dog"], ["kitten"], ["kitten"]]


def test_no_word_makes_a_sidecar_where_there_was_none(tmp_path: Path) -> None:
    """Only files that imgsort moves get one: not a library that is confirmed."""
    desk = Desk.at(tmp_path / "plain")
    desk.file("cat-1.jpg")
    (desk.workspace.root / "config.toml").write_text("[filing]\nwrite_xmp = true\n")
    asked = Desk(Workspace.open(desk.workspace.root))
    asked.type("confirm", "sorted/cat")
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]


def test_somebody_elses_sidecar_is_left_alone(desk: Desk) -> None:
    """Whichever way it is named; then there is none of ours."""
    for name, sidecar in (("cat-1.jpg", "cat-1.xmp"), ("cat-2.jpg", "cat-2.jpg.xmp")):
        (desk.workspace.inbox / sidecar).write_text("stars")
        desk.file(name)
        assert (desk.workspace.sorted / "cat" / sidecar).read_text() == "stars"
    assert len([path for path in desk.tree() if path.endswith(".xmp")]) == 2


def test_it_is_off_by_default(tmp_path: Path) -> None:
    """Nobody finds files that nobody asked for."""
    desk = Desk.at(tmp_path / "plain")
    desk.file("cat-1.jpg")
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]


def test_a_class_may_be_called_anything(desk: Desk) -> None:
    """The sidecar stays XML."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", 'R&D <"big">', "--new-class")
    [path] = (desk.workspace.sorted / 'R&D <"big">').glob("*.xmp")
    assert read(path)[0] == ['R&D <"big">']


def test_what_goes_after_a_picture_is_not_described(desk: Desk) -> None:
    """A sidecar that comes late, or is fetched after a person's move, gets none of its own; the
    picture's own says what the person said."""
    desk.file("cat-1.jpg")
    late = desk.workspace.inbox / "cat-1.json"
    late.write_text("{}")
    beside = desk.workspace.sorted / "cat/cat-1.json"
    with desk.store() as store:
        [picture] = store.pictures.named({"cat-1.jpg"})
        errand = errand_beside(desk.workspace, late, picture.arrival_id, picture.path, beside)
        assert errand is not None
        run = store.runs.begin("sidecars")
        run_errands(
            desk.workspace, store, [errand], lambda plans: store.journal.record_decided(run, plans)
        )
    assert desk.tree() == [
        "sorted/cat/cat-1.jpg",
        "sorted/cat/cat-1.jpg.xmp",
        "sorted/cat/cat-1.json",
    ]

    dog = desk.workspace.sorted / "dog"
    dog.mkdir()
    (desk.workspace.sorted / "cat/cat-1.jpg").rename(dog / "cat-1.jpg")
    assert desk.type("confirm", "sorted/dog").code in {0, 4}

    assert desk.tree() == [
        "sorted/dog/cat-1.jpg",
        "sorted/dog/cat-1.jpg.xmp",
        "sorted/dog/cat-1.json",
    ]
    assert read(dog / "cat-1.jpg.xmp")[0] == ["dog"]
