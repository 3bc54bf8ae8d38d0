"""`refile` brings pictures in line with another model; `undo` puts things back."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from imgsort.reconcile.apply import apply_reconcile
from tests.again import file_what_lies_there, new_model, refile, shows
from tests.desk import Desk, content_hash

REPOSITORY = Path(__file__).parents[2]
STEPS = (
    "before-tx1",
    "after-tx1",
    "after-content-fsync",
    "after-place",
    "after-place:2",
    "after-target-fsync",
    "after-source-fsync",
    "after-tx2",
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path / "photos")


@pytest.fixture
def retrained(desk: Desk) -> Desk:
    """Four pictures filed by v1, and an active v2 that sees two of them otherwise."""
    desk.file("trip/cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-cat-3.jpg")
    shows(
        desk,
        {"trip/cat-1.jpg": "dog", "cat-2.jpg": "cat", "dog-1.jpg": "", "unsure-cat-3.jpg": "snake"},
    )
    new_model(desk)
    return desk


BEFORE = [
    "sorted/cat/cat-1.jpg",
    "sorted/cat/cat-2.jpg",
    "sorted/dog/dog-1.jpg",
    "unsure/unsure-cat-3.jpg",
]
AFTER = [
    "sorted/cat/cat-2.jpg",
    "sorted/dog/cat-1.jpg",
    "sorted/dog/dog-1.jpg",
    "sorted/snake/unsure-cat-3.jpg",
]


def log_of(desk: Desk) -> dict[str, tuple[Any, ...]]:
    """name -> what the prediction log says of it."""
    rows = desk.log(
        "SELECT name, label, decision, model, round(confidence, 2), reason FROM prediction_log"
    )
    return {name: tuple(rest) for name, *rest in rows}


def newest_run(desk: Desk, kind: str) -> int:
    number: int = desk.log(f"SELECT max(id) FROM runs WHERE kind = '{kind}'")[0][0]  # noqa: S608
    return number


def moves_of(desk: Desk, run: int) -> list[tuple[Any, ...]]:
    return desk.log(
        f"SELECT source, target, cause, state, model FROM moves WHERE run_id = {run} ORDER BY id"  # noqa: S608
    )


# refile


def test_a_plan_moves_nothing(retrained: Desk) -> None:
    """Who goes from where to where, with examples; folders and log are as before."""
    before = log_of(retrained)

    plan = refile(retrained, apply=False)

    assert [(flow.here, flow.there, flow.count) for flow in plan.flows()] == [
        ("unsure", "sorted/snake", 1),
        ("sorted/cat", "sorted/dog", 1),
    ]
    assert [path.name for path in plan.flows()[1].examples] == ["cat-1.jpg"]
    assert (plan.looked_at, plan.doubted, plan.decoded) == (4, 1, 0)
    assert (retrained.tree(), log_of(retrained)) == (BEFORE, before)


def test_a_refile_moves_and_the_log_says_so(retrained: Desk) -> None:
    """Files, journal and log follow the new model; who didn't move keeps the old one's word."""
    refile(retrained)
    assert retrained.tree() == AFTER
    assert retrained.agrees()
    assert log_of(retrained) == {
        "cat-1.jpg": ("dog", "filed", 2, 1.0, None),
        "cat-2.jpg": ("cat", "filed", 1, 0.87, None),
        "dog-1.jpg": ("dog", "filed", 1, 0.87, None),
        "unsure-cat-3.jpg": ("snake", "filed", 2, 1.0, None),
    }
    assert sorted(moves_of(retrained, newest_run(retrained, "refile"))) == [
        ("sorted/cat/cat-1.jpg", "sorted/dog/cat-1.jpg", "refile", "done", 2),
        ("unsure/unsure-cat-3.jpg", "sorted/snake/unsure-cat-3.jpg", "refile", "done", 2),
    ]
    assert retrained.log("SELECT count(*) FROM predictions WHERE model = 2") == [(4,)]


def test_a_second_refile_finds_nothing(retrained: Desk) -> None:
    """What was moved is right now, and no human is thought to have moved it."""
    refile(retrained)
    assert refile(retrained).goings == ()
    assert retrained.count_labels() == 0


def test_doubted_pictures_leave_only_when_asked(retrained: Desk) -> None:
    """Filed pictures that the new model isn't sure of go to unsure/ with --to-unsure."""
    refile(retrained, to_unsure=True)
    assert "unsure/dog-1.jpg" in retrained.tree()
    label, decision, model, _, reason = log_of(retrained)["dog-1.jpg"]
    assert (label, decision, model) == ("cat", "unsure", 2)
    assert reason == "confidence 0.33 is below 0.70"


