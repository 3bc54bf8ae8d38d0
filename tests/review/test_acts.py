"""What is said on the page: written once, of what was seen, and taken back whole."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from imgsort.errors import (
    ImgsortError,
    StorageFailed,
    StoreFull,
    WorkspaceProblem,
)
from imgsort.review.call_refused import CallRefused
from tests.desk import Desk
from tests.review.reviewer import Reviewer, outcomes, reviewing


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-dog-1.jpg", "unsure-cat-2.jpg")
    return desk


def everything(desk: Desk) -> Any:
    """Folders, words, and all of them that training goes by."""
    return desk.tree(), desk.labels(), material(desk)


def material(desk: Desk) -> Any:
    with desk.store() as store:
        return (
            store.labels.current(),
            store.labels.contested(),
            store.training.records(),
            store.training.strata_of_labelled(),
            store.history.unconfirmed(),
        )


@pytest.mark.parametrize(
    ("say", "name", "path", "word"),
    [
        ({"is": "snake"}, "cat-1.jpg", "sorted/snake/cat-1.jpg", ("snake", "review", False)),
        ("right", "unsure-dog-1.jpg", "sorted/dog/unsure-dog-1.jpg", ("dog", "review", False)),
        ("right", "cat-1.jpg", "sorted/cat/cat-1.jpg", ("cat", "review", False)),
        ("none", "cat-1.jpg", "unsure/cat-1.jpg", ("withdrawn", "review", False)),
        ("never", "dog-1.jpg", "rejected/dog-1.jpg", ("never_use", "review", False)),
        (
            {"is": "newt", "new_class": True},
            "cat-1.jpg",
            "sorted/newt/cat-1.jpg",
            ("newt", "review", False),
        ),
    ],
)
def test_a_word_is_written_and_its_file_follows(
    say: object, name: str, path: str, word: tuple[str, str, bool], person: Reviewer
) -> None:
    """Log, folder and answer agree."""
    answer = person.say(say, name)
    [picture] = answer["pictures"]
    assert (picture["outcome"], picture["moved_to"], picture["row"]["where"]) == (
        "written",
        path,
        path,
    )
    assert person.desk.labels() == {name: word}
    assert path in person.desk.tree()
    assert person.desk.agrees()
    assert person.told == [answer], "the other tabs are told the same"


def test_one_act_says_it_of_many(person: Reviewer) -> None:
    """Each picture of a sheet is what was shown under it."""
    _, rows = person.open("unsure")
    answer = person.say_of("right", rows)
    assert outcomes(answer) == ["written", "written"]
    assert person.desk.labels() == {
        "unsure-dog-1.jpg": ("dog", "review", False),
        "unsure-cat-2.jpg": ("cat", "review", False),
    }
    assert person.names("unsure") == []


def test_an_act_that_is_sent_twice_is_done_once(person: Reviewer) -> None:
    """The page that got no answer asks again, and is told what became of it."""
    act, rows = str(uuid4()), [person.row("cat-1.jpg")]
    first = person.say_of({"is": "dog"}, rows, act=act)
    again = person.say_of({"is": "dog"}, rows, act=act)
    assert again == first
    assert person.desk.count_labels() == 1


def test_nor_twice_by_a_page_that_outlives_the_server(desk: Desk) -> None:
    """The act is in the log, not in the server's memory."""
    act = str(uuid4())
    with reviewing(desk) as before:
        rows = [before.row("cat-1.jpg")]
        first = before.say_of({"is": "dog"}, rows, act=act)
    with reviewing(desk) as after:
        assert after.say_of({"is": "dog"}, rows, act=act) == first
    assert desk.count_labels() == 1


def test_another_word_meanwhile_is_a_conflict(person: Reviewer) -> None:
    """What a second tab says of a picture that it saw before is not written, and shown."""
    before = [person.row("cat-1.jpg")]
    person.say({"is": "dog"}, "cat-1.jpg")
    late = person.say_of({"is": "snake"}, before)
    [picture] = late["pictures"]
    assert (picture["outcome"], picture["row"]["said"]) == ("conflict", "dog")
    assert person.desk.labels() == {"cat-1.jpg": ("dog", "review", False)}
    agreeing = person.say_of({"is": "dog"}, before)
    assert outcomes(agreeing) == ["written"], "who says the same contradicts nobody"
    assert person.desk.count_labels() == 1


