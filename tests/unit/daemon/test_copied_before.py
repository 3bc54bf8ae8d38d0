"""Copy mode: which files of the inbox have been copied before."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgsort.daemon.inbox.copied_before import Originals
from imgsort.disk.identity import Identity
from imgsort.images.outcome import Refused
from imgsort.records.journal import Plan
from imgsort.store import Store
from tests.logbook import Workplace, file_all, new_store, sha256, verdict


class Stick:
    """An inbox whose files have been copied out."""

    def __init__(self, root: Path, store: Store) -> None:
        self.inbox = root / "inbox"
        self.store = store
        self._work = Workplace(root)
        self.originals = Originals(store, self.inbox)

    def copied(self, way: str, content: str) -> Path:
        path = self.put(way, content)
        folder, _, name = way.rpartition("/")
        plan: Plan = self._work.plan(
            1,
            verdict("cat"),
            name=name,
            subfolder=folder.encode(),
            source=path,
            identity=Identity.of(path.stat()),
            sha256=sha256(content),
            mode="copy",
        )
        file_all(self.store, [plan])
        return path

    def put(self, way: str, content: str) -> Path:
        path = self.inbox / way
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def is_known(self, path: Path) -> bool:
        """As the daemon asks: of its numbers, and if those don't tell, after it was read."""
        identity = Identity.of(path.stat())
        if identity in self.originals.known([identity]):
            return True
        outcome = Refused(path, identity, sha256(path.read_text()), "unread")
        return self.originals.recognised(outcome)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    with new_store(tmp_path) as store:
        yield Stick(tmp_path, store)


def plugged_in_again(stick: Stick) -> None:
    """Other inodes; held back, so that the file system can't hand out the old ones."""
    before = stick.inbox.rename(stick.inbox.with_name("before"))
    shutil.copytree(before, stick.inbox, copy_function=shutil.copy2)


def touched(stick: Stick) -> None:
    for path in stick.inbox.rglob("*.jpg"):
        os.utime(path, (1, 1))


def renamed(stick: Stick) -> None:
    """The folder of the pictures goes by another name, on another disk."""
    plugged_in_again(stick)
    (stick.inbox / "trip").rename(stick.inbox / "holiday")


@pytest.mark.parametrize("changed", [plugged_in_again, touched, renamed])
def test_an_original_under_other_numbers_is_not_copied_again(
    stick: Stick, changed: Callable[[Stick], None]
) -> None:
    """Its content tells, once; from then on its new numbers do, in the next program too."""
    stick.copied("trip/a.jpg", "one")
    stick.copied("trip/b.jpg", "two")
    changed(stick)
    files = sorted(stick.inbox.rglob("*.jpg"))

    assert [stick.is_known(path) for path in files] == [True, True]

    identities = {Identity.of(path.stat()) for path in files}
    assert stick.store.journal.known_copies(identities) == identities


def test_two_originals_of_one_content_are_two(stick: Stick) -> None:
    """Both were copied, both are known again, and a third one is new."""
    stick.copied("a.jpg", "same")
    stick.copied("b.jpg", "same")
    plugged_in_again(stick)
    third = stick.put("c.jpg", "same")

    assert not stick.is_known(third)
    assert stick.is_known(stick.inbox / "a.jpg")
    assert stick.is_known(stick.inbox / "b.jpg")
    assert not stick.is_known(third)


def test_an_original_that_was_written_anew_is_new(stick: Stick) -> None:
    """Other bytes under the same name."""
    path = stick.copied("a.jpg", "one")
    path.write_text("two")
    assert not stick.is_known(path)


def test_an_original_and_its_double_do_not_take_turns(stick: Stick) -> None:
    """Renamed in place, and its content dropped once more: neither is read at every look."""
    path = stick.copied("a.jpg", "one")
    moved = path.rename(path.with_name("b.jpg"))
    double = stick.put("c.jpg", "one")

    for one in (moved, double, moved, double):
        stick.is_known(one)

    files = [Identity.of(one.stat()) for one in (moved, double)]
    assert set(stick.originals.known(files)) == set(files)
