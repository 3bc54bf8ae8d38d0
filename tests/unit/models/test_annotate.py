"""The annotated picture shows the verdict, hides nothing, and is written whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsort.errors import ImgsortError
from imgsort.models.annotate import MIN_WIDTH, annotated, readable, write_png
from imgsort.records.verdict import NOTHING_KNOWN, Score, Verdict, shortfall

GREEN, ORANGE, RAIL = (46, 125, 50), (230, 130, 20), (225, 225, 225)
SURE = Verdict("cat", 0.75, "filed", None, (Score("cat", 0.75), Score("dog", 0.25)))
UNSURE = Verdict("cat", 0.4, "unsure", shortfall(0.4, 0.7), (Score("cat", 0.4),))


def photo(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def count(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], colour: tuple[int, ...]) -> int:
    return int((pixels == colour).all(axis=2).sum())


def test_the_picture_stays_untouched_above_its_panel() -> None:
    """Every pixel of the picture is still there, and the input isn't drawn on."""
    picture = photo(600, 200)
    before = picture.copy()

    drawn = annotated(picture, SURE)

    assert (picture == before).all()
    assert (drawn[:200] == before).all()
    assert (drawn.shape[1], drawn.dtype) == (600, np.dtype(np.uint8))


def test_a_bar_is_as_long_as_its_score() -> None:
    """Three quarters of the first rail are green where the image is filed."""
    panel = annotated(photo(600, 10), SURE)[10:]
    first_bar = panel[panel.shape[0] - 12 - 2 * 24 + 10]

    green = int((first_bar == GREEN).all(axis=1).sum())
    rail = int((first_bar == RAIL).all(axis=1).sum())

    assert abs(green / (green + rail) - 0.75) < 0.01


def test_an_unsure_verdict_looks_different() -> None:
    """Its best bar is orange, no bar is green."""
    panel = annotated(photo(600, 10), UNSURE)[10:]

    assert count(panel, ORANGE) > 0
    assert count(panel, GREEN) == 0


@pytest.mark.parametrize("label", ["Käfer", "Жук", "猫", "\u202egpj", "a\nb", "x" * 120, ""])
def test_any_label_can_be_drawn(label: str) -> None:
    """Letters of any script, control characters and long names draw something, each their own."""
    verdict = Verdict(label, 0.5, "filed", None, (Score(label, 0.5),))
    other = Verdict("cat", 0.5, "filed", None, (Score("cat", 0.5),))

    drawn, different = annotated(photo(400, 10), verdict), annotated(photo(400, 10), other)

    assert drawn.shape == different.shape
    assert (drawn != different).any()


def test_characters_without_a_glyph_are_named() -> None:
    """No empty boxes: what the font can't draw, and what would break the line, is spelled out."""
    assert readable("Käfer Жук βῆτα") == "Käfer Жук βῆτα"
    assert readable("猫\n") == "[U+732B][U+000A]"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (30, 40)])
def test_a_tiny_picture_gets_room_for_its_panel(width: int, height: int) -> None:
    """The panel keeps its least width, with the picture in the middle."""
    picture = np.zeros((height, width, 3), np.uint8)

    drawn = annotated(picture, SURE)

    left = (MIN_WIDTH - width) // 2
    assert drawn.shape[1] == MIN_WIDTH
    assert (drawn[:height, left : left + width] == picture).all()


def test_a_model_that_knows_nothing_is_drawn_too() -> None:
    """No label and no scores: the reason stands alone."""
    drawn = annotated(photo(400, 10), Verdict("", 0.0, "unsure", NOTHING_KNOWN, ()))

    assert drawn.shape[1] == 400


@pytest.mark.parametrize("name", [b"out.png", b"bad_utf8_\xff.png", "猫 .png".encode()])
def test_a_png_is_written_under_any_name_and_read_back_the_same(
    name: bytes, tmp_path: Path
) -> None:
    """RGB order included; an older file of the name is replaced, and nothing else is left."""
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"older")
    pixels = photo(20, 10)

    write_png(path, pixels)

    with Image.open(path) as image:
        assert (np.asarray(image) == pixels).all()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing/out.png", "folder"])
def test_a_place_that_cannot_be_written_is_told(name: str, tmp_path: Path) -> None:
    """One sentence with the next step, and nothing left behind."""
    (tmp_path / "folder").mkdir()

    with pytest.raises(ImgsortError, match=r"can't be written \(.+\); name another file\.$"):
        write_png(tmp_path / name, photo(4, 4))

    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
