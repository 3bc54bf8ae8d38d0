"""`label`, `confirm` and `export` typed at a real workspace."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest

from tests.desk import Desk, content_hash


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path / "photos")


def number_of(desk: Desk, name: str) -> int:
    number: int = desk.log(f"SELECT id FROM arrivals WHERE name = '{name}'")[0][0]  # noqa: S608
    return number


# label


@pytest.mark.parametrize("way", ["path", "absolute", "id", "hash", "prefix", "name", "dropped"])
def test_a_picture_goes_by_many_names(desk: Desk, way: str) -> None:
    """Path, id, hash or its beginning, and original name all mean the same picture."""
    desk.file("trip/cat-1.jpg", "cat-2.jpg")
    text = {
        "path": "sorted/cat/cat-1.jpg",
        "absolute": str(desk.workspace.sorted / "cat/cat-1.jpg"),
        "id": str(number_of(desk, "cat-1.jpg")),
        "hash": content_hash("trip/cat-1.jpg").upper(),
        "prefix": content_hash("trip/cat-1.jpg")[:8],
        "name": "cat-1.jpg",
        "dropped": "inbox/trip/cat-1.jpg",
    }[way]

    said = desk.type("label", text, "dog")

    assert (said.code, said.out) == (0, "Labelled: 1 dog. 1 file moved.\n")
    assert desk.tree() == ["sorted/cat/cat-2.jpg", "sorted/dog/cat-1.jpg"]
    assert desk.labels() == {"cat-1.jpg": ("dog", "cli", False)}
    assert desk.log("SELECT cause, state FROM moves ORDER BY id DESC LIMIT 1") == [
        ("label", "done")
    ]
    assert desk.agrees()


@pytest.mark.parametrize("column", ["path", "name", "file", "id"])
@pytest.mark.parametrize("given", ["NFC", "NFD"])
@pytest.mark.parametrize("there", ["NFC", "NFD"])
def test_a_csv_from_a_mac_finds_its_pictures(
    desk: Desk, column: str, given: str, there: str
) -> None:
    """Composed or decomposed: the same name to who wrote it, in a path, a name or either."""
    desk.file("cat-1.jpg")
    filed = desk.workspace.sorted / "cat/cat-1.jpg"
    names = {form: unicodedata.normalize(form, "Käfer für Zoë.jpg") for form in ("NFC", "NFD")}
    filed.rename(filed.with_name(names[there]))
    desk.type("status")
    with closing(sqlite3.connect(desk.workspace.database)) as log, log:
        values = (names[there], names[there].encode())
        log.execute("UPDATE arrivals SET name = ?, name_bytes = ?", values)
    ways = {"path": f"sorted/cat/{names[given]}", "id": names[given].removesuffix(".jpg")}
    way = ways.get(column, names[given])
    table = desk.workspace.root / "labels.csv"
    table.write_text(f"{column},label\n{way},dog\n")

    said = desk.type("label", "--from-csv", str(table))

    assert said.code == 0, said.err
    assert list(desk.labels().values()) == [("dog", "csv", False)]


def test_the_name_as_it_was_written_comes_first(desk: Desk) -> None:
    """Two pictures whose names differ in nothing but their spelling are told apart by it."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    names = [unicodedata.normalize(form, "ä.jpg") for form in ("NFC", "NFD")]
    with closing(sqlite3.connect(desk.workspace.database)) as log, log:
        for number, name in enumerate(names, 1):
            values = (name, name.encode(), f"cat-{number}.jpg")
            log.execute("UPDATE arrivals SET name = ?, name_bytes = ? WHERE name = ?", values)

    assert desk.type("label", names[0], "dog").code == 0
    assert desk.type("label", names[1], "snake").code == 0
    labels = desk.labels()
    assert [labels[name][0] for name in names] == ["dog", "snake"]