def test_what_a_human_said_stays(retrained: Desk) -> None:
    """Labelled, moved by hand a moment ago, or never to be used: no refile touches it."""
    retrained.type("label", "cat-1.jpg", "cat")
    home = retrained.workspace.unsure / "unsure-cat-3.jpg"
    home.rename(retrained.workspace.rejected / "unsure-cat-3.jpg")
    plan = refile(retrained)
    assert plan.goings == ()
    assert retrained.tree() == [
        "rejected/unsure-cat-3.jpg",
        "sorted/cat/cat-1.jpg",
        "sorted/cat/cat-2.jpg",
        "sorted/dog/dog-1.jpg",
    ]


def test_what_a_human_took_out_is_not_put_back(desk: Desk) -> None:
    """Moved from cat/ into unsure/: no model files it as a cat, another class is fine."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    for name in ("cat-1.jpg", "cat-2.jpg"):
        (desk.workspace.sorted / "cat" / name).rename(desk.workspace.unsure / name)
    shows(desk, {"cat-1.jpg": "cat", "cat-2.jpg": "dog"})
    new_model(desk)
    refile(desk)
    assert desk.tree() == ["sorted/dog/cat-2.jpg", "unsure/cat-1.jpg"]


def test_sidecars_and_template(tmp_path: Path) -> None:
    """The place is the template's for the new class, and a sidecar travels with its picture."""
    desk = Desk.at(tmp_path / "photos", '[filing]\ntemplate = "{label}/{year}/{name}"\n')
    desk.file("cat-1.jpg")
    (desk.workspace.sorted / "cat/2024/cat-1.xmp").write_text("stars")
    shows(desk, {"cat-1.jpg": "dog"})
    new_model(desk)
    refile(desk)
    assert desk.tree() == ["sorted/dog/2024/cat-1.jpg", "sorted/dog/2024/cat-1.xmp"]
    assert desk.type("undo", "--last").code == 0
    assert desk.tree() == ["sorted/cat/2024/cat-1.jpg", "sorted/cat/2024/cat-1.xmp"]


def test_nothing_is_overwritten(retrained: Desk) -> None:
    """A name that is taken gets a number, there and back."""
    taken = retrained.workspace.sorted / "dog/cat-1.jpg"
    taken.write_bytes(b"somebody's")
    refile(retrained)
    assert taken.read_bytes() == b"somebody's"
    moved = retrained.workspace.sorted / "dog/cat-1_2.jpg"
    assert moved.read_bytes() == b"trip/cat-1.jpg"
    retrained.type("undo", "--last")
    assert (retrained.workspace.sorted / "cat/cat-1.jpg").read_bytes() == b"trip/cat-1.jpg"


def test_refile_needs_no_folder_of_models_opened(retrained: Desk) -> None:
    """Without a stored embedding the picture is opened; one that can't be is counted and stays."""
    retrained.workspace.embeddings.unlink()
    shows(retrained, {"trip/cat-1.jpg": "dog", "cat-2.jpg": "cat", "dog-1.jpg": "dog"})
    plan = refile(retrained)
    assert [one.path.name for one in plan.unread] == ["unsure-cat-3.jpg"]
    assert "unsure/unsure-cat-3.jpg" in retrained.tree()


# undo


def test_undo_of_a_refile(retrained: Desk) -> None:
    """Tree and log are as before it, to the letter."""
    before = log_of(retrained)
    refile(retrained)
    said = retrained.type("undo", "--last")
    assert said.code == 0
    assert "Moved 2 pictures in run" in said.out
    assert (retrained.tree(), log_of(retrained)) == (BEFORE, before)
    assert retrained.agrees()


