"""A sheet that was looked through confirms what was seen of it, as `confirm` does, and no more."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from imgsort.labels.folder_pictures import confirmed, locate
from imgsort.labels.session import session
from imgsort.review.call_refused import CallRefused
from tests.desk import Desk, content_hash
from tests.review.reviewer import Reviewer, reviewing

FILED = ("cat-1.jpg", "cat-2.jpg", "cat-3.jpg", "dog-1.jpg", "unsure-dog-1.jpg")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file(*FILED)
    return desk


def look_through(
    person: Reviewer, key: str, seen: list[list[int]], **more: object
) -> dict[str, Any]:
    told: dict[str, Any] = person.ask(
        f"POST /api/lists/{key}/looked-through", {"seen": seen, **more}
    )
    return told


def test_a_whole_class_counts_as_looked_through(person: Reviewer, tmp_path: Path) -> None:
    """Its pictures judge the next model; the page and `confirm --json` tell and write the same."""
    twin = Desk.at(tmp_path / "twin")
    twin.file(*FILED)
    for one in (person.desk, twin):
        (one.workspace.sorted / "cat/cat-3.jpg").rename(one.workspace.sorted / "dog/cat-3.jpg")
    person.ask("POST /api/look")
    key, rows = person.open("class", person.class_id("cat"))
    told = look_through(person, key, [[0, len(rows)]])
    said = twin.type("confirm", "sorted/cat", "--json").json
    assert told["whole"]
    assert {name: told[name] for name in said} == said
    assert person.desk.labels() == twin.labels()
    assert person.desk.labels()["cat-1.jpg"] == ("cat", "confirm", True)
    assert person.desk.labels()["cat-3.jpg"] == ("dog", "confirm", True), "moved out before"


def test_what_was_not_seen_is_not_confirmed(person: Reviewer) -> None:
    """A part of a sheet confirms its pictures, and the class isn't looked through."""
    key, _ = person.open("class", person.class_id("cat"))
    told = look_through(person, key, [[0, 1], [2, 3]])
    assert (told["seen"], told["total"], told["whole"], told["representative"]) == (2, 3, False, 0)
    assert person.desk.labels() == {
        "cat-3.jpg": ("cat", "confirm", False),
        "cat-1.jpg": ("cat", "confirm", False),
    }


def test_what_came_since_is_not_confirmed(person: Reviewer) -> None:
    """The daemon files meanwhile; nobody has seen that."""
    key, rows = person.open("class", person.class_id("cat"))
    person.desk.file("cat-9.jpg")
    told = look_through(person, key, [[0, len(rows)]])
    assert told["whole"]
    assert "cat-9.jpg" not in person.desk.labels()
    assert len(person.desk.labels()) == 3


def test_a_mistake_that_came_since_does_not_judge(person: Reviewer) -> None:
    """It was picked for being wrong, from pictures that nobody looked through."""
    key, rows = person.open("class", person.class_id("cat"))
    person.desk.file("cat-9.jpg")
    person.say({"is": "dog"}, "cat-9.jpg")
    look_through(person, key, [[0, len(rows)]])
    assert person.desk.labels()["cat-9.jpg"] == ("dog", "review", False)


def test_what_was_corrected_on_the_sheet_judges_too(person: Reviewer) -> None:
    """Else every mistake that somebody notices would flatter the model."""
    key, rows = person.open("class", person.class_id("cat"))
    person.say({"is": "dog"}, "cat-2.jpg")
    look_through(person, key, [[0, len(rows)]])
    assert person.desk.labels()["cat-2.jpg"] == ("dog", "confirm", True)
    assert person.desk.labels()["cat-1.jpg"] == ("cat", "confirm", True)


def test_a_sheet_with_some_left_out_is_no_whole_class(person: Reviewer) -> None:
    """Whoever hides what was said before hasn't seen all."""
    key, rows = person.open("class", person.class_id("cat"), only={"said": False})
    told = look_through(person, key, [[0, len(rows)]])
    assert (told["confirmed"], told["whole"], told["representative"]) == (3, False, 0)


def test_looking_through_is_an_act(person: Reviewer) -> None:
    """Sent twice it is done once; and it is taken back like any other."""
    key, rows = person.open("class", person.class_id("cat"))
    act = str(uuid4())
    told = look_through(person, key, [[0, len(rows)]], act=act)
    again = look_through(person, key, [[0, len(rows)]], act=act)
    assert (again["act"], again["run"]) == (told["act"], told["run"])
    assert person.desk.count_labels() == 3
    assert person.undo(told)["undone"]
    assert person.desk.labels() == {}
    person.redo(told)
    assert person.desk.labels()["cat-1.jpg"] == ("cat", "confirm", True)


@pytest.mark.parametrize("seen", [None, "all", [[0, 99]], [[2, 1]], [[-1, 1]], [[0]], [["0", "1"]]])
def test_nonsense_was_not_seen(seen: object, person: Reviewer) -> None:
    """Nothing is confirmed of places that there aren't."""
    key, _ = person.open("class", person.class_id("cat"))
    with pytest.raises(CallRefused):
        person.ask(f"POST /api/lists/{key}/looked-through", {"seen": seen})
    assert person.desk.count_labels() == 0


def test_only_a_class_is_looked_through(person: Reviewer) -> None:
    """A search has no meaning that could be right."""
    key, _ = person.open("search", {"name": "cat"})
    with pytest.raises(CallRefused):
        look_through(person, key, [[0, 1]])


def test_the_command_confirms_what_lay_there_when_it_began(desk: Desk) -> None:
    """What the daemon files while `confirm` is at work nobody has seen; what people put there
    themselves they have."""
    with session(desk.workspace, "confirm", lambda _: None) as now:
        desk.file("cat-9.jpg")
        sheet = locate(desk.workspace, now.store, ["sorted/cat"], desk.workspace.root)
        result = confirmed(desk.workspace, now.store, replace(sheet, until=now.newest))
    assert {one.sha256 for one in result.labels} == {
        content_hash(f"cat-{number}.jpg") for number in (1, 2, 3)
    }


def test_a_class_in_several_stations_is_one_sheet(tmp_path: Path) -> None:
    """Where stations come before classes, a class lies in many folders; it is shown as a whole."""
    desk = Desk.at(tmp_path / "traps", '[filing]\ntemplate = "{subfolder}/{label}/{name}"\n')
    desk.file("north/cat-1.jpg", "south/cat-2.jpg", "south/dog-1.jpg")
    with reviewing(desk) as person:
        cat = person.class_id("cat")
        key, rows = person.open("class", cat)
        assert {row["where"] for row in rows} == {
            "sorted/north/cat/cat-1.jpg",
            "sorted/south/cat/cat-2.jpg",
        }
        counted = {
            one["name"]: one["pictures"] for one in person.ask("GET /api/classes")["classes"]
        }
        assert counted == {"cat": 2, "dog": 1, "snake": 0}
        told = look_through(person, key, [[0, len(rows)]])
        assert (told["whole"], told["confirmed"], told["representative"]) == (True, 2, 2)