def test_a_conflict_leaves_the_others_of_the_act(person: Reviewer) -> None:
    """One picture that somebody else has spoken of doesn't hold up a sheet."""
    _, rows = person.open("unsure")
    person.say({"is": "snake"}, rows[0]["name"])
    assert sorted(outcomes(person.say_of("right", rows))) == ["conflict", "written"]


def test_a_picture_that_is_gone_gets_no_word(person: Reviewer) -> None:
    """Deleted, or moved by hand, between the look and the key."""
    rows = [person.row("cat-1.jpg"), person.row("cat-2.jpg")]
    root = person.desk.workspace.root
    (root / "sorted/cat/cat-1.jpg").unlink()
    (root / "sorted/cat/cat-2.jpg").rename(root / "sorted/dog/cat-2.jpg")
    assert outcomes(person.say_of({"is": "snake"}, rows)) == ["gone", "gone"]
    assert person.desk.count_labels() == 0


def swapped(path: Path) -> None:
    path.write_bytes(b"another picture")


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("swap", [swapped, linked])
def test_another_picture_in_its_place_gets_no_word(
    swap: Callable[[Path], None], person: Reviewer
) -> None:
    """What was shown isn't there any more; what lies there now nobody has seen."""
    rows = [person.row("cat-1.jpg")]
    swap(person.desk.workspace.root / "sorted/cat/cat-1.jpg")
    assert outcomes(person.say_of({"is": "snake"}, rows)) == ["other"]
    assert person.desk.count_labels() == 0


def test_a_broken_picture_teaches_nothing(person: Reviewer) -> None:
    """It can be called no class, as `imgsort label` calls it none; it may be kept away for good."""
    person.desk.file("broken-1.jpg")
    assert outcomes(person.say({"is": "cat"}, "broken-1.jpg")) == ["refused"]
    assert outcomes(person.say("never", "broken-1.jpg")) == ["written"]


@pytest.mark.parametrize(
    ("say", "more"),
    [
        ({"is": "newt"}, {"unknown": True}),
        ({"is": "Cats", "new_class": True}, {"like": "cat"}),
        ({"is": "dgo", "new_class": True}, {"like": "dog"}),
    ],
)
def test_a_slip_makes_no_class(say: object, more: dict[str, Any], person: Reviewer) -> None:
    """A new class is asked for, and one much like another is asked for twice."""
    with pytest.raises(CallRefused) as refused:
        person.say(say, "cat-1.jpg")
    assert (refused.value.status, refused.value.more) == (409, more)
    assert person.desk.count_labels() == 0
    assert set(person.page.store.classes.names().values()) == {"cat", "dog", "snake"}


def test_a_class_much_like_another_can_be_made(person: Reviewer) -> None:
    """By whoever means it."""
    person.say({"is": "cats", "new_class": "even so"}, "cat-1.jpg")
    assert "sorted/cats/cat-1.jpg" in person.desk.tree()


def test_undo_takes_back_word_and_move(person: Reviewer) -> None:
    """Words, folders, representative flags and the material of training are as they were."""
    person.desk.type("confirm", "sorted/cat")
    before = everything(person.desk)
    said = person.say({"is": "dog"}, "cat-1.jpg", "unsure-dog-1.jpg")
    assert everything(person.desk) != before
    undone = person.undo(said)
    assert undone["undone"]
    assert outcomes(undone) == ["written", "written"]
    assert everything(person.desk) == before
    assert person.desk.agrees()


def test_undo_restores_what_somebody_said_before(person: Reviewer) -> None:
    """Not what the model said."""
    person.say({"is": "dog"}, "cat-1.jpg")
    slip = person.say({"is": "snake"}, "cat-1.jpg")
    person.undo(slip)
    assert person.desk.labels() == {"cat-1.jpg": ("dog", "review", False)}
    assert "sorted/dog/cat-1.jpg" in person.desk.tree()


