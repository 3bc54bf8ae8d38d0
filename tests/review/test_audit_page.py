"""Audits on the page: as `imgsort audit`, in as many sittings as one likes."""

from pathlib import Path
from typing import Any

import pytest

from imgsort.errors import NothingToDo
from imgsort.review.call_refused import CallRefused
from tests.desk import Desk
from tests.review.reviewer import Reviewer, outcomes, reviewing

FILED = [f"cat-{number}.jpg" for number in range(8)] + ["unsure-dog-1.jpg", "unsure-cat-9.jpg"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file(*FILED)
    return desk


def truth(row: dict[str, Any]) -> dict[str, str]:
    """Every third cat is a dog."""
    return {"is": "dog" if row["name"] in {"cat-0.jpg", "cat-3.jpg", "cat-6.jpg"} else row["guess"]}


def test_the_interval_is_that_of_the_command(person: Reviewer, tmp_path: Path) -> None:
    """The same seed draws the same, and the same answers give the same numbers."""
    twin = Desk.at(tmp_path / "twin")
    twin.file(*FILED)
    drawn = person.ask("POST /api/audits", {"n": 8, "seed": 7})
    rows = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
    for row in rows:
        person.say_of(truth(row), [row], audit=drawn["run"])
    lines = "".join(f"{truth(row)['is']}\n" for row in rows)
    said = twin.type("audit", "8", "--seed", "7", "--json", stdin=lines).json
    told = person.ask(f"GET /api/audits/{drawn['run']}")
    assert told["estimate"] == said
    assert (told["answered"], told["drawn"], told["skipped"]) == (8, 8, 0)
    assert {*person.desk.labels().values()} <= {("cat", "audit", True), ("dog", "audit", True)}


def test_an_audit_goes_on_after_a_restart(desk: Desk) -> None:
    """What was answered is in the log, and so is what couldn't be told."""
    with reviewing(desk) as person:
        drawn = person.ask("POST /api/audits", {"n": 6})
        first, second, *_ = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
        person.say_of(truth(first), [first], audit=drawn["run"])
        assert outcomes(person.say_of("skip", [second], audit=drawn["run"])) == ["skipped"]
    with reviewing(desk) as person:
        [one] = person.ask("GET /api/audits")["audits"]
        assert (one["run"], one["answered"], one["skipped"]) == (drawn["run"], 1, 1)
        told = person.ask(f"GET /api/audits/{one['run']}")
        rows = person.ask(f"GET /api/lists/{told['list']}")["rows"]
        assert [row["sha256"] for row in rows][:2] == [first["sha256"], second["sha256"]]
        assert rows[0]["said"] == truth(first)["is"]


def test_undo_takes_an_answer_out(person: Reviewer) -> None:
    """Of the shares, and the picture may be drawn again."""
    drawn = person.ask("POST /api/audits", {"n": 3})
    rows = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
    said = [person.say_of(truth(row), [row], audit=drawn["run"]) for row in rows]
    person.undo(said[0])
    told = person.ask(f"GET /api/audits/{drawn['run']}")
    assert (told["answered"], told["estimate"]["answered"]) == (2, 2)


def test_none_of_the_classes_is_an_answer(person: Reviewer) -> None:
    """No guess was right then."""
    drawn = person.ask("POST /api/audits", {"n": 1})
    rows = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
    person.say_of("none", rows, audit=drawn["run"])
    told = person.ask(f"GET /api/audits/{drawn['run']}")["estimate"]["overall"]
    assert (told["right"], told["of"]) == (0, 1)


def test_what_was_confirmed_before_is_audited_now(person: Reviewer) -> None:
    """The same word is written again, for the question counts."""
    person.say("right", *FILED)
    drawn = person.ask("POST /api/audits", {"n": 1})
    [row] = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
    person.say_of("right", [row], audit=drawn["run"])
    assert person.desk.labels()[row["name"]][1:] == ("audit", True)


def test_only_drawn_pictures_answer_an_audit(person: Reviewer) -> None:
    """A picture that somebody picked would spoil it."""
    drawn = person.ask("POST /api/audits", {"n": 1})
    [row] = person.ask(f"GET /api/lists/{drawn['list']}")["rows"]
    other = next(name for name in FILED if name != row["name"])
    with pytest.raises(CallRefused):
        person.say({"is": "cat"}, other, audit=drawn["run"])
    with pytest.raises(CallRefused):
        person.say({"is": "cat"}, other, audit=99)
    assert person.desk.count_labels() == 0


@pytest.mark.parametrize("body", [{"n": 0}, {"n": "5"}, {"seed": -1}, {"unsure": "yes"}])
def test_nonsense_draws_nothing(body: dict[str, Any], person: Reviewer) -> None:
    """Refused before anything is written."""
    with pytest.raises(CallRefused):
        person.ask("POST /api/audits", body)
    assert person.ask("GET /api/audits")["audits"] == []


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    """In the words of the command."""
    with reviewing(Desk.at(tmp_path / "empty")) as person, pytest.raises(NothingToDo):
        person.ask("POST /api/audits", {"n": 5})
