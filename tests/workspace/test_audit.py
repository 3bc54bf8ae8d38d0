"""An audit drawn, answered in each of its ways, and what it says of the model."""

import csv
import random
import re
from pathlib import Path

import pytest

from imgsort.labels.accuracy import Answer, Share, draw, estimate
from imgsort.reconcile.apply import apply_reconcile
from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Three cats of which number 3 is a dog, a dog, and one it was unsure of."""
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "cat-3.jpg", "dog-1.jpg", "unsure-snake-1.jpg")
    return desk


# The draw and the estimate


def test_a_draw_is_fair_and_repeatable() -> None:
    """Each candidate is drawn as often as any other; a seed gives its draw again; any beginning
    of it is as fair."""
    counts = dict.fromkeys(range(10), 0)
    for seed in range(3000):
        assert draw(range(10), 3, seed) == draw(list(reversed(range(10))), 3, seed)
        counts[draw(range(10), 3, seed)[0]] += 1
    assert min(counts.values()) > 240
    assert max(counts.values()) < 360
    assert sorted(draw([4, 5], 50, 1)) == [4, 5]


def test_the_interval_keeps_its_word() -> None:
    """Over 400 audits of 60 in a world of 90 % precision, about 95 % of the intervals hold it."""
    dice = random.Random(7)  # noqa: S311 - a simulation
    held = 0
    for _ in range(400):
        answers = [
            Answer(str(number), "cat" if dice.random() < 0.9 else "dog", "cat", True, 1)
            for number in range(60)
        ]
        interval = estimate(answers, 0).filed.interval
        held += interval.low <= 0.9 <= interval.high
    assert 0.92 <= held / 400 <= 0.99


def test_shares_by_decision_and_class() -> None:
    """Overall counts best guesses of all drawn; precision and classes only what was filed."""
    said = [("cat", "cat", True), ("dog", "cat", True), ("dog", "dog", True), ("cat", "cat", False)]
    result = estimate([Answer(g + t, t, g, f, 1) for t, g, f in said], 2)
    assert (result.overall, result.filed) == (Share(3, 4), Share(2, 3))
    assert {one.name: one.share for one in result.classes} == {
        "cat": Share(1, 2),
        "dog": Share(1, 1),
    }
    assert (result.skipped, str(Share(0, 0))) == (2, "none drawn")
    assert str(Share(1, 2)) == "50.0% (1 of 2; 95 %: 9.5% to 90.5%)"


# At the terminal


def test_answered_at_the_terminal(desk: Desk) -> None:
    """Enter is right, a name corrects and moves, s skips; then the accuracy, as drawn."""
    order = _paths(desk.type("audit", "--seed", "1", stdin="s\n" * 5).err)
    keys = {"cat-3.jpg": "dog", "unsure-snake-1.jpg": "", "cat-2.jpg": "s"}
    stdin = "".join(keys.get(Path(path).name, "") + "\n" for path in order)

    said = desk.type("audit", "--seed", "1", "--json", stdin=stdin)

    assert said.code == 0, said.err
    assert (said.json["answered"], said.json["skipped"]) == (4, 1)
    assert (said.json["overall"]["right"], said.json["overall"]["of"]) == (3, 4)
    assert (said.json["filed"]["right"], said.json["filed"]["of"]) == (2, 3)
    assert said.json["classes"]["cat"]["of"] == 2
    assert desk.labels() == {
        "cat-1.jpg": ("cat", "audit", True),
        "cat-3.jpg": ("dog", "audit", True),
        "dog-1.jpg": ("dog", "audit", True),
        "unsure-snake-1.jpg": ("snake", "audit", True),
    }
    assert desk.tree() == [
        "sorted/cat/cat-1.jpg",
        "sorted/cat/cat-2.jpg",
        "sorted/dog/cat-3.jpg",
        "sorted/dog/dog-1.jpg",
        "sorted/snake/unsure-snake-1.jpg",
    ]
    assert desk.agrees()


def _paths(text: str) -> list[str]:
    return re.findall(r"\[\d of \d\] (\S+)", text)


def test_nothing_answered(desk: Desk) -> None:
    """The end of the input stops; without an answer nothing is recorded: exit 4."""
    said = desk.type("audit", stdin="")
    assert (said.code, desk.count_labels()) == (4, 0)


def test_stopping_keeps_what_was_said(desk: Desk) -> None:
    """q ends the audit; the answers so far stand, and aren't asked for again."""
    said = desk.type("audit", stdin="\nq\n")
    assert said.code == 0
    assert "Best guess right, of all drawn:  100.0% (1 of 1;" in said.out
    assert desk.count_labels() == 1
    assert "Drew 4 of 4 pictures" in desk.type("audit", stdin="q\n").err


