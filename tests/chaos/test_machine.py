"""People and imgsort do anything in any order, and imgsort dies now and then: against a dict."""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imgsort.disk import failpoints
from tests.chaos.forks import Server
from tests.chaos.ledger import Harm, Ledger

YOUNG_SECONDS = 60.0
"""A file that somebody moved between a kill and the recovery is a new one, which is taken into the
log once it is 2 seconds old (30 as the copy of another)."""
CLASSES = ("cat", "dog", "snake")
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a kill needs no disk
CAREFULLY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    print_blob=False,
)
a_word = st.sampled_from([*CLASSES, "unsure-cat", "unsure-dog", "broken"])
a_class = st.sampled_from(CLASSES)
any_of_them = st.integers(0, 10_000)
a_station = st.sampled_from(["A", "B", "cat"])
a_step = st.sampled_from(["after-tx1", "after-place", "after-target-fsync", "after-tx2"])
a_death = st.one_of(
    st.just(""),
    st.builds("{}:{}".format, st.sampled_from(failpoints.FILING), st.integers(1, 3)),
    st.sampled_from(failpoints.RECOVERY),
)


TWICE = "SELECT retracts FROM labels WHERE kind = 'retracted' GROUP BY 1 HAVING count(*) > 1"


class Child:
    """``machine_child`` in a process of its own."""

    def __init__(self) -> None:
        self.server = Server("machine_child.py")

    def does(self, words: Sequence[str], root: Path, failpoint: str, seen: dict[str, str]) -> bool:
        """True if it was killed on the way. ``words``: the action, or a command as it is typed."""
        order = {
            "action": words[0],
            "words": json.dumps(words),
            "root": str(root),
            "failpoint": failpoint,
            "seen": json.dumps(seen),
        }
        return self.server.killed(order)


