"""What the active model is asked by the page, with a real model and real photographs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.daemon.service import run as service
from imgsort.errors import ImgsortError
from imgsort.models.registry import Registry
from imgsort.workspace.workspace import Workspace
from tests.desk import Desk
from tests.review.reviewer import Reviewer, reviewing
from tests.workspace.conftest import founded  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow


@pytest.fixture
def person(founded: Path, tmp_path: Path, test_data: Path) -> Iterator[Reviewer]:  # noqa: F811
    shutil.copytree(founded, tmp_path / "photos", symlinks=True)
    workspace = Workspace.open(tmp_path / "photos")
    for name in ("cats", "dogs", "snakes"):
        for photo in sorted((test_data / "cats_dogs_snakes" / name).iterdir())[:3]:
            shutil.copy(photo, workspace.inbox / f"{name}-{photo.name}")
    service.run(workspace, once=True)
    with reviewing(Desk(workspace)) as reviewer:
        yield reviewer


def test_next_is_a_sheet(person: Reviewer) -> None:
    """As `imgsort next` lists it, with what the model says now; what is said leaves the list."""
    listed = person.desk.type("next", "4", "--json").json
    _, rows = person.open("next", 4)
    assert [row["sha256"] for row in rows] == [one["sha256"] for one in listed]
    assert all(row["seems"] and 0 <= row["seems_confidence"] <= 1 for row in rows)
    person.say_of({"is": "dog"}, rows[:1])
    assert rows[0]["sha256"] not in {row["sha256"] for row in person.open("next", 100)[1]}


def test_why_tells_what_the_command_tells(person: Reviewer) -> None:
    """Model, scores, nearest labelled pictures, moves and words."""
    _, rows = person.open("recent")
    person.say_of({"is": "cat"}, rows[1:2])
    told = person.ask(f"GET /api/pictures/{rows[0]['sha256']}/why")
    assert told == person.desk.type("why", rows[0]["sha256"], "--json").json
    assert [one["sha256"] for one in told["nearest_labelled"]] == [rows[1]["sha256"]]


def test_another_active_model_is_asked_at_once(person: Reviewer) -> None:
    """The page is not left with the one that served when it was opened."""
    _, rows = person.open("recent")
    question = f"GET /api/pictures/{rows[0]['sha256']}/why"
    assert person.ask(question)["active_model"] is None
    registry = Registry(person.desk.workspace.models)
    (person.desk.workspace.models / "active").unlink()
    with pytest.raises(ImgsortError, match="No model is active"):
        person.ask(question)
    registry.activate(1)
    assert person.ask(question)["active_model"] is None
