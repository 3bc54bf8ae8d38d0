"""`import` of real picture files into a real workspace."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgsort.labels.dataset_folder import find
from imgsort.labels.dataset_level import BadDataSet
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path / "photos", "[decode]\nworkers = 2\n")


def picture(path: Path, seed: int) -> None:
    """A small JPEG; the same seed makes the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_for_each_class(desk: Desk, tmp_path: Path) -> None:
    """Pictures are copied with their facts and labelled as representative; the originals stay."""
    data = tmp_path / "data"
    for seed, name in enumerate(("cat/a.jpg", "cat/deep/a.jpg", "dog/d.jpg", "zebra/z.jpg")):
        picture(data / name, seed)
    (data / "cat/notes.txt").write_text("no picture")
    picture(data / "loose.jpg", 9)
    before = contents(data)

    said = desk.type("import", data)

    assert said.code == 0, said.err
    assert said.out == "4 pictures copied and labelled.\n"
    assert "1 picture in no class folder: left alone." in said.err
    assert contents(data) == before
    assert desk.tree() == [
        "sorted/cat/a.jpg",
        "sorted/cat/a_2.jpg",
        "sorted/dog/d.jpg",
        "sorted/zebra/z.jpg",
    ]
    assert (desk.workspace.sorted / "zebra/z.jpg").read_bytes() == before["zebra/z.jpg"]
    assert set(desk.labels().values()) == {
        ("cat", "import", True),
        ("dog", "import", True),
        ("zebra", "import", True),
    }
    assert desk.log("SELECT DISTINCT width, height, format, dhash IS NOT NULL FROM images") == [
        (32, 24, "JPEG", 1)
    ]
    assert desk.log("SELECT DISTINCT cause, mode, state FROM moves") == [("import", "copy", "done")]
    assert desk.log("SELECT DISTINCT decision, model, label FROM prediction_log") == [
        ("filed", None, None)
    ]
    assert desk.agrees()


def test_a_class_folder_that_takes_none_stops_the_import(desk: Desk, tmp_path: Path) -> None:
    """It says how many were copied, as many as lie there and have a label; the same command goes
    on where it stopped, and copies nothing twice."""
    for seed in range(70):
        picture(tmp_path / f"data/cat/{seed:02}.jpg", seed)
    for seed in range(70, 80):
        picture(tmp_path / f"data/{('dog', 'snake')[seed % 2]}/{seed}.jpg", seed)
    in_the_way = desk.workspace.sorted / "dog"
    in_the_way.write_text("no folder")

    said = desk.type("import", tmp_path / "data")

    assert said.code == 1
    lying = [path for path in desk.tree() if path != "sorted/dog"]
    assert len(lying) == 75
    assert "75 pictures were copied and labelled before it stopped." in said.err
    assert len(desk.labels()) == 75
    assert desk.log("SELECT summary FROM runs ORDER BY id DESC LIMIT 1") == [("75 copied",)]
    in_the_way.unlink()
    again = desk.type("import", tmp_path / "data")
    assert again.out == "5 pictures copied and labelled, 75 known already.\n"
    assert len(desk.tree()) == len(desk.labels()) == 80
    assert desk.agrees()


def test_importing_twice(desk: Desk, tmp_path: Path) -> None:
    """What is here under its label already isn't copied again: exit 4."""
    picture(tmp_path / "data/cat/a.jpg", 1)
    assert desk.type("import", tmp_path / "data").code == 0
    said = desk.type("import", tmp_path / "data")
    assert (said.code, desk.tree()) == (4, ["sorted/cat/a.jpg"])
    assert "All of its pictures are here under these labels already" in said.err


def test_splits_are_looked_through(desk: Desk, tmp_path: Path) -> None:
    """train, val and test are no classes: what is in them is, and a doublet counts once."""
    for seed, split in enumerate(("train", "Valid", "testing")):
        picture(tmp_path / f"data/{split}/cat/{split}.jpg", seed)
    picture(tmp_path / "data/testing/cat/again.jpg", 0)
    said = desk.type("import", tmp_path / "data", "--json")
    assert (said.json["classes"], said.json["copied"], said.json["duplicates"]) == (["cat"], 3, 1)
    assert "imgsort learns from all of them" in said.err