def test_undo_works_after_a_restart(desk: Desk) -> None:
    """Of the last act, which the page finds in the log."""
    before = everything(desk)
    with reviewing(desk) as person:
        person.say({"is": "dog"}, "cat-1.jpg", "cat-2.jpg")
    with reviewing(desk) as person:
        [last] = person.ask("GET /api/acts")["acts"]
        assert (last["say"], last["pictures"], last["undone"]) == ("dog", 2, False)
        person.undo(last)
        assert [one["undone"] for one in person.ask("GET /api/acts")["acts"]] == [True]
    assert everything(desk) == before


def test_undo_and_again_as_often_as_one_likes(person: Reviewer) -> None:
    """Each step is a row of the log; the last one counts. A second answer to one step too."""
    before = everything(person.desk)
    said = person.say({"is": "dog"}, "cat-1.jpg")
    after = person.desk.tree(), person.desk.labels()
    for _ in range(3):
        assert outcomes(person.undo(said)) == outcomes(person.undo(said)) == ["written"]
        assert everything(person.desk) == before
        [told] = person.ask("GET /api/acts")["acts"]
        assert told["undone"]
        assert not person.redo(said)["undone"]
        assert (person.desk.tree(), person.desk.labels()) == after
        [told] = person.ask("GET /api/acts")["acts"]
        assert not told["undone"]


def test_undo_leaves_what_somebody_said_since(person: Reviewer) -> None:
    """A later word of the same picture stays, and the answer says so."""
    first = person.say({"is": "dog"}, "cat-1.jpg", "cat-2.jpg")
    person.say({"is": "snake"}, "cat-1.jpg")
    undone = person.undo(first)
    assert sorted(outcomes(undone)) == ["left", "written"]
    assert person.desk.labels() == {"cat-1.jpg": ("snake", "review", False)}
    assert "sorted/cat/cat-2.jpg" in person.desk.tree()


def test_the_command_takes_back_an_act_of_the_page(person: Reviewer) -> None:
    """`imgsort undo --last` knows it as any other run, and the page sees that."""
    before = everything(person.desk)
    person.say({"is": "dog"}, "cat-1.jpg")
    assert person.desk.type("undo", "--last").code == 0
    assert everything(person.desk) == before
    [told] = person.ask("GET /api/acts")["acts"]
    assert told["undone"]


def test_training_learns_nothing_from_a_slip(person: Reviewer) -> None:
    """Its material is the same to the last field."""
    person.say({"is": "dog"}, "cat-2.jpg")
    before = material(person.desk)
    person.undo(person.say({"is": "snake"}, "cat-1.jpg"))
    assert material(person.desk) == before


def test_sidecars_travel_there_and_back(person: Reviewer) -> None:
    """A picture's sidecar is never left alone."""
    sidecar = person.desk.workspace.root / "sorted/cat/cat-1.jpg.xmp"
    sidecar.write_text("<x/>")
    said = person.say({"is": "dog"}, "cat-1.jpg")
    assert "sorted/dog/cat-1.jpg.xmp" in person.desk.tree()
    person.undo(said)
    assert sidecar.read_text() == "<x/>"


def test_every_copy_of_a_picture_follows(person: Reviewer) -> None:
    """One content is one picture, however many files of it there are."""
    person.desk.file_all({"cat-9.jpg": "cat-1.jpg"})
    said = person.say({"is": "dog"}, "cat-1.jpg")
    assert {"sorted/dog/cat-1.jpg", "sorted/dog/cat-9.jpg"} <= {*person.desk.tree()}
    person.undo(said)
    assert {"sorted/cat/cat-1.jpg", "sorted/cat/cat-9.jpg"} <= {*person.desk.tree()}


