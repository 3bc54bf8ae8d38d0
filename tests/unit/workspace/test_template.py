"""Where a template puts a picture, and which templates are refused."""

import os
import re
from datetime import UTC, datetime
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.workspace.template import BadTemplate, Template, cut, fitted, plain_name, split_name

ARRIVED = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
NAME_BYTES = st.binary(min_size=1, max_size=255).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)


def render(
    template: str,
    *,
    name: bytes | str = "IMG_1.jpg",
    captured_at: str | None = "2024-02-29T07:05:09",
    camera: str | None = "Canon EOS R6",
) -> PurePath:
    return Template.parse(template).render(
        label="cat",
        name=name,
        arrived_at=ARRIVED,
        captured_at=captured_at,
        camera=camera,
        confidence=0.8749,
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{label}/{name}", "cat/IMG_1.jpg"),
        ("{label}/{year}/{month}/{day}/{name}", "cat/2024/02/29/IMG_1.jpg"),
        ("{label}/{date}_{name}", "cat/2024-02-29_IMG_1.jpg"),
        ("{label}/{camera}/{stem} ({confidence}){ext}", "cat/Canon EOS R6/IMG_1 (0.87).jpg"),
        ("{label}/{ext}/{name}", "cat/jpg/IMG_1.jpg"),
        ("{label}/of {label}/{name}", "cat/of cat/IMG_1.jpg"),
    ],
)
def test_tokens_become_folders_and_names(template: str, expected: str) -> None:
    """Each token stands for what the README says."""
    assert str(render(template)) == expected


def placed(template: str, subfolder: bytes) -> str:
    """Where a cat goes that lay in this folder of the inbox."""
    path = Template.parse(template).render(
        label="cat",
        name="IMG_1.jpg",
        arrived_at=ARRIVED,
        captured_at=None,
        camera=None,
        confidence=0.8749,
        subfolder=subfolder,
    )
    return str(path)


@pytest.mark.parametrize(
    ("template", "subfolder", "expected"),
    [
        ("{label}/{subfolder}/{name}", b"north/7", "cat/north/7/IMG_1.jpg"),
        ("{label}/{subfolder}/{name}", b"", "cat/IMG_1.jpg"),
        ("{label}/{subfolder} {name}", b"north/7", "cat/north_7 IMG_1.jpg"),
        ("{label}/{folder1}/{name}", b"north/7", "cat/north/IMG_1.jpg"),
        ("{label}/{folder2}_{name}", b"north/7", "cat/7_IMG_1.jpg"),
        ("{label}/{folder3}/{name}", b"north/7", "cat/unknown/IMG_1.jpg"),
        ("{label}/{folder1}/{name}", b"", "cat/unknown/IMG_1.jpg"),
        ("{label}/{subfolder}/{name}", b".hid\xe9/../x", "cat/hid\udce9/unknown/x/IMG_1.jpg"),
    ],
)
def test_stations_become_folders(template: str, subfolder: bytes, expected: str) -> None:
    """Where a picture lay in the inbox, whole or by level; nothing in it leads out or hides."""
    assert placed(template, subfolder) == expected


@pytest.mark.parametrize("captured_at", [None, "", "0000-00-00T00:00:00", "yesterday"])
def test_arrival_dates_a_picture_without_a_capture_time(captured_at: str | None) -> None:
    """Without a capture time, or with nonsense for one, the day of arrival counts."""
    assert str(render("{label}/{date}/{name}", captured_at=captured_at)) == (
        "cat/2026-11-22/IMG_1.jpg"
    )


@pytest.mark.parametrize(
    ("camera", "folder"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("..", "unknown"),
        ("../../etc", "_.._etc"),
        ("a/b", "a_b"),
        ("  .hidden ", "hidden"),
        ("X\0\x1b[31m\u202e", "X__[31m_"),
        ("é" * 200, "é" * 127),
    ],
)
def test_a_camera_name_stays_one_plain_folder(camera: str | None, folder: str) -> None:
    """Whatever EXIF claims, the camera is one visible folder of at most 255 bytes."""
    assert render("{label}/{camera}/{name}", camera=camera) == PurePath("cat", folder, "IMG_1.jpg")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{name}", "must begin with {label}/"),
        ("{label}", "must begin with {label}/"),
        ("/{label}/{name}", "must begin with {label}/"),
        ("x{label}/{name}", "must begin with {label}/"),
        ("{year}/{label}/{name}", "must begin with {label}/"),
        ("{label}/../{name}", "has '..' for a folder or file name"),
        ("{label}/./{name}", "has '.' for a folder or file name"),
        ("{label}//{name}", "has '' for a folder or file name"),
        ("{label}/{name}/", "has '' for a folder or file name"),
        ("{label}/.hidden/{name}", "has '.hidden', which begins with a dot and would be hidden"),
        ("{label}/{nmae}", "has the unknown token {nmae}"),
        ("{label}/{}{name}", "has the unknown token {}"),
        ("{label}/{name", "has an unbalanced brace"),
        ("{label}/name}", "has an unbalanced brace"),
        ("{label}/{{name}}", "has an unbalanced brace"),
        ("{label}/{year}", "must end with {name}, or with {stem} and then {ext}"),
        ("{label}/{name}/{stem}", "must end with {name}, or with {stem} and then {ext}"),
        ("{label}/{name}.{year}", "must end with {name}, or with {stem} and then {ext}"),
        ("{label}/\x1b{name}", "has an invisible character"),
    ],
)
def test_a_template_that_cannot_work_is_refused(template: str, problem: str) -> None:
    """The refusal says what is wrong and lists the tokens, in one sentence."""
    with pytest.raises(BadTemplate) as refusal:
        Template.parse(template)

    assert str(refusal.value) == (
        f"the template {problem}; the tokens are {{label}} {{name}} {{stem}} {{ext}} {{year}} "
        "{month} {day} {date} {camera} {confidence} {subfolder} {folder1}"
    )