@pytest.mark.parametrize(
    "layout",
    [
        ("training_set/training_set/{}", "test_set/test_set/{}"),
        ("dataset/train/{}", "dataset/test/{}"),
        ("images/{}", "images/{}"),
        ("train_data/{}", "test_data/{}"),
        ("chest/train/{}", "chest/val/{}"),
        ("data/data/{}", "data/data/{}"),
        ("Training/images/{}", "Validation/images/{}"),
        ("train2017/{}", "val2017/{}"),
        ("animals-10/raw-img/{}", "animals-10/raw-img/{}"),
        ("images/train/{}", "images/test/{}"),
    ],
)
def test_classes_are_found_where_archives_put_them(
    desk: Desk, tmp_path: Path, layout: tuple[str, str]
) -> None:
    """No class is called after the folder around everything, or after a split."""
    for seed, name in enumerate(("cat", "dog")):
        for number, place in enumerate(layout):
            picture(tmp_path / "data" / place.format(name) / f"{number}.jpg", 2 * seed + number)
        picture(tmp_path / f"data/__MACOSX/{name}/._0.jpg", 9)
        picture(tmp_path / f"data/__MACOSX/{name}/x.jpg", 9)

    found = find(tmp_path / "data", desk.workspace)

    assert (found.classes, len(found.found)) == (["cat", "dog"], 4)
    assert found.loose == ()


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (("part1/cat/a.jpg", "part1/dog/b.jpg", "part2/cat/c.jpg"), "part1"),
        (("my animals/cat/a.jpg", "my animals/dog/b.jpg"), "my animals"),
        (("photos/a.jpg",), "photos"),
        (("train/a.jpg", "test/b.jpg"), "train"),
        (("pictures/cat/a.jpg", "masks/cat/a.jpg"), "masks"),
    ],
)
def test_where_two_levels_could_be_the_classes_it_asks(
    desk: Desk, tmp_path: Path, files: tuple[str, ...], named: str
) -> None:
    """It is refused, with the folder to name, rather than labelled by guess."""
    for seed, name in enumerate(files):
        picture(tmp_path / "data" / name, seed)
    with pytest.raises(BadDataSet, match=named):
        find(tmp_path / "data", desk.workspace)


@pytest.mark.parametrize(
    "files",
    [
        ("cat/2019/a.jpg", "cat/2020/b.jpg", "dog/2019/c.jpg"),
        ("cat/a.jpg", "dog/puppies/b.jpg", "dog/old/c.jpg"),
        ("cat/2019-05-06/a.jpg", "cat/2020-01-02/b.jpg"),
        ("cat/kittens/a.jpg", "dog/puppies/b.jpg"),
        ("test tube/a.jpg", "latest/b.jpg"),
        ("class1/a.jpg", "class2/b.jpg"),
    ],
)
def test_folders_within_a_class_belong_to_it(
    desk: Desk, tmp_path: Path, files: tuple[str, ...]
) -> None:
    """Dates and divisions of one class alone are no level of their own."""
    for seed, name in enumerate(files):
        picture(tmp_path / "data" / name, seed)
    assert find(tmp_path / "data", desk.workspace).classes == sorted(
        {name.split("/")[0] for name in files}
    )


def test_a_class_called_train(desk: Desk, tmp_path: Path) -> None:
    """A folder of that name with pictures right in it is a class."""
    picture(tmp_path / "data/train/loco.jpg", 1)
    picture(tmp_path / "data/cat/a.jpg", 2)
    assert find(tmp_path / "data", desk.workspace).classes == ["cat", "train"]


def test_conflicts_are_refused(desk: Desk, tmp_path: Path) -> None:
    """The same picture in two classes, or against what was said here: listed, the rest goes on."""
    data = tmp_path / "data"
    picture(data / "cat/both.jpg", 1)
    picture(data / "dog/both.jpg", 1)
    picture(data / "cat/said.jpg", 2)
    picture(data / "cat/fine.jpg", 3)
    picture(tmp_path / "first/dog/said.jpg", 2)
    desk.type("import", tmp_path / "first")

    said = desk.type("import", data, "--json")

    assert said.code == 0
    assert {(Path(one["path"]).name, one["reason"]) for one in said.json["conflicts"]} == {
        ("both.jpg", "the same picture lies in cat and dog"),
        ("said.jpg", "you called it dog here"),
    }
    assert desk.tree() == ["sorted/cat/fine.jpg", "sorted/dog/said.jpg"]