def test_what_is_not_where_its_word_says_is_brought(person: Reviewer) -> None:
    """The same word again moves a file that somebody has put elsewhere."""
    person.say({"is": "dog"}, "cat-1.jpg")
    root = person.desk.workspace.root
    (root / "sorted/dog/cat-1.jpg").rename(root / "unsure/cat-1.jpg")
    person.ask("POST /api/look")
    row = person.row("cat-1.jpg")
    assert (row["kind"], row["where"]) == ("withdrawn", "unsure/cat-1.jpg")
    assert outcomes(person.say({"is": "dog"}, "cat-1.jpg")) == ["written"]
    assert "sorted/dog/cat-1.jpg" in person.desk.tree()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"act": "../../etc", "say": "none", "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": "none", "pictures": []},
        {"act": str(uuid4()), "say": "none", "pictures": [{"sha256": "../x"}]},
        {"act": str(uuid4()), "say": "none", "pictures": [{"path": "/etc/passwd"}]},
        {"act": str(uuid4()), "say": "delete", "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": {"is": "../x"}, "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": {"is": "a/b"}, "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": {"is": "a\0b"}, "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": {"is": "x" * 300}, "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": "right", "pictures": [{"sha256": "a" * 64}]},
        {"act": str(uuid4()), "say": "none", "pictures": [{"sha256": "a" * 64, "word": "1"}]},
        {"act": str(uuid4()), "say": "none", "pictures": [{"sha256": "a" * 64, "word": -1}]},
        {"act": str(uuid4()), "say": "none", "pictures": [{"sha256": "a" * 64}], "audit": "1"},
        {"act": str(uuid4()), "say": "none", "pictures": "a" * 64},
        {"act": str(uuid4()), "say": "none", "pictures": [{"sha256": "a" * 64}] * 2001},
    ],
)
def test_nonsense_is_refused_in_words(body: dict[str, Any], person: Reviewer) -> None:
    """Nothing is a path, nothing is believed, nothing is written."""
    with pytest.raises((ImgsortError, CallRefused)):
        person.ask("POST /api/acts", body)
    assert person.desk.count_labels() == 0


def test_a_content_that_never_arrived_is_gone(person: Reviewer) -> None:
    """A hash that the log doesn't know labels nothing."""
    body = {"act": str(uuid4()), "say": {"is": "cat"}, "pictures": [{"sha256": "a" * 64}]}
    assert outcomes(person.ask("POST /api/acts", body)) == ["gone"]
    assert person.desk.count_labels() == 0


@pytest.mark.parametrize("folder", ["sorted", "unsure"])
def test_acts_wait_for_a_folder_that_is_away(folder: str, person: Reviewer) -> None:
    """Nothing is half done meanwhile; the same act goes on by itself once it is back."""
    act, rows = str(uuid4()), [person.row("cat-1.jpg")]
    root = person.desk.workspace.root
    (root / folder).rename(root / "away")
    with pytest.raises(WorkspaceProblem, match="missing"):
        person.say_of({"is": "dog"}, rows, act=act)
    (root / "away").rename(root / folder)
    assert outcomes(person.say_of({"is": "dog"}, rows, act=act)) == ["written"]
    assert person.desk.count_labels() == 1


def test_acts_wait_for_a_class_folder_that_takes_nothing(person: Reviewer) -> None:
    """A file stands where the folder should be: no word is written until it is gone."""
    act, rows = str(uuid4()), [person.row("cat-1.jpg")]
    obstacle = person.desk.workspace.root / "sorted/snake"
    obstacle.write_text("")
    with pytest.raises(CallRefused, match="a link or a file stands in its place"):
        person.say_of({"is": "snake"}, rows, act=act)
    assert person.desk.count_labels() == 0
    obstacle.unlink()
    assert outcomes(person.say_of({"is": "snake"}, rows, act=act)) == ["written"]


def test_acts_wait_for_a_disk_that_is_away(
    person: Reviewer, small_disk: Callable[[str], Path]
) -> None:
    """A bare mount point isn't an empty folder: nothing is called gone, and the act is done once
    the disk is back."""
    root = person.desk.workspace.root
    disk = small_disk("1m")
    (root / "sorted").rename(root / "kept")
    (root / "sorted").symlink_to(disk)
    for folder in (root / "kept").iterdir():
        shutil.copytree(folder, disk / folder.name)
    person.ask("POST /api/look")
    act, rows = str(uuid4()), [person.row("cat-1.jpg")]
    (root / "sorted").unlink()
    (root / "sorted").mkdir()
    with pytest.raises(CallRefused, match="isn't mounted") as paused:
        person.say_of({"is": "dog"}, rows, act=act)
    assert paused.value.status == 503
    assert person.desk.count_labels() == 0
    (root / "sorted").rmdir()
    (root / "sorted").symlink_to(disk)
    assert outcomes(person.say_of({"is": "dog"}, rows, act=act)) == ["written"]