def test_a_label_is_no_move_by_hand(desk: Desk) -> None:
    """What `label` moved isn't taken for a correction by the next command."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("label", "cat-1.jpg", "snake")
    assert desk.log("SELECT source FROM labels ORDER BY id") == [("cli",), ("cli",)]
    assert desk.agrees()


def test_every_copy_moves(desk: Desk) -> None:
    """A label belongs to the content: all its files go, under free names, with their sidecars."""
    desk.file("cat-1.jpg", "dog-1.jpg")
    desk.file_all({"cat-1-twin.jpg": "cat-1.jpg"})
    (desk.workspace.sorted / "cat/cat-1.xmp").write_text("stars")

    said = desk.type("label", "sorted/cat/cat-1.jpg", "dog", "--json")

    assert said.json["labelled"] == 1
    assert len(said.json["moved"]) == 2
    assert [path for path in desk.tree() if "xmp" not in path] == [
        "sorted/dog/cat-1-twin.jpg",
        "sorted/dog/cat-1.jpg",
        "sorted/dog/dog-1.jpg",
    ]
    assert (desk.workspace.sorted / "dog/cat-1.xmp").read_text() == "stars"


def test_names_follow_the_template(tmp_path: Path) -> None:
    """The new place is the template's, made of the name the picture came with, or of the one a
    person gave it since."""
    desk = Desk.at(tmp_path, '[filing]\ntemplate = "{label}/{year}/{date}_{name}"\n')
    desk.file("cat-1.jpg", "cat-2.jpg")
    folder = desk.workspace.sorted / "cat/2024"
    (folder / "2024-02-29_cat-2.jpg").rename(folder / "Tom.jpg")

    said = desk.type("label", "cat-1.jpg", folder / "Tom.jpg", "dog")

    assert said.code == 0, said.err
    assert desk.tree() == [
        "sorted/dog/2024/2024-02-29_Tom.jpg",
        "sorted/dog/2024/2024-02-29_cat-1.jpg",
    ]


def test_unsure_pictures_find_their_place(desk: Desk) -> None:
    """A label takes a picture out of unsure/, and makes a class that wasn't there, and says so."""
    desk.file("unsure-cat-1.jpg")
    said = desk.type("label", "unsure/unsure-cat-1.jpg", "zebra")
    assert desk.tree() == ["sorted/zebra/unsure-cat-1.jpg"]
    assert "zebra is a new class." in said.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["nothing.jpg", "dog"],
            1,
            "nothing.jpg: the log has no picture of that name; nothing was",
        ),
        (["sorted/cat/none.jpg", "dog"], 1, "there is no such file"),
        (["999", "dog"], 1, "no arrival of that number"),
        (["deadbeef", "dog"], 1, "no picture with that hash"),
        (["cat-1.jpg", "nothing.jpg", "dog"], 1, "nothing was labelled"),
        (["cat-1.jpg", "../dog"], 1, "can't be a class name"),
        (["cat-1.jpg", "Dogs"], 1, "There is no class Dogs, but there is dog; say dog, or add"),
        (["broken-1.jpg", "dog"], 1, "could not be read as a picture"),
        (["inbox/new.jpg", "dog"], 1, "still in the inbox; `imgsort run` has to file it first"),
        (["cat-1.jpg"], 2, "name pictures and then the class"),
        (["cat-1.jpg", "dog", "--from-csv", "x.csv"], 2, "give no others"),
        (["cat-1.jpg", "dog", "--newest-wins"], 2, "go with --from-csv"),
    ],
)
def test_refusals(desk: Desk, words: list[str], code: int, message: str) -> None:
    """What can't be done is said in a sentence, and nothing at all happens."""
    desk.file("cat-1.jpg", "broken-1.jpg")
    (desk.workspace.inbox / "new.jpg").write_bytes(b"new")
    before = desk.tree()
    said = desk.type("label", *words)
    assert said.code == code
    assert message in " ".join(said.err.replace("│", " ").split())
    assert (desk.tree(), desk.count_labels()) == (before, 0)


def test_an_ambiguous_name(desk: Desk) -> None:
    """Two pictures of one name: neither is taken, and their ids are given."""
    desk.file("a/cat-1.jpg", "b/cat-1.jpg")
    said = desk.type("label", "cat-1.jpg", "dog")
    assert said.code == 1
    assert "2 different pictures go by it (ids " in said.err
    assert desk.type("label", "a/cat-1.jpg", "dog").code == 0


