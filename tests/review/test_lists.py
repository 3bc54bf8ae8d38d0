"""Lists stand still, in the order that was asked for, and their rows are told as they are now."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from imgsort.models.registry import Registry
from imgsort.review import lists
from imgsort.review.call_refused import CallRefused
from imgsort.review.pins import KEYS, Pins, pins_of, with_free_keys
from tests.desk import Desk, content_hash
from tests.review.reviewer import Reviewer, reviewing

FILED = ["cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-dog-1.jpg", "unsure-cat-2.jpg"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file(*FILED)
    desk.file("broken-1.jpg")
    return desk


def test_each_view_has_its_pictures(person: Reviewer) -> None:
    """What lies in unsure/, in a class, in rejected/, and everything."""
    assert person.names("unsure") == ["unsure-cat-2.jpg", "unsure-dog-1.jpg"]
    assert person.names("class", person.class_id("cat")) == ["cat-2.jpg", "cat-1.jpg"]
    assert person.names("rejected") == ["broken-1.jpg"]
    assert person.names("recent") == ["broken-1.jpg", *reversed(FILED)]


def test_a_row_tells_what_the_log_tells(person: Reviewer) -> None:
    """By the names of the contract."""
    [row] = [row for row in person.open("unsure")[1] if row["name"] == "unsure-dog-1.jpg"]
    del row["id"]
    assert row == {
        "index": 1,
        "sha256": content_hash("unsure-dog-1.jpg"),
        "name": "unsure-dog-1.jpg",
        "where": "unsure/unsure-dog-1.jpg",
        "guess": "dog",
        "confidence": 0.41,
        "decision": "unsure",
        "model": 1,
        "said": None,
        "kind": None,
        "source": None,
        "word": None,
        "state": "here",
        "arrived_at": "2026-11-22T12:00:00.000Z",
        "reason": "confidence 0.41 is below 0.70",
    }
    assert person.row("broken-1.jpg")["state"] == "unreadable"


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("newest", [*reversed(FILED)]),
        ("oldest", FILED),
        ("name", sorted(FILED)),
        ("unsure_first", ["unsure-cat-2.jpg", "unsure-dog-1.jpg", "dog-1.jpg"]),
        ("sure_first", ["dog-1.jpg", "cat-2.jpg", "cat-1.jpg"]),
    ],
)
def test_a_list_has_the_order_asked_for(order: str, names: list[str], person: Reviewer) -> None:
    """Of what is alike in it the newest comes first."""
    given = person.names("search", {"above": 0.0}, order=order)
    assert given[: len(names)] == names


@pytest.mark.parametrize(
    ("of", "names"),
    [
        ({"name": "CAT-1"}, ["cat-1.jpg"]),
        ({"name": "100%"}, []),
        ({"below": 0.5}, ["unsure-cat-2.jpg", "unsure-dog-1.jpg"]),
        ({"above": 0.5, "name": "dog"}, ["dog-1.jpg"]),
        ({"since": "2026-11-23"}, []),
        ({"until": "2026-11-23", "name": "dog-1"}, ["unsure-dog-1.jpg", "dog-1.jpg"]),
        ({"model": 2}, []),
        ({"class": 2}, ["unsure-dog-1.jpg", "dog-1.jpg"]),
    ],
)
def test_a_search_finds_by_everything_at_once(
    of: dict[str, Any], names: list[str], person: Reviewer
) -> None:
    """By name, date, confidence, model and class; a % in a name is just that."""
    assert person.names("search", of) == names


def test_only_what_nobody_has_spoken_of(person: Reviewer) -> None:
    """The sheet without what is done, and the sheet of what is done."""
    cat = person.class_id("cat")
    person.say("right", "cat-1.jpg")
    assert person.names("class", cat, only={"said": False}) == ["cat-2.jpg"]
    assert person.names("class", cat, only={"said": True}) == ["cat-1.jpg"]
    assert person.names("unsure", only={"model": 2}) == []


def test_none_of_these_is_an_answer(person: Reviewer) -> None:
    """Whoever gave it isn't asked again, until it is taken back; it is found where all are."""
    asked = person.names("unsure", only={"said": False})
    said = person.say("none", asked[0])
    assert person.names("unsure", only={"said": False}) == asked[1:]
    assert person.names("unsure", only={"said": True}) == asked[:1]
    assert sorted(person.names("unsure")) == sorted(asked)
    person.undo(said)
    assert person.names("unsure", only={"said": False}) == asked