def test_an_undo_is_undone(retrained: Desk) -> None:
    """There, back, there and back again; log and tree agree every time."""
    before = log_of(retrained)
    refile(retrained)
    after = log_of(retrained)
    retrained.type("undo", "--last")
    first = newest_run(retrained, "undo")
    assert retrained.type("undo", "--run", first).code == 0
    assert (retrained.tree(), log_of(retrained)) == (AFTER, after)
    assert retrained.type("undo", "--run", newest_run(retrained, "redo")).code == 0
    assert (retrained.tree(), log_of(retrained)) == (BEFORE, before)
    assert retrained.type("undo", "--run", first).code == 4
    assert retrained.agrees()


def test_undo_of_filings_goes_back_to_the_inbox(desk: Desk) -> None:
    """Each under its own name in its own subfolder; what lies there by now is not overwritten."""
    desk.file("trip/cat-1.jpg", "dog-1.jpg", "broken-1.jpg", "unsure-dog-2.jpg")
    (desk.workspace.inbox / "dog-1.jpg").write_bytes(b"another")
    said = desk.type("undo", "--last")
    assert said.code == 0
    assert "filed anew by the next `imgsort run`" in said.out
    assert desk.tree() == [
        "inbox/broken-1.jpg",
        "inbox/dog-1.jpg",
        "inbox/dog-1_2.jpg",
        "inbox/trip/cat-1.jpg",
        "inbox/unsure-dog-2.jpg",
    ]
    assert (desk.workspace.inbox / "dog-1.jpg").read_bytes() == b"another"
    assert log_of(desk) == {}
    with desk.store() as store:
        assert store.counts.overview().total == 0


def test_an_undone_filing_is_the_same_arrival_when_filed_again(desk: Desk) -> None:
    """One drop, one row, whatever was done in between; and it can be undone again."""
    desk.file("trip/cat-1.jpg")
    number = desk.log("SELECT id, arrived_at FROM arrivals")
    desk.type("undo", "--last")
    file_what_lies_there(desk)
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]
    assert desk.log("SELECT id, arrived_at FROM arrivals") == number
    assert desk.agrees()
    desk.type("undo", "--last")
    assert desk.tree() == ["inbox/trip/cat-1.jpg"]
    assert desk.log("SELECT id, arrived_at FROM arrivals") == number


def test_undo_and_redo_of_filings(desk: Desk) -> None:
    """From the inbox back to where they had been filed, with their row in the log."""
    desk.file("trip/cat-1.jpg", "dog-1.jpg")
    before = log_of(desk)
    desk.type("undo", "--last")
    assert desk.type("undo", "--run", newest_run(desk, "undo")).code == 0
    assert desk.tree() == ["sorted/cat/cat-1.jpg", "sorted/dog/dog-1.jpg"]
    assert log_of(desk) == before
    assert desk.agrees()


def test_a_running_daemon_would_file_them_again(desk: Desk) -> None:
    """Undoing filings is refused in a sentence while it runs; a refile can be undone."""
    desk.file("cat-1.jpg")
    with desk.workspace.daemon_lock():
        said = desk.type("undo", "--last")
        assert said.code == 73
        assert f"the running daemon (pid {os.getpid()}) would file them again" in said.err
        assert desk.tree() == ["sorted/cat/cat-1.jpg"]
        shows(desk, {"cat-1.jpg": "dog"})
        new_model(desk)
        refile(desk)
        assert desk.type("undo", "--last").code == 0
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]


def test_undo_teaches_nothing(retrained: Desk) -> None:
    """Neither an undo nor a redo is ever taken for a correction by hand."""
    refile(retrained)
    retrained.type("undo", "--since", "1d")
    with retrained.store() as store:
        assert not apply_reconcile(retrained.workspace, store, None).learned
    retrained.type("undo", "--run", newest_run(retrained, "undo"))
    with retrained.store() as store:
        assert not apply_reconcile(retrained.workspace, store, None).learned
    assert retrained.count_labels() == 0