def test_the_same_label_twice(desk: Desk) -> None:
    """Nothing to do is exit 4."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    said = desk.type("label", "cat-1.jpg", "dog")
    assert (said.code, desk.count_labels()) == (4, 1)


def test_a_spelling_twin_if_wanted(desk: Desk) -> None:
    """--new-class makes a class whose name is much like another's."""
    desk.file("cat-1.jpg")
    assert desk.type("label", "--new-class", "cat-1.jpg", "cats").code == 0
    assert desk.tree() == ["sorted/cats/cat-1.jpg"]


def test_a_picture_that_was_edited(desk: Desk) -> None:
    """Other bytes under a logged path are another picture: the old one's label isn't theirs."""
    desk.file("cat-1.jpg")
    (desk.workspace.sorted / "cat/cat-1.jpg").write_bytes(b"edited")
    said = desk.type("label", number_of(desk, "cat-1.jpg"), "dog")
    assert "sorted/dog/cat-1.jpg" not in desk.tree(), said


# label --from-csv


def test_many_labels_at_once(desk: Desk, tmp_path: Path) -> None:
    """Paths, stems, hashes and names in one file; everything moves, the guess is said."""
    desk.file("cat-1.jpg", "cat-2.jpg", "cat-3.jpg", "dog-1.jpg")
    file = tmp_path / "labels.csv"
    file.write_text(
        f"file;class\nsorted/cat/cat-1.jpg;dog\ncat-2;dog\n"
        f"{content_hash('cat-3.jpg')};dog\ndog-1.jpg;dog\n"
    )
    said = desk.type("label", "--from-csv", file)
    assert (said.code, said.out) == (0, "Labelled: 4 dog. 3 files moved.\n")
    assert "Read 'class' as label, 'file' as path." in said.err
    assert {path.split("/")[1] for path in desk.tree()} == {"dog"}
    assert desk.labels()["cat-3.jpg"] == ("dog", "csv", False)
    assert desk.agrees()


@pytest.mark.parametrize("heading", ["id,label", "file,label", "", "image,id,label"])
def test_another_programs_number_is_never_our_arrivals(
    desk: Desk, tmp_path: Path, heading: str
) -> None:
    """A row number, a task or a file number labels nothing, unless a file is called so."""
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg")
    number = number_of(desk, "cat-1.jpg")
    row = (
        f"{number},dog"
        if heading.count(",") < 2
        else f"/elsewhere/upload-{number}.jpg,{number},dog"
    )
    file = tmp_path / "labels.csv"
    file.write_text(f"{heading}\n{row}\n" if heading else f"{row}\n")

    said = desk.type("label", "--from-csv", file)

    assert (said.code, desk.count_labels()) == (1, 0), said
    if "elsewhere" not in row:
        assert "call the column arrival_id" in said.err

    file.write_text(f"arrival_id,label\n{number},dog\n")
    assert desk.type("label", "--from-csv", file).code == 0
    assert desk.labels()["cat-1.jpg"][0] == "dog"


def test_all_or_nothing(desk: Desk, tmp_path: Path) -> None:
    """One row without a picture: all such rows are listed, nothing is done, a way is shown."""
    desk.file("cat-1.jpg")
    file = tmp_path / "labels.csv"
    file.write_text("name,label\ncat-1.jpg,dog\nnone.jpg,dog\nbroken.jpg,cat\n")

    said = desk.type("label", "--from-csv", file)

    assert said.code == 1
    assert "Line 3 (none.jpg): the log has no picture of that name." in said.err
    assert "Line 4 (broken.jpg)" in said.err
    assert (
        "Nothing was labelled: 2 lines without a picture here; correct what is listed" in said.err
    )
    assert (desk.tree(), desk.count_labels()) == (["sorted/cat/cat-1.jpg"], 0)

    listed = desk.type("label", "--from-csv", file, "--json").json["unmatched"]
    assert [row["line"] for row in listed] == [3, 4]

    assert desk.type("label", "--from-csv", file, "--skip-unmatched").code == 0
    assert desk.tree() == ["sorted/dog/cat-1.jpg"]


