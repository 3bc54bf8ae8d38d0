"""`imgsort classify`: predictions for any file, and nothing moved or recorded."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.cli_runner import asked, contents, imgsort, tree


def test_scripts_get_what_is_promised(home: Path, pictures: list[Path], tmp_path: Path) -> None:
    """A list of {path, label, confidence, decision, top_k: [{label, confidence}]}, then why and by
    what: {reason, reason_code, threshold, unlikeness, model}, in order.

    A folder stands for the pictures below it, a bad one is rejected, no one else suffers; what
    isn't UTF-8 is escaped; nothing is moved, recorded or loaded needlessly.
    """
    folder = tmp_path / "album" / "below"
    folder.mkdir(parents=True)
    shutil.copy(pictures[0], folder / "a.png")
    (folder / os.fsdecode(b"b\xff.png")).write_bytes(pictures[1].read_bytes()[:100])
    (folder / "note.txt").write_text("no picture, so nobody asks")
    (folder / ".hidden.png").write_text("hidden")
    state = contents(home / "state" / "models"), tree(home)
    album = contents(folder)
    answer = imgsort("-C", home, "classify", "--json", "--top-k", "2", pictures[2], folder.parent)
    assert answer.code == 0, answer.err
    assert [item["path"] for item in answer.json] == [
        *(str(pictures[2]), f"{folder}/a.png", f"{folder}/b\\xff.png")
    ]
    for item in answer.json[:2]:
        assert list(item) == [
            *("path", "label", "confidence", "decision", "top_k"),
            *("reason", "reason_code", "threshold", "unlikeness", "model"),
        ]
        filed = item["decision"] == "filed"
        assert filed == (item["confidence"] >= item["threshold"])
        assert item["reason_code"] == (None if filed else "low_confidence")
        assert (item["reason"] is None, item["model"]) == (filed, 1)
        assert item["decision"] in {"filed", "unsure"}
        assert [list(score) for score in item["top_k"]] == [["label", "confidence"]] * 2
        assert item["top_k"][0] == {"label": item["label"], "confidence": item["confidence"]}
    assert answer.json[2] == {
        "path": f"{folder}/b\\xff.png",
        **{"label": None, "confidence": None, "decision": "rejected", "top_k": []},
        **{"reason": "the file is cut short", "reason_code": "unreadable"},
        **{"threshold": None, "unlikeness": None, "model": 1},
    }
    assert answer.err.splitlines()[-1].startswith(f"{folder}/b\\xff.png: ")
    assert "\r" not in answer.err
    assert answer.loaded.isdisjoint({"keras", "tensorflow", "sklearn", "matplotlib"})
    assert (contents(home / "state" / "models"), tree(home)) == state
    assert contents(folder) == album
    assert asked("-C", home, "log", "--json").json == []


def test_people_get_a_table(home: Path, pictures: list[Path]) -> None:
    """One line a picture, the best classes behind it."""
    lines = imgsort("-C", home, "classify", *pictures[:2]).out.splitlines()
    assert lines[0].split() == ["image", "label", "confidence", "decision", "best"]
    assert [line.split()[0] for line in lines[1:]] == [str(path) for path in pictures[:2]]


def test_annotate_writes_a_png_beside_the_picture(home: Path, pictures: list[Path]) -> None:
    """The picture with its label and scores on it; the picture itself stays as it is."""
    target = home / os.fsdecode(b"drawn\xff.PNG")
    before = pictures[0].read_bytes()
    answer = imgsort("-C", home, "classify", pictures[0], "--annotate", target)
    assert answer.code == 0, answer.err
    with Image.open(target) as drawn:
        assert drawn.format == "PNG"
    assert pictures[0].read_bytes() == before


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("out.jpg", "--annotate writes PNG, but out.jpg is named otherwise; end it in .png."),
        ("cat.png", "cat.png is the picture itself; name another file with --annotate."),
        ("link.png", "link.png is the picture itself; name another file with --annotate."),
    ],
)
def test_annotate_refuses_bad_targets(
    home: Path, pictures: list[Path], target: str, sentence: str
) -> None:
    """Told before the model is loaded; the picture is never written over."""
    picture = Path(shutil.copy(pictures[0], home / "cat.png"))
    (home / "link.png").hardlink_to(picture)
    before = tree(home), contents(home / "state" / "models"), picture.read_bytes()
    answer = imgsort("classify", "cat.png", "--annotate", target, cwd=home)
    assert answer.said == (1, sentence)
    assert "openvino" not in answer.loaded
    assert (tree(home), contents(home / "state" / "models"), picture.read_bytes()) == before


def test_annotate_takes_one_picture_and_a_place_that_is_there(
    home: Path, pictures: list[Path]
) -> None:
    """Several pictures, and a folder that doesn't exist, are told."""
    answer = asked("-C", home, "classify", *pictures, "--annotate", home / "out.png")
    assert answer.said == (
        1,
        "--annotate draws on one picture, but 3 are named; name one.",
    )
    missing = home / "nowhere" / "out.png"
    code, said = imgsort("-C", home, "classify", pictures[0], "--annotate", missing).said
    assert (code, "can't be written (No such file or directory)" in said) == (1, True)


def test_what_cant_be_classified_is_told(home: Path, pictures: list[Path]) -> None:
    """A path that doesn't exist (1), nothing readable (1), a folder without pictures (4)."""
    missing = os.fsdecode(b"/no/such\x1b\xff.jpg")
    assert asked("-C", home, "classify", pictures[0], missing).said == (
        1,
        r"/no/such\x1b\xff.jpg doesn't exist; name a picture or a folder of pictures.",
    )
    os.mkfifo(home / "pipe.jpg")
    answer = imgsort("-C", home, "classify", home / "pipe.jpg", home / "config.toml")
    assert answer.code == 1
    assert [line.partition(": ")[0] for line in answer.err.splitlines()] == [
        *(f"{home}/pipe.jpg", f"{home}/config.toml")
    ]
    empty = asked("-C", home, "classify", home / "inbox", "--json")
    assert (empty.code, empty.json) == (4, [])
    assert empty.err == "There is no picture in what was named; name a picture or its folder.\n"