def test_what_a_human_did_since_stays_and_is_listed(retrained: Desk) -> None:
    """Moved by hand, or labelled where it lies: both keep their place, with the reason."""
    refile(retrained)
    sorted_ = retrained.workspace.sorted
    (sorted_ / "dog/cat-1.jpg").rename(sorted_ / "snake/cat-1.jpg")
    retrained.type("label", "unsure-cat-3.jpg", "snake")
    said = retrained.type("undo", "--run", newest_run(retrained, "refile"))
    assert said.code == 4
    assert "sorted/snake/cat-1.jpg stays: somebody has moved it since." in said.err
    assert "sorted/snake/unsure-cat-3.jpg stays: somebody has labelled it since." in said.err
    assert retrained.labels()["cat-1.jpg"] == ("snake", "move", False)
    assert "sorted/snake/cat-1.jpg" in retrained.tree()


def test_undo_of_a_label_takes_the_word_back(desk: Desk) -> None:
    """File and log are as they were, and retraining learns nothing from the slip; nothing that was
    ever said is removed."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    assert material(desk) == {content_hash("cat-1.jpg")}
    said = desk.type("undo", "--last")
    assert (said.code, "1 label taken back." in said.out) == (0, True)
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]
    assert desk.labels() == {}
    assert material(desk) == set()
    assert desk.log("SELECT human_label, is_correct FROM prediction_log") == [(None, None)]
    assert desk.log("SELECT kind FROM labels ORDER BY id") == [("label",), ("retracted",)]


def material(desk: Desk) -> set[str]:
    """Contents that a training would be given."""
    with desk.store() as store:
        return {
            *store.training.records(),
            *store.labels.current(),
            *store.training.strata_of_labelled(),
        }


def test_undo_of_a_slip_brings_back_what_was_said_before(desk: Desk) -> None:
    """The earlier word holds again, and so does that it is representative."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    assert desk.type("confirm", "sorted/cat").code == 0
    before = desk.labels()
    desk.type("label", "cat-1.jpg", "dog")
    assert desk.labels()["cat-1.jpg"] == ("dog", "cli", True)
    assert desk.type("undo", "--last").code == 0
    assert (desk.labels(), desk.tree()) == (
        before,
        ["sorted/cat/cat-1.jpg", "sorted/cat/cat-2.jpg"],
    )


def test_undo_of_a_label_that_moved_nothing(desk: Desk) -> None:
    """The word alone goes: the file lay there already."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "cat")
    told = desk.type("undo", "--last", "--json").json
    assert (told["would_move"], told["labels"], desk.labels()) == (0, 1, {})
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]


def test_undo_of_a_confirmation(desk: Desk) -> None:
    """A folder confirmed too early; the next undo goes on to what was done before that."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("confirm", "sorted/cat")
    assert desk.type("undo", "--last").code == 0
    assert desk.labels() == {"cat-1.jpg": ("dog", "cli", False)}
    assert desk.type("undo", "--last").code == 0
    assert (desk.labels(), desk.tree()) == ({}, ["sorted/cat/cat-1.jpg", "sorted/cat/cat-2.jpg"])


def test_an_undone_label_can_be_brought_again_and_undone_again(desk: Desk) -> None:
    """Undo of the undo says the word again; undo of that, by either number, takes it back."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    for number in (None, 2):
        again = desk.type("undo", *(("--last",) if number is None else ("--run", number)), "--json")
        redo = desk.type("undo", "--run", again.json["applied"]["run"], "--json").json
        assert (redo["labels"], redo["would_move"]) == (1, 1)
        assert desk.labels() == {"cat-1.jpg": ("dog", "cli", False)}
        assert desk.tree() == ["sorted/dog/cat-1.jpg"]
    assert desk.type("undo", "--run", redo["applied"]["run"]).code == 0
    assert (desk.labels(), desk.tree()) == ({}, ["sorted/cat/cat-1.jpg"])
    assert desk.agrees()


def test_a_word_said_since_keeps_an_older_one(desk: Desk) -> None:
    """Undoing the first of two labels does nothing; the newest must go first."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("label", "cat-1.jpg", "snake")
    assert desk.type("undo", "--run", 2).code == 4
    assert desk.labels() == {"cat-1.jpg": ("snake", "cli", False)}