def test_contradictions_are_listed(desk: Desk, tmp_path: Path) -> None:
    """A row against an earlier word, or against another row, stops the file; --newest-wins goes
    by time."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    desk.type("label", "cat-1.jpg", "snake")
    file = tmp_path / "labels.csv"
    file.write_text(
        "name,label,labelled_at\n"
        "cat-1.jpg,dog,2020-01-01T00:00:00Z\n"
        "cat-2.jpg,dog,2020-01-01T00:00:00Z\ncat-2.jpg,cat,2021-01-01T00:00:00Z\n"
    )

    said = desk.type("label", "--from-csv", file)
    assert said.code == 1
    assert "Line 2 (cat-1.jpg) says dog, but you said snake here." in said.err
    assert "Line 4 (cat-2.jpg) says cat, but line 3 says dog." in said.err
    assert desk.count_labels() == 1

    said = desk.type("label", "--from-csv", file, "--newest-wins")
    assert said.code == 0, said.err
    assert desk.labels() == {
        "cat-1.jpg": ("snake", "cli", False),
        "cat-2.jpg": ("cat", "csv", False),
    }

    file.write_text("name,label,labelled_at\ncat-1.jpg,dog,2099-01-01T00:00:00Z\n")
    assert desk.type("label", "--from-csv", file, "--newest-wins").code == 0
    assert desk.labels()["cat-1.jpg"] == ("dog", "csv", False)


TYPED = "import sys; from imgsort.cli import main; sys.argv[0] = 'imgsort'; main()"


@pytest.mark.parametrize(
    "point", ["before-tx1", "after-tx1", "after-place:2", "after-target-fsync", "after-tx2"]
)
def test_killed_at_it(desk: Desk, tmp_path: Path, point: str) -> None:
    """Killed anywhere, a file of labels has been carried out wholly or not at all once the same
    command has been typed again; nothing is lost and nothing said twice."""
    desk.file("cat-1.jpg", "cat-2.jpg", "cat-3.jpg")
    file = tmp_path / "labels.csv"
    file.write_text("name,label\ncat-1.jpg,dog\ncat-2.jpg,snake\ncat-3.jpg,dog\n")
    words = ["-C", str(desk.workspace.root), "label", "--from-csv", str(file)]

    killed = subprocess.run(
        [sys.executable, "-c", TYPED, *words],
        env=os.environ | {"IMGSORT_FAILPOINT": point},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert desk.count_labels() in {0, 3}

    again = desk.type("label", "--from-csv", file)
    assert again.code in {0, 4}, again.err
    assert desk.tree() == ["sorted/dog/cat-1.jpg", "sorted/dog/cat-3.jpg", "sorted/snake/cat-2.jpg"]
    assert desk.count_labels() == 3
    assert desk.agrees()


def test_a_corrected_log_comes_back(desk: Desk, tmp_path: Path) -> None:
    """The log's own CSV with human_label filled in is a label file; blank rows say nothing."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    file = tmp_path / "log.csv"
    from imgsort.records.log import LogFilter, write_csv

    with desk.store() as store, file.open("w", newline="") as out:
        write_csv(store.log.rows(LogFilter()), out)
    with file.open(newline="") as read:
        rows = list(csv.DictReader(read))
    rows[0]["human_label"] = "dog"
    with file.open("w", newline="") as out:
        corrected = csv.DictWriter(out, rows[0])
        corrected.writeheader()
        corrected.writerows(rows)

    said = desk.type("label", "--from-csv", file)

    assert said.code == 0, said.err
    assert list(desk.labels().values()) == [("dog", "csv", False)]


# export


def test_labels_travel_between_workspaces(desk: Desk, tmp_path: Path) -> None:
    """An export read in another workspace labels the same contents the same way, whatever the
    files are called; what isn't there is listed first."""
    other = Desk.at(tmp_path / "other")
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("confirm", "sorted/cat")
    (desk.workspace.sorted / "dog/dog-1.jpg").rename(desk.workspace.rejected / "dog-1.jpg")
    file = tmp_path / "labels.csv"

    assert desk.type("label", "cat-1.jpg", "dog").code == 4  # learns what was moved by hand
    assert desk.type("export", "-o", file).out == f"3 labels written to {file}.\n"
    other.file("cat-1.jpg", "cat-2.jpg")
    assert other.type("label", "--from-csv", file).code == 1
    assert other.type("label", "--from-csv", file, "--skip-unmatched").code == 0

    theirs, ours = other.labels(), desk.labels()
    assert theirs["cat-1.jpg"][0] == ours["cat-1.jpg"][0] == "dog"
    assert theirs["cat-2.jpg"] == ("cat", "csv", True)
    assert other.tree() == ["sorted/cat/cat-2.jpg", "sorted/dog/cat-1.jpg"]
    rows = desk.type("export", "--json").json
    assert {row["kind"] for row in rows} == {"label", "never_use"}
    assert desk.type("export").out.splitlines()[0] == (
        "sha256,label,kind,source,representative,labelled_at,name"
    )


