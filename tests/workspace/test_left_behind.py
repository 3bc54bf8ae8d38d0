"""Sidecars and RAW of pictures that a person moved, on real folders."""

from pathlib import Path

import pytest

from imgsort.filing.left_behind_sidecars import left_behind
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path / "photos")


SUFFIXES = (".xmp", ".json")


@pytest.mark.parametrize(
    ("names", "gone", "expected"),
    [
        (["a.xmp"], ["a.jpg"], {"a.jpg": ("a.xmp",)}),
        (["a.CR2", "a.jpg.xmp"], ["a.jpg"], {"a.jpg": ("a.CR2", "a.jpg.xmp")}),
        (["a.png", "a.xmp"], ["a.jpg"], {}),  # it may be the other's
        (["a.jpg", "a.xmp"], ["a.jpg"], {}),  # another picture has its name by now
        (["a.xmp"], ["a.jpg", "a.png"], {"a.jpg": ("a.xmp",)}),
        (["b.xmp", "a.doc"], ["a.jpg"], {}),
    ],
)
def test_what_a_picture_left(
    names: list[str], gone: list[str], expected: dict[str, tuple[str, ...]]
) -> None:
    """Only what can belong to no picture that is still there."""
    assert left_behind(names, gone, SUFFIXES) == expected


def test_what_belongs_to_a_moved_picture_goes_after_it(desk: Desk) -> None:
    """The person takes the picture, under another name even; sidecar and RAW follow, journaled.

    What is beside it already is not overwritten.
    """
    desk.file("cat-1.jpg", "cat-2.jpg")
    cat, dog = desk.workspace.sorted / "cat", desk.workspace.sorted / "dog"
    dog.mkdir(exist_ok=True)
    for name in ("cat-1.xmp", "cat-1.CR2", "cat-2.xmp"):
        (cat / name).write_text(f"of {name}")
    (dog / "cat-2.xmp").write_text("here before")
    (cat / "cat-1.jpg").rename(dog / "best.jpg")
    (cat / "cat-2.jpg").rename(dog / "cat-2.jpg")

    assert desk.type("confirm", "sorted/dog").code in {0, 4}

    assert (dog / "best.xmp").read_text() == "of cat-1.xmp"
    assert (dog / "best.CR2").read_text() == "of cat-1.CR2"
    assert (dog / "cat-2.xmp").read_text() == "here before"
    assert (cat / "cat-2.xmp").read_text() == "of cat-2.xmp"
    assert not (cat / "cat-1.xmp").exists()
    moves = desk.log("SELECT count(*) FROM moves WHERE cause = 'sidecar' AND state = 'done'")
    assert moves == [(2,)]
