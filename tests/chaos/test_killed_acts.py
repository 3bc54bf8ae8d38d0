"""Kill the review page's server at every durable step of an act, and let the page ask again.

Whatever the moment: an act's words are all there or none is, no file is lost or doubled, and the
page, which asks again with the same number, gets it done once. The same for taking it back.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.test_killed_labelling import (
    KILLED,
    MOVING,
    Typist,
    _contents,
    copied,
)
from tests.desk import Desk, content_hash
from tests.review.reviewer import outcomes, reviewing

PICTURES = [f"cat-{number}.jpg" for number in range(4)]


@pytest.fixture(scope="module")
def typist() -> Iterator[Typist]:
    typist = Typist()
    yield typist
    typist.close()


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with six pictures, to be copied."""
    desk = Desk.at(tmp_path_factory.mktemp("filed") / "photos")
    desk.file(*PICTURES, "dog-1.jpg", "unsure-cat-1.jpg")
    return desk.workspace.root


def an_act() -> dict[str, object]:
    pictures = [{"sha256": content_hash(name), "word": None} for name in PICTURES]
    return {"act": str(uuid4()), "say": {"is": "dog"}, "pictures": pictures}


@pytest.mark.parametrize("failpoint", MOVING)
def test_an_act_killed_at_a_step(
    failpoint: str, filed: Path, tmp_path: Path, typist: Typist
) -> None:
    """Wholly there or wholly not, and done once when the page asks again."""
    desk = copied(filed, tmp_path)
    before, body = _contents(desk), an_act()
    words = ("page", "POST /api/acts", json.dumps(body))
    assert typist.type(desk.workspace.root, *words, failpoint=failpoint) == KILLED
    assert desk.count_labels() in {0, len(PICTURES)}
    with reviewing(desk) as person:
        answer = person.ask("POST /api/acts", body)
        again = person.ask("POST /api/acts", body)
    assert outcomes(answer) == outcomes(again) == ["written"] * len(PICTURES)
    assert [one["moved_to"] for one in answer["pictures"]] == [
        f"sorted/dog/{name}" for name in PICTURES
    ]
    assert desk.count_labels() == len(PICTURES)
    assert desk.labels() == dict.fromkeys(PICTURES, ("dog", "review", False))
    assert desk.agrees()
    assert _contents(desk) == before


@pytest.mark.chaos
@pytest.mark.parametrize("failpoint", MOVING)
def test_taking_back_killed_at_a_step(
    failpoint: str, filed: Path, tmp_path: Path, typist: Typist
) -> None:
    """The word and the place it had before, however often it is asked for."""
    desk = copied(filed, tmp_path)
    tree, body = desk.tree(), an_act()
    with reviewing(desk) as person:
        person.ask("POST /api/acts", body)
    words = ("page", f"POST /api/acts/{body['act']}/undo", "{}")
    assert typist.type(desk.workspace.root, *words, failpoint=failpoint) == KILLED
    with reviewing(desk) as person:
        person.ask(words[1])
        assert person.ask(words[1])["undone"]
    assert desk.labels() == {}
    assert desk.count_labels() == 2 * len(PICTURES), "a word was taken back twice"
    assert desk.tree() == tree
    assert desk.agrees()