def test_a_list_stands_still_and_counts_what_came(person: Reviewer) -> None:
    """Its places keep their pictures while the daemon files; rows tell what holds now."""
    key, rows = person.open("unsure")
    person.desk.file("unsure-cat-7.jpg", "cat-7.jpg")
    person.say("right", "unsure-dog-1.jpg")
    window = person.ask(f"GET /api/lists/{key}")
    assert [row["name"] for row in window["rows"]] == [row["name"] for row in rows]
    assert (window["total"], window["since"]) == (2, 1)
    assert [row["said"] for row in window["rows"]] == [None, "dog"]
    assert [row["where"] for row in window["rows"]][1] == "sorted/dog/unsure-dog-1.jpg"


def test_a_window_is_a_part_of_a_list(person: Reviewer) -> None:
    """Any part, by place; none beyond its end, and never more than 200."""
    key, _ = person.open("recent")
    part = person.ask(f"GET /api/lists/{key}", from_=2, count=2)
    assert [row["index"] for row in part["rows"]] == [2, 3]
    assert person.ask(f"GET /api/lists/{key}", from_=99)["rows"] == []
    with pytest.raises(CallRefused):
        person.ask(f"GET /api/lists/{key}", count=201)
    with pytest.raises(CallRefused):
        person.ask(f"GET /api/lists/{key}", from_="-1")


