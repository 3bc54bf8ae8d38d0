"""Lists by the hundred thousand, and samples of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.records.labels import NewLabel
from imgsort.store import Store
from imgsort.store.listing import Wanted
from tests.logbook import Workplace, file_all, new_store, sha256, verdict

NUMBER = 600
"""More than a query has variables."""


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def store(tmp_path: Path, work: Workplace) -> Iterator[Store]:
    """Pictures whose confidence goes up and down."""
    with new_store(tmp_path) as store:
        plans = [
            work.plan(number, verdict("cat", 0.7 + 0.0004 * (number * 7 % NUMBER)))
            for number in range(NUMBER)
        ]
        file_all(store, plans)
        yield store


def say(store: Store, numbers: range, word: str = "cat") -> None:
    contents = [store.lists.files([number + 1])[0].sha256 for number in numbers]
    store.labels.add(1, [NewLabel(one, "label", word, "cli", False) for one in contents])


def test_ids_come_in_the_order_of_the_query(store: Store) -> None:
    """However many, though they come as one text."""
    rows = store.lists.rows(range(1, NUMBER + 1))
    by_doubt = sorted(rows, key=lambda row: (row.confidence or 0, -row.id))
    assert list(store.lists.ids(Wanted(), "unsure_first")) == [row.id for row in by_doubt]
    assert list(store.lists.ids(Wanted(), "newest")) == list(range(NUMBER, 0, -1))


def test_the_least_sure_of_what_nobody_has_spoken_of(store: Store) -> None:
    """And how many there are in all."""
    say(store, range(100))
    least, every = store.lists.least_sure(7)
    assert every == NUMBER - 100
    silent = [row for row in store.lists.rows(range(101, NUMBER + 1)) if row.word is None]
    by_doubt = sorted(silent, key=lambda row: (row.confidence or 0, -row.id))
    assert list(least) == [row.id for row in by_doubt[:7]]


def test_none_of_these_is_not_asked_again(store: Store) -> None:
    """Such a picture teaches nothing, so it would stay the least sure one for ever."""
    first = store.lists.least_sure(1)[0][0]
    content = store.lists.files([first])[0].sha256
    store.labels.add(1, [NewLabel(content, "withdrawn", None, "review", False)])
    least, every = store.lists.least_sure(NUMBER)
    assert first not in least
    assert every == len(least) == NUMBER - 1


def test_some_of_many_labels_are_the_same_ones_each_time(store: Store) -> None:
    """About as many as asked for, whatever they are called and when."""
    say(store, range(NUMBER))
    some = store.labels.some_called(100)
    assert 50 < len(some) < 200
    assert some == store.labels.some_called(100)
    assert {*some} < {*store.labels.some_called()}
    assert len(store.labels.some_called()) == NUMBER


def test_a_copy_is_drawn_once(store: Store, work: Workplace) -> None:
    """By its newest arrival; what an audit has asked of isn't drawn again."""
    again = file_all(store, [work.plan(3, verdict("cat")), work.plan(4, verdict("cat"))])
    newest = {one.arrival_id for one in again}
    drawn = store.pictures.not_audited(("filed", "unsure"))
    assert len(drawn) == NUMBER
    assert drawn == sorted(drawn)
    assert newest <= {*drawn}
    content = store.lists.files([min(one for one in newest if one is not None)])[0].sha256
    store.labels.add(1, [NewLabel(content, "label", "cat", "audit", True)])
    assert len(store.pictures.not_audited(("filed", "unsure"))) == NUMBER - 1
    assert store.pictures.not_audited(("unsure",)) == []


def test_a_list_of_nothing(store: Store) -> None:
    """Is empty, in any order."""
    assert list(store.lists.ids(Wanted(name="nobody"), "name")) == []
    assert store.lists.newest_of([sha256("nobody")]) == {}
