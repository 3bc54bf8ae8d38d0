"""Classes renamed, merged, retired and brought back, typed at a real workspace or done by hand."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from imgsort.models.serving import active_card, load_classifier
from imgsort.reconcile.apply import ReconcileSummary, apply_reconcile
from imgsort.records.verdict import CLASS_RETIRED
from tests.again import new_model, refile, shows
from tests.cli_runner import REPOSITORY
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "snake-1.jpg", "unsure-cat-3.jpg")
    look(desk)
    return desk


def look(desk: Desk) -> ReconcileSummary:
    with desk.store() as store:
        return apply_reconcile(desk.workspace, store, None)


def in_use(desk: Desk) -> set[str]:
    with desk.store() as store:
        return set(store.classes.names().values())


def retired(desk: Desk) -> set[str]:
    with desk.store() as store:
        return set(store.classes.retired().values())


def standing(desk: Desk, name: str) -> tuple[int, int]:
    """Its labels and pictures."""
    with desk.store() as store:
        [found] = [
            one for one in store.classes.standings(desk.workspace.sorted) if one.name == name
        ]
        return found.labels, found.pictures


def class_folder(desk: Desk, name: str) -> Path:
    return desk.workspace.sorted / name


# slips


@pytest.mark.parametrize("words", [("ct",), ("--from-csv",)])
def test_a_slip_makes_no_class(desk: Desk, tmp_path: Path, words: tuple[str]) -> None:
    """`label`, by hand or from a table, asks for --new-class; nothing is labelled before."""
    table = tmp_path / "labels.csv"
    table.write_text("name,label\ncat-1.jpg,ct\n")
    typed = ("cat-1.jpg", "ct") if words == ("ct",) else ("--from-csv", table)

    said = desk.type("label", *typed)

    assert (said.code, said.err.splitlines()[-1]) == (
        1,
        "There is no class ct, which may be a slip for cat; say cat, or add --new-class to have "
        "both.",
    )
    assert (in_use(desk), desk.count_labels()) == ({"cat", "dog", "snake"}, 0)
    assert desk.type("label", *typed, "--new-class").code == 0
    assert "ct" in in_use(desk)


def test_a_slip_in_a_data_set_makes_no_class(desk: Desk, tmp_path: Path) -> None:
    """`import` of a folder dogz asks too, --match or not; other new classes are nobody's slip."""
    for name in ("dogz", "lynx"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.jpg").write_bytes(name.encode())
    for typed in ((), ("--match",)):
        said = desk.type("import", tmp_path / "data", *typed)
        assert said.code == 1
        assert "may be slips of the pen for yours: dogz (dog?);" in said.err
    assert in_use(desk) == {"cat", "dog", "snake"}


# rename


def test_a_class_is_renamed_with_its_folder(desk: Desk) -> None:
    """Files stay what they are, nobody is thought to have moved them; undo, and undo of that."""
    desk.type("label", "cat-2.jpg", "dog")
    words = desk.labels()
    said = desk.type("classes", "rename", "cat", "feline")
    assert (said.code, said.out.splitlines()[0]) == (0, "cat is called feline now.")
    assert "sorted/feline/cat-1.jpg" in desk.tree()
    assert in_use(desk) == {"feline", "dog", "snake"}
    assert not look(desk).learned
    assert (desk.labels(), desk.agrees()) == (words, True)

    assert desk.type("undo", "--last").code == 0
    assert "sorted/cat/cat-1.jpg" in desk.tree()
    assert in_use(desk) == {"cat", "dog", "snake"}
    last = desk.log("SELECT max(id) FROM runs WHERE kind = 'undo'")[0][0]
    assert desk.type("undo", "--run", last).code == 0
    assert "sorted/feline/cat-1.jpg" in desk.tree()
    assert (look(desk).learned, desk.labels(), desk.agrees()) == (False, words, True)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("dog", "There is a class dog already; `imgsort classes merge cat dog` makes one of"),
        ("a/dog", "it is a path"),
        ("dgo", "which may be a slip for dog;"),
        ("taken", "is there already; remove it or move it away, then rename the class."),
    ],
)
def test_a_name_that_is_taken_is_refused(desk: Desk, new: str, sentence: str) -> None:
    """With the next step; nothing has changed."""
    (desk.workspace.sorted / "taken").write_text("a file")
    before = desk.tree()
    said = desk.type("classes", "rename", "cat", new)
    assert said.code == 1
    assert sentence in said.err
    assert (desk.tree(), in_use(desk)) == (before, {"cat", "dog", "snake"})