def test_a_new_class_is_typed_twice(desk: Desk) -> None:
    """A name that is no class yet is asked for again, so that a slip makes none."""
    said = desk.type("audit", "1", stdin="zbra\nzebra\nzebra\n")
    assert said.code == 0
    assert "zbra is no class yet (cat, dog, snake); type it again" in said.err
    assert [name for name, *_ in desk.labels().values()] == ["zebra"]


def test_earlier_words_count(desk: Desk) -> None:
    """A mistake that was noticed before is drawn like any other, counts as wrong, isn't asked."""
    desk.type("label", "cat-3.jpg", "dog")
    said = desk.type("audit", "--json", stdin="\n" * 5)
    assert (said.json["overall"]["right"], said.json["overall"]["of"]) == (4, 5)
    assert "1 of them you had labelled before" in said.err


def test_nothing_left_to_draw(desk: Desk) -> None:
    """When an audit has asked about each: exit 4; never-use pictures aren't drawn at all."""
    (desk.workspace.sorted / "dog/dog-1.jpg").rename(desk.workspace.rejected / "dog-1.jpg")
    assert "Drew 4 of 4" in desk.type("audit", stdin="\n" * 4).err
    said = desk.type("audit")
    assert said.code == 4
    assert "There is no picture to draw" in said.err


def test_the_draw_is_recorded(desk: Desk) -> None:
    """Seed, candidates and what was drawn are a row before the first question, whatever the seed;
    the run says it in words."""
    for seed in ("5", str(2**70)):
        desk.type("audit", "2", "--seed", seed, stdin="q\n")
    recorded = desk.log("SELECT seed, candidates, json_array_length(drawn) FROM audits")
    assert recorded == [("5", 5, 2), (str(2**70), 5, 2)]
    summaries = desk.log("SELECT summary FROM runs WHERE kind = 'audit'")
    assert summaries == [("drew 2 of 5 pictures",)] * 2


def test_a_folder_of_another_run_is_no_audit(desk: Desk) -> None:
    """Its run has a summary, but drew nothing."""
    folder = links(desk)
    renamed = folder.with_name("audit-1")
    folder.rename(renamed)
    said = desk.type("confirm", renamed)
    assert said.code == 1
    assert "is no audit of this workspace" in said.err


# As a folder of links, or as CSV


def links(desk: Desk) -> Path:
    said = desk.type("audit", "--links", "--json")
    assert said.code == 0, said.err
    return Path(said.json["folder"])


def link(folder: Path, name: str) -> Path:
    return next(path for path in folder.rglob(f"*_{name}") if path.is_symlink())


def test_answered_by_moving_links(desk: Desk) -> None:
    """Each link lies in the folder of its guess; moved, it corrects; removed, it is skipped."""
    folder = links(desk)
    assert sorted(path.name for path in folder.iterdir()) == ["audit.csv", "cat", "dog", "snake"]
    assert link(folder, "cat-1.jpg").read_bytes() == b"cat-1.jpg"
    link(folder, "cat-2.jpg").unlink()
    wrong = link(folder, "cat-3.jpg")
    wrong.rename(folder / "dog" / wrong.name)

    said = desk.type("confirm", folder, "--json")

    assert said.code == 0, said.err
    assert (said.json["answered"], said.json["skipped"]) == (4, 1)
    assert said.json["overall"]["right"] == 3
    assert desk.labels()["cat-3.jpg"] == ("dog", "audit", True)
    assert "sorted/dog/cat-3.jpg" in desk.tree()
    assert desk.agrees()
    assert not folder.exists(), "it is recorded: its links would only dangle"


