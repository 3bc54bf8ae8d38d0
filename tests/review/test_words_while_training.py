"""What is said while a model learns counts for the next one."""

from pathlib import Path

import pytest

from imgsort.models.registry import Registry
from imgsort.reconcile.apply import apply_reconcile
from tests.desk import Desk
from tests.first_model import first_model_again
from tests.review.reviewer import Reviewer


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "dog-2.jpg")
    return desk


def waiting(desk: Desk) -> int:
    """Words that no model has learned from."""
    with desk.store() as store:
        return store.counts.overview().labels_since_training


def learned(desk: Desk) -> None:
    """The model of a training that ends now."""
    registry = Registry(desk.workspace.models)
    card = registry.publish(first_model_again(registry, kind="learned"))
    with desk.store() as store:
        store.predictions.add_model(card)


def test_words_of_the_time_of_a_training_wait_for_the_next(person: Reviewer) -> None:
    """They were said after it had read the words, and before its model was there; those that it
    found itself, from files that were moved by hand, it has learned."""
    desk = person.desk
    person.say({"is": "dog"}, "cat-1.jpg")
    assert waiting(desk) == 1
    with desk.store() as store:
        run = store.runs.begin("retrain")
    moved = desk.workspace.sorted
    (moved / "cat/cat-2.jpg").rename(moved / "dog/cat-2.jpg")
    with desk.store() as store:
        apply_reconcile(desk.workspace, store, run)
    person.say({"is": "cat"}, "dog-1.jpg")
    learned(desk)
    with desk.store() as store:
        store.runs.end(run, "v2 serves")
    assert waiting(desk) == 1
    person.say({"is": "cat"}, "dog-2.jpg")
    assert waiting(desk) == 2