def test_a_class_is_no_slip_for_itself(desk: Desk) -> None:
    """cat may become cats, or kat."""
    assert desk.type("classes", "rename", "cat", "cats").code == 0


# merge


def test_a_class_becomes_part_of_another(desk: Desk) -> None:
    """What is called so or lies there goes along, sidecars too; nobody's word is made up."""
    desk.type("label", "unsure-cat-3.jpg", "cat")
    (class_folder(desk, "cat") / "cat-1.xmp").write_text("stars")

    said = desk.type("classes", "merge", "cat", "dog")

    assert said.code == 0
    assert "cat is part of dog now: 1 label, 3 files moved." in said.out
    assert desk.tree() == [
        "sorted/dog/cat-1.jpg",
        "sorted/dog/cat-1.xmp",
        "sorted/dog/cat-2.jpg",
        "sorted/dog/dog-1.jpg",
        "sorted/dog/unsure-cat-3.jpg",
        "sorted/snake/snake-1.jpg",
    ]
    assert desk.labels() == {"unsure-cat-3.jpg": ("dog", "cli", False)}
    assert (in_use(desk), retired(desk)) == ({"dog", "snake"}, {"cat"})
    assert not class_folder(desk, "cat").exists()
    assert not look(desk).learned
    log = desk.log("SELECT name, label, final_label FROM prediction_log WHERE label = 'cat'")
    assert {(label, final) for _, label, final in log} == {("cat", "dog")}


def test_a_merge_is_undone(desk: Desk) -> None:
    """The class is in use again and every picture in its place; an undo of that merges again."""
    before = desk.tree()
    desk.type("classes", "merge", "cat", "dog")
    after = desk.tree()

    said = desk.type("undo", "--last")

    assert said.code == 0
    assert "cat is in use again." in said.out
    assert (desk.tree(), in_use(desk)) == (before, {"cat", "dog", "snake"})
    assert not look(desk).learned
    assert desk.log("SELECT final_label FROM prediction_log WHERE name = 'cat-1.jpg'") == [("cat",)]
    last = desk.log("SELECT max(id) FROM runs WHERE kind = 'undo'")[0][0]
    assert desk.type("undo", "--run", last).code == 0
    assert (desk.tree(), retired(desk)) == (after, {"cat"})
    assert not class_folder(desk, "cat").exists()


def test_the_words_of_a_merge_are_undone(desk: Desk) -> None:
    """What was said before the merge holds again, and what the merge made of it after an undo of
    the undo."""
    desk.type("label", "unsure-cat-3.jpg", "cat")
    before = desk.labels()
    desk.type("classes", "merge", "cat", "dog")
    after = desk.labels()

    assert desk.type("undo", "--last").code == 0

    assert desk.labels() == before == {"unsure-cat-3.jpg": ("cat", "cli", False)}
    assert standing(desk, "cat") == (1, 3)
    last = desk.log("SELECT max(id) FROM runs WHERE kind = 'undo'")[0][0]
    assert desk.type("undo", "--run", last).code == 0
    assert desk.labels() == after == {"unsure-cat-3.jpg": ("dog", "cli", False)}