def test_what_a_person_put_into_an_audits_folder_stays(desk: Desk) -> None:
    """Links and list go once confirmed; a file that is none of imgsort's is never removed."""
    folder = links(desk)
    (folder / "notes.txt").write_text("mine")
    assert desk.type("confirm", folder).code == 0
    assert (folder / "notes.txt").read_text() == "mine"
    assert not [path for path in folder.rglob("*") if path.is_symlink()]


def test_answered_by_moving_the_pictures(desk: Desk) -> None:
    """A picture that was moved itself counts as that, though its link still lies where it did."""
    folder = links(desk)
    (desk.workspace.sorted / "cat/cat-3.jpg").rename(desk.workspace.sorted / "dog/cat-3.jpg")
    assert desk.type("confirm", folder, "--json").json["overall"]["right"] == 4
    assert desk.labels()["cat-3.jpg"] == ("dog", "audit", True)


def test_answered_as_csv(desk: Desk) -> None:
    """audit.csv comes back with its last column filled in: y, a class, or nothing."""
    folder = links(desk)
    answers = {"cat-1.jpg": "y", "cat-3.jpg": "dog", "unsure-snake-1.jpg": "snake"}
    with (folder / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5"]
    with (folder / "audit.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(row | {"label": answers.get(row["name"], "")} for row in rows)

    said = desk.type("audit", "--answers", folder / "audit.csv", "--json")

    assert said.code == 0, said.err
    assert (said.json["answered"], said.json["skipped"], said.json["filed"]["of"]) == (3, 2, 2)
    assert desk.labels()["cat-1.jpg"] == ("cat", "audit", True)
    again = desk.type("audit", "--answers", folder / "audit.csv", "--json")
    assert (again.code, again.json) == (0, said.json)
    assert desk.count_labels() == 3, "the same answers were written down twice"


def test_answers_that_nobody_asked_for(desk: Desk, tmp_path: Path) -> None:
    """A list that no audit drew would be no random one: nothing is recorded."""
    file = tmp_path / "mine.csv"
    file.write_text("sha256,label\n" + "ab" * 32 + ",cat\n")
    said = desk.type("audit", "--answers", file)
    assert (said.code, desk.count_labels()) == (1, 0)
    assert "no audit of this workspace drew it" in said.err


def test_confirming_and_auditing_agree(desk: Desk) -> None:
    """An audit's answer survives a later `confirm`; the word of a person isn't asked twice."""
    desk.type("audit", stdin="\n" * 5)
    assert desk.type("confirm", "sorted").code == 4


# What is found out afterwards


@pytest.mark.parametrize("way_there", ["straight", "by way of unsure/"])
def test_a_mistake_found_after_the_audit(desk: Desk, way_there: str) -> None:
    """The picture that was drawn stays representative under the class it is moved to, and its move
    is one word, however often the folders are looked at."""
    desk.type("audit", stdin="\n" * 5)
    said = desk.count_labels()
    place = desk.workspace.sorted / "cat/cat-1.jpg"
    if way_there != "straight":
        place = place.rename(desk.workspace.unsure / "cat-1.jpg")
        _look(desk)
        assert desk.labels()["cat-1.jpg"][:2] == ("withdrawn", "move")
        said += 1
    place.rename(desk.workspace.sorted / "dog/cat-1.jpg")

    for _ in range(3):
        _look(desk)

    assert desk.labels()["cat-1.jpg"] == ("dog", "move", True)
    assert desk.count_labels() == said + 1
    assert desk.labels()["cat-2.jpg"] == ("cat", "audit", True)


def test_what_was_picked_stays_picked(desk: Desk) -> None:
    """Moved twice, a picture that no audit drew is still one that somebody noticed."""
    for start, end in (("cat", "dog"), ("dog", "snake")):
        target = desk.workspace.sorted / end / "cat-3.jpg"
        target.parent.mkdir(exist_ok=True)
        (desk.workspace.sorted / start / "cat-3.jpg").rename(target)
        _look(desk)
    assert desk.labels()["cat-3.jpg"] == ("snake", "move", False)


def _look(desk: Desk) -> None:
    with desk.store() as store:
        apply_reconcile(desk.workspace, store, store.runs.begin("run"))