def test_words_that_are_no_class_travel_too(desk: Desk, tmp_path: Path) -> None:
    """ "never use" leads to rejected/, a withdrawn word to unsure/."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    file = tmp_path / "labels.csv"
    file.write_text("name,label,kind\ncat-1.jpg,,never_use\ncat-2.jpg,,withdrawn\n")
    assert desk.type("label", "--from-csv", file).code == 0
    assert desk.tree() == ["rejected/cat-1.jpg", "unsure/cat-2.jpg"]
    assert desk.agrees()


# confirm


def test_what_lies_there_is_right(desk: Desk) -> None:
    """Confirming a class folder labels all of it as representative and moves nothing."""
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg")
    before = desk.tree()
    said = desk.type("confirm", "sorted/cat")
    assert said.code == 0
    assert said.out.startswith(
        "2 pictures confirmed; 2 more count from now on when a model is judged."
    )
    assert desk.tree() == before
    assert desk.labels() == {
        "cat-1.jpg": ("cat", "confirm", True),
        "cat-2.jpg": ("cat", "confirm", True),
    }
    assert desk.type("confirm", "cat").code == 4


@pytest.mark.parametrize("by", ["hand", "label"])
def test_mistakes_found_before_count_too(desk: Desk, by: str) -> None:
    """What was moved out of the folder before becomes representative under its right name; what
    was moved in from a folder that nobody looked through doesn't, until somebody does."""
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg")
    if by == "hand":
        (desk.workspace.sorted / "cat/cat-2.jpg").rename(desk.workspace.sorted / "dog/cat-2.jpg")
        (desk.workspace.sorted / "dog/dog-1.jpg").rename(desk.workspace.sorted / "cat/dog-1.jpg")
    else:
        desk.type("label", "cat-2.jpg", "dog")
        desk.type("label", "dog-1.jpg", "cat")

    said = desk.type("confirm", desk.workspace.sorted / "cat", "--json")

    assert said.json | {"contradictions": []} == {
        "confirmed": 2,
        "new_labels": 2,
        "representative": 2,
        "moved_out_before": 1,
        "waiting_for": {"dog": 1},
        "contradictions": [],
    }
    assert desk.labels()["cat-1.jpg"] == ("cat", "confirm", True)
    assert desk.labels()["cat-2.jpg"] == ("dog", "confirm", True)
    assert desk.labels()["dog-1.jpg"][::2] == ("cat", False)

    desk.type("confirm", "sorted/dog")
    assert desk.labels()["dog-1.jpg"] == ("cat", "confirm", True)