def test_nothing_goes_back_into_a_class_that_has_the_name_by_now(desk: Desk) -> None:
    """Pictures and words stay with the class they are part of, and both commands say why."""
    desk.type("label", "unsure-cat-3.jpg", "cat")
    desk.type("classes", "merge", "cat", "dog")
    run = desk.log("SELECT max(id) FROM runs")[0][0]
    class_folder(desk, "snake").rename(class_folder(desk, "cat"))
    assert look(desk).renamed == ("snake -> cat",)
    before = desk.tree(), desk.labels(), in_use(desk)

    dry = desk.type("undo", "--run", run, "--dry-run")
    said = desk.type("undo", "--run", run)

    for answer in (dry, said):
        assert "sorted/dog/cat-1.jpg stays: another class is called cat by now." in answer.err
    assert (desk.tree(), desk.labels(), in_use(desk)) == before


def test_a_picture_goes_back_through_a_rename(desk: Desk) -> None:
    """Whether the class it came from or the one it went to has another name since."""
    desk.type("label", "cat-1.jpg", "dog")
    into = desk.log("SELECT max(id) FROM runs")[0][0]
    desk.type("label", "dog-1.jpg", "cat")
    out_of = desk.log("SELECT max(id) FROM runs")[0][0]
    desk.type("classes", "rename", "dog", "hound")

    for run in (into, out_of):
        assert desk.type("undo", "--run", run).code == 0

    assert {"sorted/cat/cat-1.jpg", "sorted/hound/dog-1.jpg"} <= set(desk.tree())
    assert (desk.labels(), look(desk).learned, desk.agrees()) == ({}, False, True)


def test_moves_and_names_go_back_together(desk: Desk) -> None:
    """All of the last hour: moves of before and after a rename, the rename and the filing."""
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("classes", "rename", "dog", "hound")
    desk.type("label", "cat-2.jpg", "hound")

    said = desk.type("undo", "--since", "1h")

    assert said.code == 0, said.err
    assert in_use(desk) == {"cat", "dog", "snake"}
    assert {path.partition("/")[0] for path in desk.tree()} == {"inbox"}
    assert desk.labels() == {}


def test_a_word_taken_back_keeps_no_class(desk: Desk) -> None:
    """A slip that was undone neither holds a class whose folder is gone nor is counted for it."""
    desk.type("label", "cat-1.jpg", "lynx")
    desk.type("undo", "--last")
    assert standing(desk, "lynx") == (0, 0)
    look(desk)
    class_folder(desk, "lynx").rmdir()

    summary = look(desk)

    assert summary.retired == ()
    assert any("lynx never used" in one for one in summary.notices)


def test_a_dry_run_takes_no_class_back(desk: Desk) -> None:
    """It only tells."""
    desk.type("classes", "merge", "cat", "dog")
    said = desk.type("undo", "--last", "--dry-run")
    assert "cat is in use again." in said.out
    assert retired(desk) == {"cat"}


def test_representative_pictures_stay_representative(desk: Desk) -> None:
    """A merge is no correction of pictures that somebody had picked for being wrong."""
    desk.type("confirm", "sorted/cat")
    desk.type("classes", "merge", "cat", "dog")
    assert set(desk.labels().values()) == {("dog", "cli", True)}


# retire and restore


def test_a_retired_class_is_filed_no_more(desk: Desk) -> None:
    """The model that knows it says unsure; pictures and labels stay, and training leaves it out."""
    desk.type("label", "dog-1.jpg", "cat")
    before = desk.tree()
    said = desk.type("classes", "retire", "cat")
    assert (said.code, said.out.split(":")[0]) == (0, "cat is retired")
    assert (desk.tree(), desk.labels()["dog-1.jpg"][0]) == (before, "cat")
    assert (in_use(desk), look(desk).learned) == ({"dog", "snake"}, False)
    with desk.store() as store:
        classifier = load_classifier(desk.workspace, store, active_card(desk.workspace))
        again = store.predictions.of([_sha256(desk, "cat-1.jpg")], 1)
    [verdict] = [classifier.decide_again(one) for one in again.values()]
    assert (verdict.label, verdict.decision, verdict.doubt) == ("cat", "unsure", CLASS_RETIRED)

    assert desk.type("classes", "restore", "cat").code == 0
    assert in_use(desk) == {"cat", "dog", "snake"}