def test_what_people_moved_by_hand_is_theirs_to_put_back(desk: Desk) -> None:
    """No undo takes a word back that a moved file said, nor one that was moved on since."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    root = desk.workspace.root
    (root / "sorted/dog/cat-1.jpg").rename(root / "sorted/dog/renamed.jpg")
    (root / "sorted/cat/cat-2.jpg").rename(root / "sorted/dog/cat-2.jpg")
    said = desk.type("undo", "--run", 2)
    assert (said.code, "somebody has moved it since" in said.err) == (4, True)
    assert desk.labels() == {
        "cat-1.jpg": ("dog", "cli", False),
        "cat-2.jpg": ("dog", "move", False),
    }


def test_the_word_of_a_picture_that_is_gone_can_be_taken_back(desk: Desk) -> None:
    """A slip stays a slip when its file was deleted since."""
    desk.file("cat-1.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    (desk.workspace.sorted / "dog" / "cat-1.jpg").unlink()
    assert desk.type("undo", "--last").code == 0
    with desk.store() as store:
        assert store.labels.current() == {}


def test_undo_by_path_takes_back_what_was_done_last(desk: Desk) -> None:
    """First the confirmation, then the label with its move, then the filing."""
    desk.file("cat-1.jpg", "cat-2.jpg")
    desk.type("label", "cat-1.jpg", "dog")
    desk.type("confirm", "sorted")
    for place, word in (("dog", ("dog", "cli", False)), ("cat", None)):
        desk.type("undo", "--path", desk.workspace.sorted / "dog/cat-1.jpg")
        assert desk.labels().get("cat-1.jpg") == word
        assert (desk.workspace.sorted / place / "cat-1.jpg").exists()
    desk.type("undo", "--path", desk.workspace.sorted / "cat/cat-1.jpg")
    assert desk.tree() == ["inbox/cat-1.jpg", "sorted/cat/cat-2.jpg"]


def test_since_goes_through_several_runs(retrained: Desk) -> None:
    """Refile and filing are both taken back, as two moves each; one undo brings both again."""
    refile(retrained)
    after = log_of(retrained)
    assert retrained.type("undo", "--since", "1d").code == 0
    assert retrained.tree() == [
        "inbox/cat-2.jpg",
        "inbox/dog-1.jpg",
        "inbox/trip/cat-1.jpg",
        "inbox/unsure-cat-3.jpg",
    ]
    run = newest_run(retrained, "undo")
    assert len(moves_of(retrained, run)) == 6
    assert retrained.type("undo", "--run", run).code == 0
    assert (retrained.tree(), log_of(retrained)) == (AFTER, after)
    assert retrained.type("undo", "--run", newest_run(retrained, "redo")).code == 0
    assert all(path.startswith("inbox/") for path in retrained.tree())


def test_only_what_one_model_did(retrained: Desk) -> None:
    """--model 2 takes back what v2 moved; --model 1 doesn't reach below that."""
    refile(retrained)
    said = retrained.type("undo", "--model", 1, "--dry-run")
    assert f"moved again by run {newest_run(retrained, 'refile')} (refile)" in said.err
    assert "2 pictures would be put back, 2 stay." in said.out
    retrained.type("undo", "--model", 2)
    assert retrained.tree() == BEFORE


@pytest.mark.parametrize("path", ["sorted/dog", "sorted/dog/cat-1.jpg"])
def test_a_path_alone_is_one_step(retrained: Desk, path: str) -> None:
    """The last move of each picture there: a refile is taken back, not the filing below it."""
    refile(retrained)
    shutil.move(retrained.workspace.sorted / "dog/dog-1.jpg", retrained.workspace.root / "kept")
    said = retrained.type("undo", "--path", retrained.workspace.root / path, "--json")
    assert said.json["would_move"] == 1
    assert said.json["flows"][0]["from"] == "sorted/dog"
    assert "sorted/cat/cat-1.jpg" in retrained.tree()


def test_last_goes_one_further_back_each_time(retrained: Desk) -> None:
    """First the refile, then the filing, then there is nothing left."""
    refile(retrained)
    assert retrained.type("undo", "--last").code == 0
    assert retrained.tree() == BEFORE
    assert retrained.type("undo", "--last").code == 0
    assert all(path.startswith("inbox/") for path in retrained.tree())
    said = retrained.type("undo", "--last")
    assert (said.code, said.err) == (
        4,
        "Nothing is left to be put back; `imgsort why` tells a picture's moves and labels.\n",
    )