def test_an_act_that_wrote_nothing_is_no_act(person: Reviewer) -> None:
    """There is nothing to take back, and who asks again is judged by what holds then."""
    act, before = str(uuid4()), [person.row("cat-1.jpg")]
    person.say({"is": "dog"}, "cat-1.jpg")
    assert outcomes(person.say_of({"is": "snake"}, before, act=act)) == ["conflict"]
    assert [one["say"] for one in person.ask("GET /api/acts")["acts"]] == ["dog"]
    assert outcomes(person.say_of({"is": "snake"}, [person.row("cat-1.jpg")], act=act)) == [
        "written"
    ]


def test_a_file_that_was_only_brought_goes_back(person: Reviewer) -> None:
    """Where the word held before, taking back means the move."""
    person.say("right", "cat-1.jpg")
    with sqlite3.connect(person.desk.workspace.database) as log:
        log.execute("UPDATE labels SET class_id = 2")  # as if somebody else had said so, unmoved
    log.close()
    said = person.say({"is": "dog"}, "cat-1.jpg")
    assert "sorted/dog/cat-1.jpg" in person.desk.tree()
    assert person.desk.count_labels() == 1
    assert person.undo(said)["undone"]
    assert "sorted/cat/cat-1.jpg" in person.desk.tree()
    last, first = person.ask("GET /api/acts")["acts"]
    assert (last["undone"], first["undone"]) == (True, False)


def test_the_cost_of_a_word_does_not_grow(person: Reviewer) -> None:
    """As many statements are run with a thousand labels as with one, and none reads them all."""
    few = steps(person, "cat-1.jpg")
    person.desk.file(*(f"cat-{number}.jpg" for number in range(100, 1100)))
    person.desk.type("confirm", "sorted/cat")
    assert person.desk.count_labels() > 1000
    assert steps(person, "cat-2.jpg") < 2 * few


def steps(person: Reviewer, name: str) -> int:
    """Of SQLite's machine, in thousands, while a word is said."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    database = person.page._writing._database
    with database.reading() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
    raw.set_progress_handler(count, 1000)
    person.say({"is": "dog"}, name)
    raw.set_progress_handler(None, 1000)
    return counted + 1


def test_a_locked_log_loses_nothing(person: Reviewer) -> None:
    """While another program holds it for a while, the act waits and is then done."""
    rows = [person.row("cat-1.jpg")]
    with closing(sqlite3.connect(person.desk.workspace.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers: list[dict[str, Any]] = []
        acting = threading.Thread(target=lambda: answers.append(person.say_of({"is": "dog"}, rows)))
        acting.start()
        acting.join(0.5)
        assert acting.is_alive()
        other.execute("ROLLBACK")
        acting.join(30)
    assert outcomes(answers[0]) == ["written"]


def test_acts_wait_for_room(small_disk: Callable[[str], Path]) -> None:
    """A full disk is said in a sentence; nothing is half written, and the same act is done once
    there is room."""
    disk = small_disk("4m")
    desk = Desk.at(disk / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg")
    with reviewing(desk) as person:
        act, rows = str(uuid4()), [person.row("cat-1.jpg"), person.row("cat-2.jpg")]
        stuffing = disk / "stuffing"
        with suppress(OSError), stuffing.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        with pytest.raises((ImgsortError, CallRefused)) as full:
            person.say_of({"is": "snake"}, rows, act=act)
        assert isinstance(full.value, StoreFull | CallRefused | StorageFailed)
        stuffing.unlink()
        assert desk.count_labels() in {0, 2}
        assert outcomes(person.say_of({"is": "snake"}, rows, act=act)) == ["written", "written"]
        assert desk.count_labels() == 2
        assert desk.agrees()