def _sha256(desk: Desk, name: str) -> str:
    found: str = desk.log(f"SELECT sha256 FROM prediction_log WHERE name = '{name}'")[0][0]  # noqa: S608
    return found


def test_refile_takes_nothing_into_a_retired_class(desk: Desk) -> None:
    """Nor does it make the class anew by writing verdicts down."""
    shows(desk, {"dog-1.jpg": "cat"})
    new_model(desk)
    desk.type("classes", "retire", "cat")
    assert refile(desk).goings == ()
    assert (in_use(desk), retired(desk)) == ({"dog", "snake"}, {"cat"})


def test_a_retired_class_takes_no_labels(desk: Desk) -> None:
    """`label` says how to bring it back; there is never a second class of the name."""
    desk.type("classes", "retire", "cat")
    for more in ((), ("--new-class",)):
        said = desk.type("label", "dog-1.jpg", "cat", *more)
        assert said.code == 1
        assert "The class cat is retired; bring it back with `imgsort classes restore" in said.err
    assert desk.log("SELECT count(*) FROM classes WHERE name = 'cat'") == [(1,)]


def test_retiring_is_undone_and_told(desk: Desk) -> None:
    """`undo` brings the class back; `classes` lists what there is."""
    desk.type("classes", "retire", "cat")
    said = desk.type("classes", "list", "--json")
    assert said.code == 0, said
    listed = {one["name"]: one for one in said.json}
    assert (listed["cat"]["retired"], listed["cat"]["pictures"]) == (True, 2)
    assert desk.type("undo", "--last").code == 0
    assert in_use(desk) == {"cat", "dog", "snake"}
    assert desk.type("undo", "--last").code in {0, 4}  # only the filing is left
    assert "cat" in in_use(desk)


def test_a_class_that_is_not_there_is_named(desk: Desk) -> None:
    """With the one that may have been meant, whatever was to be done to it."""
    for typed in (("retire", "kat"), ("rename", "kat", "x"), ("merge", "kat", "dog")):
        said = desk.type("classes", *typed)
        assert (said.code, said.err) == (
            1,
            "There is no class kat, but there is cat; name that, or see `imgsort classes`.\n",
        )
    assert desk.type("classes", "restore", "cat").code == 4


# by hand


def move_all(desk: Desk, source: str, target: str) -> None:
    class_folder(desk, target).mkdir(exist_ok=True)
    for path in sorted(class_folder(desk, source).iterdir()):
        path.rename(class_folder(desk, target) / path.name)


@pytest.mark.parametrize("looks_between", [False, True])
def test_a_class_emptied_into_another_by_hand_is_given_up(desk: Desk, looks_between: bool) -> None:
    """Its pictures moved to another class and its folder removed: models say it no more."""
    move_all(desk, "cat", "dog")
    if looks_between:
        look(desk)
        assert "cat" in in_use(desk)
    class_folder(desk, "cat").rmdir()
    assert look(desk).retired == ("cat",)
    assert (in_use(desk), retired(desk)) == ({"dog", "snake"}, {"cat"})
    assert {word for word, _, _ in desk.labels().values()} == {"dog"}


def test_a_class_whose_pictures_were_taken_away_stays(desk: Desk) -> None:
    """To an archive, say: that is no word against the class, even if one was wrong."""
    class_folder(desk, "cat").joinpath("cat-2.jpg").rename(class_folder(desk, "dog") / "c.jpg")
    look(desk)
    class_folder(desk, "cat").rename(desk.workspace.root / "archive")
    assert look(desk).retired == ()
    assert "cat" in in_use(desk)


def test_an_emptied_folder_is_no_retirement(desk: Desk) -> None:
    """As long as it is there, more may come."""
    move_all(desk, "cat", "dog")
    assert look(desk).retired == ()
    assert "cat" in in_use(desk)