def test_a_dry_run_moves_nothing(retrained: Desk) -> None:
    """It tells what would be done, in words and in JSON."""
    refile(retrained)
    said = retrained.type("undo", "--last", "--dry-run", "--json").json
    assert (said["would_move"], said["to_inbox"], said["applied"]) == (2, 0, None)
    assert retrained.tree() == AFTER


def test_copies_stay(tmp_path: Path) -> None:
    """In copy mode the original never left the inbox; nobody deletes the copy."""
    desk = Desk.at(tmp_path / "photos", '[filing]\nmode = "copy"\n')
    desk.file("cat-1.jpg")
    said = desk.type("undo", "--last")
    assert said.code == 4
    assert "it is a copy, and its original is still where it came from" in said.err
    assert desk.tree() == ["inbox/cat-1.jpg", "sorted/cat/cat-1.jpg"]


def test_a_class_folder_that_is_gone_is_not_made_again(retrained: Desk) -> None:
    """Somebody removed sorted/cat: its picture stays where the refile put it."""
    refile(retrained)
    shutil.move(retrained.workspace.sorted / "cat", retrained.workspace.root / "away")
    said = retrained.type("undo", "--run", newest_run(retrained, "refile"))
    assert "sorted/dog/cat-1.jpg stays: sorted/cat is gone" in said.err
    assert retrained.tree() == [
        "sorted/dog/cat-1.jpg",
        "sorted/dog/dog-1.jpg",
        "unsure/unsure-cat-3.jpg",
    ]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "say what to take back: --last, --run, --since, --model or --path"),
        (("--last", "--run", "1"), 2, "give one of them"),
        (("--run", "99"), 1, "There is no run 99"),
        (("--since", "yesterday"), 2, "is no time"),
        (("--path", "sorted/none.jpg"), 1, "there is no such file"),
        (("--model", "7"), 4, ""),
    ],
)
def test_refusals(desk: Desk, words: Sequence[str], code: int, message: str) -> None:
    """What can't be done is said in a sentence, and nothing at all happens."""
    desk.file("cat-1.jpg")
    said = desk.type("undo", *words)
    assert said.code == code
    assert message in " ".join(said.err.replace("│", " ").split())
    assert desk.tree() == ["sorted/cat/cat-1.jpg"]


# Kills


def killed(desk: Desk, action: str, failpoint: str) -> None:
    """Run a refile, or `undo action`, in a process that dies at the fail point."""
    answer = subprocess.run(
        [sys.executable, "-c", "import sys; from pathlib import Path; from tests import again;"
         "again.main(Path(sys.argv[1]))",
         str(desk.workspace.root)],
        cwd=REPOSITORY,
        env=os.environ | {"IMGSORT_TEST_ACTION": action, "IMGSORT_FAILPOINT": failpoint},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert answer.returncode == -signal.SIGKILL, answer.stderr


@pytest.mark.parametrize("failpoint", STEPS)
def test_a_killed_refile_is_completed(retrained: Desk, failpoint: str) -> None:
    """Whenever it dies, doing it again ends where it would have ended, log and folders alike."""
    killed(retrained, "refile", failpoint)
    refile(retrained)
    assert retrained.tree() == AFTER
    assert retrained.agrees()
    assert log_of(retrained)["cat-1.jpg"] == ("dog", "filed", 2, 1.0, None)
    assert retrained.type("undo", "--model", 2).code == 0
    assert retrained.tree() == BEFORE


@pytest.mark.parametrize("failpoint", [*STEPS, "after-tx2:2"])
def test_a_killed_undo_is_completed(retrained: Desk, failpoint: str) -> None:
    """The same of an undo that goes through a refile and a filing, in two rounds."""
    refile(retrained)
    killed(retrained, "--since 1d", failpoint)
    said = retrained.type("undo", "--since", "1d")
    assert said.code in {0, 4}
    assert [Path(path).name for path in retrained.tree() if path.startswith("inbox/")] == [
        "cat-2.jpg",
        "dog-1.jpg",
        "cat-1.jpg",
        "unsure-cat-3.jpg",
    ]
    assert log_of(retrained) == {}
    assert retrained.log("SELECT 1 FROM moves WHERE state = 'planned'") == []
