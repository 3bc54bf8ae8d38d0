"""What arrived, by what the models of the time made of it, and where labelled pictures stand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.records.labels import NewLabel
from imgsort.store import Store
from imgsort.store.training import Stratum
from tests.logbook import Workplace, card, file_all, new_store, sha256, verdict

UNSURE = Stratum("unsure", None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three cats filed, two of them at 0.9; a dog; two unsure ones and a broken file."""
    with new_store(tmp_path) as opened:
        plan = Workplace(tmp_path).plan
        said = [
            *(verdict("cat"), verdict("cat"), verdict("cat", 0.75), verdict("dog", 0.8)),
            *(verdict("cat", 0.4), verdict("dog", 0.5), None),
        ]
        file_all(opened, [plan(number, one) for number, one in enumerate(said)])
        yield opened


def filed(store: Store, name: str) -> Stratum:
    ids = {label: number for number, label in store.classes.names().items()}
    return Stratum("filed", ids[name])


def say(store: Store, *words: tuple[str, str]) -> None:
    labels = [NewLabel(name, "label", of, "cli", representative=True) for name, of in words]
    store.labels.add(None, labels)


def test_what_arrived_is_counted_by_what_was_made_of_it(store: Store) -> None:
    """With the mean confidence of each kind; what is unsure is one kind, whatever it looked like;
    a file that couldn't be read was never judged."""
    found = store.training.arrived()
    told = {kind: (each.images, round(each.confidence, 6)) for kind, each in found.items()}
    assert told == {
        filed(store, "cat"): (3, 0.85),
        filed(store, "dog"): (1, 0.8),
        UNSURE: (2, 0.45),
    }


def test_a_picture_that_comes_twice_arrived_twice(store: Store, tmp_path: Path) -> None:
    """It is as much work to be wrong on the second time."""
    again = Workplace(tmp_path).plan(0, verdict("cat"), name="again.jpg")
    file_all(store, [again])
    assert store.training.arrived()[filed(store, "cat")].images == 4


def test_labelled_pictures_stand_where_the_model_of_the_time_put_them(store: Store) -> None:
    """Whatever a person says of them, and whatever another model would; one that came in with an
    import was judged by nobody."""
    say(store, (sha256("0"), "cat"), (sha256("3"), "cat"), (sha256("5"), "dog"))
    store.predictions.add_model(card(2))
    assert store.training.strata_of_labelled() == {
        sha256("0"): filed(store, "cat"),
        sha256("3"): filed(store, "dog"),
        sha256("5"): UNSURE,
    }


def test_where_nothing_arrived_nothing_is_known(tmp_path: Path) -> None:
    """A workspace that only imported has no strata: its labels speak for themselves."""
    with new_store(tmp_path) as empty:
        assert empty.training.arrived() == {}
        assert empty.training.strata_of_labelled() == {}