def test_the_removed_folder_of_an_unused_class_is_asked_about(desk: Desk) -> None:
    """Nothing ever was in it: nobody knows what was meant, so status tells what to type."""
    class_folder(desk, "bird").mkdir()
    look(desk)
    class_folder(desk, "bird").rmdir()
    seen = look(desk)
    assert seen.retired == ()
    [told] = seen.notices
    assert "`imgsort classes retire bird` gives it up" in told
    desk.type("classes", "retire", "bird")
    assert look(desk).notices == ()


def test_a_folder_made_anew_brings_its_class_back(desk: Desk) -> None:
    """It is the class it was, with its history; the pictures put there are called so."""
    move_all(desk, "cat", "dog")
    class_folder(desk, "cat").rmdir()
    look(desk)
    class_folder(desk, "cat").mkdir()
    class_folder(desk, "dog").joinpath("cat-1.jpg").rename(class_folder(desk, "cat") / "cat-1.jpg")
    assert look(desk).restored == ("cat",)
    assert in_use(desk) == {"cat", "dog", "snake"}
    assert desk.log("SELECT count(*) FROM classes") == [(3,)]
    assert desk.labels()["cat-1.jpg"][0] == "cat"


def test_the_folder_of_a_retired_class_stays_one_of_it(desk: Desk) -> None:
    """Still there with its pictures, renamed by hand, on another disk: it makes no class, and
    nobody is thought to have labelled anything."""
    desk.type("classes", "retire", "cat")
    class_folder(desk, "cat").rename(class_folder(desk, "feline"))
    assert look(desk).labelled == 0
    assert (in_use(desk), retired(desk)) == ({"dog", "snake"}, {"feline"})
    with closing(sqlite3.connect(desk.workspace.database)) as log, log:
        log.execute("UPDATE classes SET folder_ino = 1")  # as after a restore
    assert not look(desk).restored
    assert retired(desk) == {"feline"}


def test_sorted_that_is_not_mounted_retires_nothing(desk: Desk) -> None:
    """An empty sorted/ without its class folders is a mount point, not a decision."""
    move_all(desk, "cat", "dog")
    look(desk)
    class_folder(desk, "cat").rmdir()
    os.rename(desk.workspace.sorted, desk.workspace.root / "disk")  # noqa: PTH104
    desk.workspace.sorted.mkdir()
    look(desk)
    assert "cat" in in_use(desk)


# kills


def killed(desk: Desk, failpoint: str, *typed: str) -> None:
    """Type a command that dies at the fail point."""
    answer = subprocess.run(
        [sys.executable, "-m", "imgsort", "-C", str(desk.workspace.root), *typed],
        cwd=REPOSITORY,
        env=os.environ | {"IMGSORT_FAILPOINT": failpoint},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == -signal.SIGKILL, answer.stderr


@pytest.mark.parametrize("failpoint", ["before-tx1", "after-tx1", "after-place:2", "after-tx2"])
def test_a_killed_merge_is_nothing_or_all(desk: Desk, failpoint: str) -> None:
    """Before it is written down nothing has happened; after that the next command completes it."""
    desk.type("label", "cat-2.jpg", "cat")
    killed(desk, failpoint, "classes", "merge", "cat", "dog")
    desk.type("undo", "--path", desk.workspace.rejected)  # any mover completes what was begun
    merged = failpoint != "before-tx1"
    assert retired(desk) == ({"cat"} if merged else set())
    assert {Path(path).parent.name for path in desk.tree() if "/cat-" in path} == {
        "dog" if merged else "cat"
    }
    assert desk.labels()["cat-2.jpg"][0] == ("dog" if merged else "cat")
    assert (look(desk).labelled, desk.agrees()) == (0, True)


def test_a_killed_rename_is_completed(desk: Desk) -> None:
    """The folder bears the new name, so the next look finds a class renamed; nobody labelled it."""
    words = desk.labels()
    killed(desk, "class-folder-renamed", "classes", "rename", "cat", "feline")
    assert look(desk).renamed == ("cat -> feline",)
    assert (in_use(desk), desk.labels(), desk.agrees()) == (
        {"feline", "dog", "snake"},
        words,
        True,
    )