def test_a_list_that_is_no_longer_kept_says_so(
    person: Reviewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest goes when there are too many, and never the newest."""
    monkeypatch.setattr(lists, "_MOST_IDS", 3)
    first, _ = person.open("unsure")
    second, _ = person.open("recent")
    with pytest.raises(CallRefused) as gone:
        person.ask(f"GET /api/lists/{first}")
    assert gone.value.status == 410
    assert person.ask(f"GET /api/lists/{second}")["total"] == 6


def test_an_order_holds_for_more_rows_than_a_query_has_variables(tmp_path: Path) -> None:
    """Ids come as one text in the order of the query, by the thousand."""
    desk = Desk.at(tmp_path / "many")
    names = [f"cat-{number}.jpg" for number in range(1200)]
    random.Random(1).shuffle(names)  # noqa: S311 - any order will do
    desk.file(*names)
    with reviewing(desk) as person:
        key, _ = person.open("recent", order="name")
        found = [
            row["name"]
            for start in range(0, 1200, 200)
            for row in person.ask(f"GET /api/lists/{key}", from_=start)["rows"]
        ]
    assert found == sorted(names)


def test_a_picture_is_found_in_a_list(person: Reviewer) -> None:
    """By its content, so that the page keeps its place when a list is made anew."""
    key, rows = person.open("recent")
    for row in rows:
        assert person.ask(f"GET /api/lists/{key}/find", of=row["sha256"]) == {"index": row["index"]}
    assert person.ask(f"GET /api/lists/{key}/find", of="a" * 64) == {"index": None}


def test_a_burst_is_what_looks_alike_and_came_together(person: Reviewer) -> None:
    """At most four bits of sixty-four differ; the picture itself is among them."""
    hashes = {"cat-1.jpg": 0b1111, "cat-2.jpg": 0b0, "dog-1.jpg": 0b11111}
    for name in FILED:
        _set_dhash(person.desk, name, hashes.get(name, 0xFFFF << 40))
    key, _ = person.open("recent")
    burst = person.ask(f"GET /api/lists/{key}/alike", of=content_hash("cat-1.jpg"))["rows"]
    assert [row["name"] for row in burst] == ["dog-1.jpg", "cat-2.jpg", "cat-1.jpg"]
    burst = person.ask(f"GET /api/lists/{key}/alike", of=content_hash("cat-2.jpg"))["rows"]
    assert [row["name"] for row in burst] == ["cat-2.jpg", "cat-1.jpg"]


def _set_dhash(desk: Desk, name: str, dhash: int) -> None:
    import sqlite3

    with sqlite3.connect(desk.workspace.database) as log:
        log.execute(
            "UPDATE images SET dhash = ? WHERE sha256 = ?", (f"{dhash:016x}", content_hash(name))
        )
    log.close()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"view": "everything"},
        {"view": "class", "of": 99},
        {"view": "class", "of": "../x"},
        {"view": "unsure", "order": "random()"},
        {"view": "unsure", "only": {"path": "/etc"}},
        {"view": "search", "of": {"path": "/etc"}},
        {"view": "search", "of": {"name": "a\0b"}},
        {"view": "search", "of": {"above": 7}},
        {"view": "search", "of": None},
        {"view": "audit", "of": 1},
        {"view": "cell", "of": ["1", "cat", "dog"]},
        {"view": "cell", "of": [7, "cat", "dog"]},
        {"view": "suspects"},
        {"view": "next", "of": 10**9},
    ],
)
def test_nonsense_opens_no_list(body: dict[str, Any], person: Reviewer) -> None:
    """Each is refused in a sentence."""
    from imgsort.errors import ImgsortError

    with pytest.raises((ImgsortError, CallRefused)):
        person.ask("POST /api/lists", body)


def report(desk: Desk) -> None:
    """What a training leaves beside its model: suspects, and every picture of its test."""
    folder = Registry(desk.workspace.models).report(1)
    folder.mkdir()
    wrong = {"truth": "dog", "said": "cat", "confidence": 0.8, "before": "cat"}
    judged = [
        {"sha256": content_hash("dog-1.jpg"), **wrong},
        {"sha256": content_hash("unsure-dog-1.jpg"), **wrong, "confidence": 0.9},
        {"sha256": content_hash("cat-1.jpg"), **wrong, "truth": "cat"},
    ]
    (folder / "judged.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in judged))
    (folder / "metrics.json").write_text(json.dumps({"suspects": judged[:2]}))


def test_cells_and_suspects_open_as_sheets(person: Reviewer) -> None:
    """With what the model of the report said; what is corrected since leaves the sheet."""
    report(person.desk)
    person.say({"is": "dog"}, "dog-1.jpg", "unsure-dog-1.jpg")
    person.say({"is": "cat"}, "cat-1.jpg")
    cell = [1, "dog", "cat"]
    _, rows = person.open("cell", cell)
    assert [(row["name"], row["seems"], row["seems_confidence"]) for row in rows] == [
        ("unsure-dog-1.jpg", "cat", 0.9),
        ("dog-1.jpg", "cat", 0.8),
    ]
    assert person.names("suspects") == ["dog-1.jpg", "unsure-dog-1.jpg"]
    person.say({"is": "snake"}, "dog-1.jpg")
    assert person.names("cell", cell) == person.names("suspects") == ["unsure-dog-1.jpg"]
    person.desk.type("classes", "rename", "dog", "hound")
    assert person.names("cell", cell) == ["unsure-dog-1.jpg"], "a class by its new name is the same"


def test_number_keys_keep_their_classes(person: Reviewer) -> None:
    """A new class takes a free key, and nothing else changes; a key can be given away."""
    pins = {one["name"]: one["pin"] for one in person.ask("GET /api/classes")["classes"]}
    assert pins == {"cat": 1, "dog": 2, "snake": 3}
    person.say({"is": "ant", "new_class": True}, "cat-1.jpg")
    pins = {one["name"]: one["pin"] for one in person.ask("GET /api/classes")["classes"]}
    assert pins == {"ant": 4, "cat": 1, "dog": 2, "snake": 3}
    snake, cat = person.class_id("snake"), person.class_id("cat")
    person.ask("PUT /api/pins", {"pins": [snake, cat, *[None] * 8]})
    pins = {one["name"]: one["pin"] for one in person.ask("GET /api/classes")["classes"]}
    assert (pins["snake"], pins["cat"]) == (1, 2)
    with pytest.raises(CallRefused):
        person.ask("PUT /api/pins", {"pins": [cat, cat, *[None] * 8]})


def test_tabs_that_ask_at_once_all_get_the_keys(tmp_path: Path) -> None:
    """Each wrote the same file at the same time, and one of them found it gone."""
    desk = Desk.at(tmp_path / "photos")

    def keys(number: int) -> Pins:
        """Of other classes each time, so that each writes."""
        names = {KEYS * number + key: "a class" for key in range(KEYS)}
        return pins_of(desk.workspace, names, names)

    with ThreadPoolExecutor(8) as tabs:
        answers = list(tabs.map(keys, range(200)))
    assert {len(one) for one in answers} == {KEYS}
    assert not [path for path in desk.workspace.state.iterdir() if path.suffix == ".part"]


def test_free_keys_go_to_classes_in_use() -> None:
    """The oldest first; a class that is gone frees its key, and no other moves."""
    names = {1: "cat", 2: "dog", 3: "snake", 4: "newt"}
    nobody = (None,) * 10
    assert with_free_keys(nobody, names, {3, 1})[:3] == (1, 3, None)
    assert with_free_keys((9, 2, *nobody[2:]), names, {2, 4})[:3] == (4, 2, None)


def test_what_was_moved_by_hand_is_learned_at_the_start(desk: Desk) -> None:
    """Where no daemon does it: the page shows the folders as they are."""
    root = desk.workspace.root
    (root / "sorted/cat/cat-1.jpg").rename(root / "sorted/dog/cat-1.jpg")
    with reviewing(desk) as person:
        person.ask("POST /api/look")
        assert person.row("cat-1.jpg")["where"] == "sorted/dog/cat-1.jpg"
        assert person.row("cat-1.jpg")["said"] == "dog"