def test_what_can_not_be_read_is_named(desk: Desk, tmp_path: Path) -> None:
    """Broken files are named with the reason; if nothing is left, that is a failure."""
    picture(tmp_path / "data/cat/fine.jpg", 1)
    whole = (tmp_path / "data/cat/fine.jpg").read_bytes()
    (tmp_path / "data/cat/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "data/cat/link.jpg").symlink_to("fine.jpg")

    said = desk.type("import", tmp_path / "data")

    assert (said.code, desk.tree()) == (0, ["sorted/cat/fine.jpg"])
    assert "cut.jpg: " in said.err
    assert "link.jpg: it can't be read" in said.err
    (tmp_path / "data/cat/fine.jpg").unlink()
    (tmp_path / "data/cat/link.jpg").unlink()
    again = desk.type("import", tmp_path / "data")
    assert again.code == 1
    assert "Nothing of" in again.err
    assert desk.agrees()


def test_pictures_that_are_here_get_the_label(desk: Desk, tmp_path: Path) -> None:
    """A known picture isn't copied: it moves to its class."""
    picture(tmp_path / "data/dog/a.jpg", 1)
    desk.type("import", tmp_path / "data")
    (desk.workspace.sorted / "dog/a.jpg").rename(desk.workspace.unsure / "a.jpg")
    said = desk.type("import", tmp_path / "data", "--json")
    assert said.code == 0, said.err
    assert said.json["labelled_here"] == 1
    assert desk.tree() == ["sorted/dog/a.jpg"]


def test_spelling(desk: Desk, tmp_path: Path) -> None:
    """cats beside your cat: asked about; --match takes them for cat, --new-class for a class."""
    picture(tmp_path / "data/Cats/a.jpg", 1)
    said = desk.type("import", tmp_path / "data")
    assert said.code == 1
    assert "classes that you spell otherwise: Cats (cat here); add --match" in said.err
    assert desk.type("import", tmp_path / "data", "--match").code == 0
    assert desk.tree() == ["sorted/cat/a.jpg"]
    picture(tmp_path / "data/Cats/b.jpg", 2)
    (tmp_path / "data/Cats/a.jpg").unlink()
    assert desk.type("import", tmp_path / "data", "--new-class").code == 0
    assert desk.tree() == ["sorted/Cats/b.jpg", "sorted/cat/a.jpg"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "is no folder"),
        (("a.jpg",), "has no folder with pictures"),
        (("train/cat/a.jpg", "cat/a.jpg"), "has train beside cat, so it isn't clear"),
        (("-x/a.jpg",), "can't be a class name"),
    ],
)
def test_no_data_set(desk: Desk, tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    """A folder that doesn't say which class is which is refused in a sentence."""
    for seed, name in enumerate(files):
        picture(tmp_path / "data" / name, seed)
    with pytest.raises(BadDataSet, match=message):
        find(tmp_path / "data", desk.workspace)


@pytest.mark.parametrize("folder", [".", "sorted", "inbox"])
def test_not_from_itself(desk: Desk, folder: str) -> None:
    """The workspace's own folders are no data set."""
    with pytest.raises(BadDataSet, match="where this workspace keeps its pictures"):
        find(desk.workspace.root / folder, desk.workspace)


def test_a_real_data_set(desk: Desk, test_data: Path, tmp_path: Path) -> None:
    """train/bees and val/bees of a real set come in as they are."""
    for split in ("train", "val"):
        for name in ("ants", "bees"):
            some = sorted((test_data / "ants_bees" / split / name).iterdir())[:3]
            (tmp_path / split / name).mkdir(parents=True)
            for path in some:
                shutil.copy(path, tmp_path / split / name)
    shutil.rmtree(tmp_path / "unused", ignore_errors=True)
    data = tmp_path / "set"
    data.mkdir()
    for split in ("train", "val"):
        (tmp_path / split).rename(data / split)
    said = desk.type("import", data, "--json")
    assert said.json["copied"] == 12, said.err
    assert {path.split("/")[1] for path in desk.tree()} == {"ants", "bees"}