class People(RuleBasedStateMachine):
    """``expected``: content -> how many files of it there must be, anywhere."""

    child: ClassVar[Child]
    founded: ClassVar[Path]
    deaths: ClassVar[int] = 0
    checks: ClassVar[int] = 0

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="imgsort-", dir=IN_MEMORY)) / "photos"
        shutil.copytree(self.founded, self.root, symlinks=True)
        self.expected: Counter[str] = Counter()
        self.seen: dict[str, str] = {}
        self.dropped = self.renamed = 0
        self.hands = self.spoken = False

    def teardown(self) -> None:
        if hasattr(self, "root"):
            try:
                self.drop("cat", "dog")  # each history ends with a death, and the recovery from it
                self._do("file", "after-place")
                self.settle()
            finally:
                shutil.rmtree(self.root.parent)

    # What people do

    station = ""
    """Of the inbox, for a subclass that has some."""

    @rule(word=a_word, seen=a_class)
    def drop(self, word: str, seen: str) -> None:
        self.dropped += 1
        content = f"{word}-{self.dropped}.jpg"
        self.seen[content] = seen
        self._put(content, content)

    @precondition(lambda self: self.dropped)
    @rule(which=any_of_them)
    def duplicate(self, which: int) -> None:
        content = sorted(self.seen)[which % len(self.seen)]
        self.dropped += 1
        self._put(content.replace(".jpg", f"-again{self.dropped}.jpg"), content)

    @precondition(lambda self: self._filed())
    @rule(which=any_of_them, label=a_class)
    def correct(self, which: int, label: str) -> None:
        self._move(which, self.root / "sorted" / label)

    @precondition(lambda self: self._filed())
    @rule(which=any_of_them, room=st.sampled_from(["unsure", "rejected", "inbox"]))
    def take_back(self, which: int, room: str) -> None:
        self._move(which, self.root / room)

    @precondition(lambda self: self._filed())
    @rule(which=any_of_them)
    def delete(self, which: int) -> None:
        files = self._filed()
        path = files[which % len(files)]
        self.expected[path.read_text()] -= 1
        path.unlink()
        self.hands = True

    @precondition(lambda self: any((self.root / "sorted").iterdir()))
    @rule(which=any_of_them)
    def rename_class(self, which: int) -> None:
        folders = sorted((self.root / "sorted").iterdir())
        self.renamed += 1
        self.hands = True
        folder = folders[which % len(folders)]
        folder.rename(folder.with_name(f"class {self.renamed}"))

    # What imgsort does

    @rule(death=a_death)
    def file(self, death: str) -> None:
        self._do("file", death)

    @rule(words=st.lists(a_word, min_size=1, max_size=3), seen=a_class, point=a_step)
    def die_filing(self, words: list[str], seen: str, point: str) -> None:
        """Every batch comes by these points, so this is a kill for certain."""
        for word in words:
            self.drop(word, seen)
        self._do("file", point)

    @rule()
    def look(self) -> None:
        self._do("look")

    @rule(death=a_death)
    def retrain_and_refile(self, death: str) -> None:
        self._do("retrain")
        self._do("refile", death)

    @rule(death=a_death)
    def undo(self, death: str) -> None:
        self._do("undo", death, "--last")

    @precondition(lambda self: self._pictures())
    @rule(which=any_of_them, label=a_class, death=a_death)
    def label(self, which: int, label: str, death: str) -> None:
        """A word, and the move it makes: both, or neither."""
        self.spoken = True
        self._do("label", death, self._picture(which), label)

    @rule(death=a_death)
    def confirm(self, death: str) -> None:
        self.spoken = True
        self._do("confirm", death, "sorted")

    @precondition(lambda self: self._classes())
    @rule(which=any_of_them, other=any_of_them, death=a_death)
    def merge(self, which: int, other: int, death: str) -> None:
        """A class becomes part of another: words, files and the class itself, or nothing."""
        self._merge(which, other, death)

    @precondition(lambda self: self._classes())
    @rule(which=any_of_them, other=any_of_them, point=st.sampled_from(["", *failpoints.FILING]))
    def merge_by_mistake(self, which: int, other: int, point: str) -> None:
        """And taken back at once, by an undo that may die on the way: the same words and classes as
        before."""
        self._do("look")
        self._do("file")
        known = self._known()
        before, runs = (self._said(known), self._classes()), self._asked("SELECT max(id) FROM runs")
        self._merge(which, other)
        changed = "SELECT run_id FROM class_changes WHERE run_id > ? AND kind = 'retired'"
        if not (run := self._asked(changed, *runs[0])):
            return
        for death in (point, ""):
            self._do("undo", death, "--run", str(run[0][0]))
        assert (self._said(known), self._classes()) == before

    def _merge(self, which: int, other: int, death: str = "") -> None:
        names = self._classes()
        self.spoken = True
        pair = names[which % len(names)], names[other % len(names)]
        self._do("classes", death, "merge", *pair)

    def _classes(self) -> list[str]:
        """Those in use."""
        if not hasattr(self, "root"):
            return []
        live = "SELECT name FROM classes WHERE retired_at IS NULL ORDER BY name"
        return [str(name) for (name,) in self._asked(live)]

    @precondition(lambda self: self._pictures())
    @rule(which=any_of_them, label=a_class, point=st.sampled_from(["", *failpoints.FILING]))
    def slip(self, which: int, label: str, point: str) -> None:
        """Called something by mistake and taken back, at once, by an undo that may die on the way:
        what is said of every content is what was said before."""
        self._do("look")
        self._do("file")  # recovery of whoever has just died, so that the slip is the last run
        known = self._known()
        before, runs = self._said(known), self._asked("SELECT max(id) FROM runs")
        self.spoken = True
        self._do("label", "", self._picture(which), label)
        [(run,)] = self._asked("SELECT max(id) FROM runs WHERE kind = 'label'")
        if (run,) <= runs[0] or not self._did_something(run):
            return
        for death in (point, ""):
            self._do("undo", death, "--run", str(run))
        assert self._said(known) == before

    def _did_something(self, run: object) -> bool:
        said = "SELECT 1 FROM labels WHERE run_id = ? AND source = 'cli'"
        return self._asked(said, run) != []

    def _known(self) -> set[object]:
        """Contents that the log knows; the next look may learn others, and what hands said."""
        return {sha256 for _, sha256 in self._rows()}

    def _said(self, contents: set[object]) -> dict[object, tuple[object, ...] | None]:
        """Content -> its newest word that stands."""
        words = {
            row[0]: row[1:]
            for row in self._asked(
                "SELECT sha256, kind, class_id, representative FROM labels"
                " JOIN images ON images.id = image_id WHERE kind != 'retracted' AND labels.id NOT"
                " IN (SELECT retracts FROM labels WHERE kind = 'retracted') ORDER BY labels.id"
            )
        }
        return {one: words.get(one) for one in contents}

    @rule()
    def settle(self) -> None:
        """A restart, and time to look at everything: log and folders agree."""
        for action in ("look", "file", "look"):
            self._do(action)
        type(self).checks += 1
        assert self._asked("SELECT count(*) FROM moves WHERE state = 'planned'") == [(0,)]
        deadline = time.monotonic() + YOUNG_SECONDS
        while self._rows() != self._tree() and self.hands and time.monotonic() < deadline:
            time.sleep(0.5)
            self._do("look")
        assert self._rows() == self._tree()
        assert not [path for path in (self.root / "inbox").rglob("*") if path.is_file()]
        if not self.hands:
            given = "SELECT count(*) FROM labels"
            if self.spoken:  # by typing alone
                given += " WHERE source = 'move'"
            assert self._asked(given) == [(0,)], "labels nobody gave"
        assert self._asked(TWICE) == [], "a word was taken back twice"

    # What must hold at every moment, whoever has just died

    @invariant()
    def every_picture_is_there_as_often_as_it_was_dropped(self) -> None:
        if not hasattr(self, "root"):
            return
        inbox = [path for path in (self.root / "inbox").rglob("*") if path.is_file()]
        there = Counter(path.read_text() for path in (*inbox, *self._filed()))
        assert there == +self.expected

    @invariant()
    def the_database_is_sound(self) -> None:
        if hasattr(self, "root"):
            assert self._asked("PRAGMA integrity_check") == [("ok",)]

    def _rows(self) -> list[tuple[object, ...]]:
        rows = self._asked(
            "SELECT path, sha256 FROM arrivals JOIN images ON images.id = image_id"
            " WHERE state = 'filed' AND missing_at IS NULL"
        )
        return sorted(rows, key=str)

    def _tree(self) -> list[tuple[object, ...]]:
        rows = [
            (str(path.relative_to(self.root)), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in self._filed()
        ]
        return sorted(rows, key=str)

    def _do(self, action: str, death: str = "", *words: str) -> bool:
        died = self.child.does([action, *words], self.root, death, self.seen)
        type(self).deaths += died
        return died

    def _put(self, name: str, content: str) -> None:
        path = self.root / "inbox" / self.station / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        self.expected[content] += 1

    def _move(self, which: int, folder: Path) -> None:
        """As a file manager does; it renames rather than replaces."""
        files = self._filed()
        path = files[which % len(files)]
        if path.parent == folder:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.dropped += 1
        free = not (folder / path.name).exists()
        path.rename(folder / (path.name if free else f"{path.stem}-by-hand{self.dropped}.jpg"))
        self.hands = True

    def _pictures(self) -> list[Path]:
        """What a word can be said of."""
        return [path for path in self._filed() if not path.read_text().startswith("broken")]

    def _picture(self, which: int) -> str:
        pictures = self._pictures()
        return str(pictures[which % len(pictures)])

    def _filed(self) -> list[Path]:
        if not hasattr(self, "root"):
            return []
        rooms = ("sorted", "unsure", "rejected")
        found = (path for room in rooms for path in (self.root / room).rglob("*"))
        return sorted(path for path in found if path.is_file())

    def _asked(self, question: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.root / "state/imgsort.db")) as log:
            return log.execute(question, values).fetchall()