@given(name=NAME_BYTES, camera=st.none() | st.text())
def test_nothing_leaves_its_part(name: bytes, camera: str | None) -> None:
    """No name and no camera can add, remove, hide or overfill a part of the path."""
    path = render("{label}/{camera}/{ext}/{stem}/{date} {name}", name=name, camera=camera)

    assert len(path.parts) == 5
    for part in path.parts:
        raw = os.fsencode(part)
        assert 0 < len(raw) <= 255
        assert b"\0" not in raw
        assert not raw.startswith(b".")


@given(name=NAME_BYTES.filter(lambda name: not name.startswith(b".")))
def test_a_plain_name_keeps_its_bytes(name: bytes) -> None:
    """A name that isn't UTF-8, or has a newline in it, is filed under the very same bytes."""
    assert os.fsencode(str(render("{label}/{name}", name=name))) == b"cat/" + name
    assert os.fsencode(plain_name(os.fsdecode(name))) == name


def test_a_long_name_is_cut_between_characters_before_its_suffix() -> None:
    """255 bytes hold 83 three-byte characters beside a date and .jpg, none of them halved."""
    path = render("{label}/{date}_{name}", name="猫" * 100 + ".jpg")

    assert path.name == "2024-02-29_" + "猫" * 80 + ".jpg"
    assert len(os.fsencode(path.name)) == 255


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.jpg", ("a", ".jpg")),
        ("a.tar.gz", ("a.tar", ".gz")),
        ("a", ("a", "")),
        (".jpg", (".jpg", "")),
        ("..jpg", ("..jpg", "")),
        ("a.", ("a", ".")),
        ("A sentence. " + "x" * 40, ("A sentence. " + "x" * 40, "")),
    ],
)
def test_a_suffix_begins_at_the_last_dot(name: str, parts: tuple[str, str]) -> None:
    """Hidden names and long endings have no suffix."""
    assert split_name(name) == parts


@given(text=st.binary(max_size=300).map(os.fsdecode), longest=st.integers(0, 300))
def test_cut_keeps_a_prefix_that_fits(text: str, longest: int) -> None:
    """What is kept is a beginning of the text, and one more character would not fit."""
    kept = cut(text, longest)

    assert text.startswith(kept)
    assert len(os.fsencode(kept)) <= longest
    if kept != text:
        assert len(os.fsencode(text[: len(kept) + 1])) > longest


def test_room_is_left_for_the_longest_tail() -> None:
    """A sidecar's longer suffix must fit after the same stem."""
    name = fitted("x" * 300 + ".jpg", "_2", tail=len(".jpg.xmp"))

    assert name == "x" * (255 - len("_2.jpg.xmp")) + "_2.jpg"


@pytest.mark.parametrize(
    ("template", "subfolder", "expected"),
    [
        ("{subfolder}/{label}/{name}", b"north/7", "north/7/cat/IMG_1.jpg"),
        ("{subfolder}/{label}/{name}", b"", "cat/IMG_1.jpg"),
        ("{folder1}/{label}/{year}/{name}", b"north/7", "north/cat/2026/IMG_1.jpg"),
        ("{folder1}/{label}/{name}", b"", "unknown/cat/IMG_1.jpg"),
        ("{folder2}/{folder1}/{label}/{name}", b"north/7", "7/north/cat/IMG_1.jpg"),
        ("{folder1}/{label}/{subfolder}/{name}", b"n/7", "n/cat/n/7/IMG_1.jpg"),
    ],
)
def test_stations_may_come_before_the_class(template: str, subfolder: bytes, expected: str) -> None:
    """In camtrapR's order; behind the class everything may stand that could before."""
    assert placed(template, subfolder) == expected


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{folder1}/{name}", "begins with {folder1}/ and has no {label}/ behind it"),
        ("{subfolder}/{label}", "begins with {subfolder}/ and has no {label}/ behind it"),
        ("{folder1}/x{label}/{name}", "begins with {folder1}/ and has no {label}/ behind it"),
        (
            "{folder1}/{year}/{label}/{name}",
            "has '{year}' before {label}/, where only {subfolder}, or {folder1}, {folder2}… can "
            "stand",
        ),
        *(
            (
                template,
                "has other folders of the station beside {subfolder}/{label}/, so that it could "
                "not be told which folder is the class",
            )
            for template in (
                "{subfolder}/{label}/{subfolder}/{name}",
                "{subfolder}/{folder1}/{label}/{name}",
            )
        ),
    ],
)
def test_a_template_whose_class_could_not_be_found_again_is_refused(
    template: str, problem: str
) -> None:
    """In one sentence, which check-config and every start say."""
    with pytest.raises(BadTemplate, match=re.escape(f"the template {problem}; the tokens are")):
        Template.parse(template)