def test_all_of_sorted(desk: Desk) -> None:
    """`confirm sorted` looks through every class at once; each picture gets one new word."""
    desk.file("cat-1.jpg", "dog-1.jpg", "snake-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    assert desk.type("confirm", "sorted").code == 0
    assert {representative for *_, representative in desk.labels().values()} == {True}
    assert desk.count_labels() == 4


def test_an_emptied_unsure_folder(desk: Desk) -> None:
    """Pictures from unsure/ are representative once none is left there: none was picked."""
    desk.file("unsure-cat-1.jpg", "unsure-cat-2.jpg", "cat-1.jpg")
    desk.type("label", "unsure-cat-1.jpg", "cat")
    said = desk.type("confirm", "cat", "--json")
    assert said.json["waiting_for"] == {"unsure": 1}
    assert desk.labels()["unsure-cat-1.jpg"] == ("cat", "cli", False)

    desk.type("label", "unsure-cat-2.jpg", "dog")
    desk.type("confirm", "cat")
    assert desk.labels()["unsure-cat-1.jpg"] == ("cat", "confirm", True)
    assert desk.labels()["unsure-cat-2.jpg"] == ("dog", "confirm", True)


def test_a_mistake_found_after_confirming(desk: Desk) -> None:
    """A later correction keeps the picture representative: it was drawn, then it was corrected."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    desk.type("confirm", "cat")
    desk.type("label", "cat-1.jpg", "dog")
    assert desk.labels()["cat-1.jpg"] == ("dog", "cli", True)


def test_single_pictures(desk: Desk) -> None:
    """A picture that was picked is labelled, but isn't representative."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    assert desk.type("confirm", "sorted/cat/cat-1.jpg").code == 0
    assert desk.labels() == {"cat-1.jpg": ("cat", "confirm", False)}


def test_one_picture_in_two_classes(desk: Desk) -> None:
    """Copies of one picture in two classes are told, not labelled."""
    desk.file_all({"cat-1.jpg": "cat-1.jpg", "cat-2.jpg": "cat-2.jpg", "cat-9.jpg": "cat-1.jpg"})
    (desk.workspace.sorted / "dog").mkdir()
    (desk.workspace.sorted / "cat/cat-9.jpg").rename(desk.workspace.sorted / "dog/cat-9.jpg")
    said = desk.type("confirm", "cat")
    assert "lies in cat and dog; move one of the two" in said.err
    assert desk.labels()["cat-2.jpg"] == ("cat", "confirm", True)
    assert desk.labels()["cat-1.jpg"] == ("dog", "move", False)


def test_moved_a_moment_ago(desk: Desk) -> None:
    """A picture taken out of the folder just now isn't confirmed as lying there."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    (desk.workspace.sorted / "cat/cat-1.jpg").rename(desk.workspace.sorted / "dog-1.jpg")
    desk.type("confirm", "sorted/cat")
    assert "cat-1.jpg" not in desk.labels()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("inbox", "is no class folder"),
        ("unsure/unsure-cat-1.jpg", "lies in no class folder, so there is nothing to confirm"),
        ("nowhere", "can't be confirmed: the log has no picture of that name"),
    ],
)
def test_nothing_to_confirm(desk: Desk, place: str, message: str) -> None:
    """Only class folders and pictures in them can be confirmed."""
    desk.file("unsure-cat-1.jpg")
    said = desk.type("confirm", place)
    assert (said.code, desk.count_labels()) == (1, 0)
    assert message in said.err


def test_every_run_is_ended(desk: Desk) -> None:
    """Each command is a run of the log, and says what it did there."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("label", "none", "dog")
    runs = desk.log("SELECT summary FROM runs WHERE kind = 'label' AND ended_at IS NOT NULL")
    assert runs == [("1 labelled, 1 file moved",), ("nothing was done",)]
    assert json.loads(desk.type("export", "--json").out)[0]["label"] == "dog"


def test_what_was_moved_out_of_unsure_counts_once_that_was_looked_through(desk: Desk) -> None:
    """Who says so of unsure/ is told what became of it, and what of the pictures still in it."""
    desk.file("unsure-cat-1.jpg", "unsure-dog-1.jpg")
    desk.type("label", "unsure-cat-1.jpg", "cat")
    said = desk.type("confirm", "unsure")
    assert said.code == 0, said.err
    assert said.out == (
        "0 pictures confirmed; 1 more count from now on when a model is judged (1 that you had "
        "moved out before).\n"
    )
    assert said.err == (
        "unsure/ is no class, so what lies in it has no label; move the 1 picture in it to their "
        "classes, then confirm those.\n"
    )
    assert desk.labels() == {"unsure-cat-1.jpg": ("cat", "confirm", True)}


def test_unsure_is_no_class_to_confirm(desk: Desk) -> None:
    """The sentence says what to do with the pictures in it."""
    desk.file("unsure-cat-1.jpg")
    said = desk.type("confirm", "unsure")
    assert (said.code, said.err) == (
        4,
        "unsure/ is no class, so there is nothing to confirm; move the 1 picture in it to their "
        "classes, then confirm those.\n",
    )