class Stations(People):
    """The same where stations come before classes; some are called like a class."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        (self.root / "config.toml").write_text(
            '[filing]\ntemplate = "{folder1}/{label}/{name}"\n', encoding="utf-8"
        )

    @rule(station=a_station)
    def go(self, station: str) -> None:
        """To another station: what is dropped and corrected from here on is there."""
        self.station = station

    @precondition(lambda self: self._filed())
    @rule(which=any_of_them, label=a_class)
    def correct(self, which: int, label: str) -> None:
        self._move(which, self.root / "sorted" / (self.station or "A") / label)

    @precondition(lambda self: any((self.root / "sorted").glob("*/*")))
    @rule(which=any_of_them)
    def rename_class_of_a_station(self, which: int) -> None:
        folders = sorted(path for path in (self.root / "sorted").glob("*/*") if path.is_dir())
        self.renamed += 1
        self.hands = True
        if folders:
            folder = folders[which % len(folders)]
            folder.rename(folder.with_name(f"class {self.renamed}"))

    @precondition(lambda self: self._classes())
    @rule(which=any_of_them, point=st.sampled_from(["", *failpoints.RENAMING]))
    def rename(self, which: int, point: str) -> None:
        """By command, which may die on the way: that makes no label."""
        self._do("look")
        known = self._known()
        before = self._said(known)
        names = self._classes()
        self.renamed += 1
        new = f"class {self.renamed}"
        self._do("classes", point, "rename", names[which % len(names)], new, "--new-class")
        self._do("look")
        assert self._said(known) == before


@pytest.fixture(scope="module", autouse=True)
def _child(tmp_path_factory: pytest.TempPathFactory) -> object:
    People.child = Child()
    People.founded = tmp_path_factory.mktemp("machine") / "photos"
    People.child.does(["found"], People.founded, "", {})
    yield
    People.child.server.close()


def test_people_and_imgsort_in_any_order(ledger: Ledger) -> None:
    """A few histories: nothing lost, nothing doubled, log and folders agree."""
    _run(ledger, settings(CAREFULLY, max_examples=4, stateful_step_count=10, derandomize=True))


def test_stations_before_classes(ledger: Ledger) -> None:
    """A few more, where a class has a folder in each station."""
    how = settings(CAREFULLY, max_examples=4, stateful_step_count=10, derandomize=True)
    _run(ledger, how, Stations)


@pytest.mark.chaos
def test_stations_before_classes_for_long(ledger: Ledger) -> None:
    """The same for long."""
    _run(ledger, settings(CAREFULLY, max_examples=60, stateful_step_count=30), Stations)


@pytest.mark.chaos
def test_people_and_imgsort_in_any_order_for_long(ledger: Ledger) -> None:
    """The same, many and longer histories, other ones each time."""
    _run(ledger, settings(CAREFULLY, max_examples=60, stateful_step_count=30))


def _run(ledger: Ledger, how: settings, people: type[People] = People) -> None:
    people.deaths = 0
    run_state_machine_as_test(people, settings=how)
    ledger.fault("killed in the state machine", Harm(), people.deaths)
