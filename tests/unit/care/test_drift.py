"""Drift is told where it can't be chance and matters, and nowhere else."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imgsort.care import drift as drift_module
from imgsort.care.drift import ClassMix, Distance, Drift, UnsureRate, drift_of
from imgsort.records.journal import Plan
from imgsort.records.labels import NewLabel
from imgsort.records.log import LogFilter
from imgsort.store import Store
from tests.logbook import NOON, Workplace, card, file_all, landed, new_store, sha256, verdict

CALM = {"cat": 500, "dog": 300, "snake": 200}


def test_a_rise_that_matters_is_told() -> None:
    """With both rates and what to do."""
    rate = UnsureRate(90, 300, 100, 1000, "earlier")
    assert rate.rise.low > 0.05
    assert rate.sentence() == (
        "The model is unsure of 30% of this week's pictures, 10% before; label some of "
        "`imgsort next`, then retrain."
    )


@pytest.mark.parametrize(
    "rate",
    [
        UnsureRate(45, 99, 100, 1000, "earlier"),  # too few this week
        UnsureRate(90, 300, 9, 99, "holdout"),  # too few to compare with
        UnsureRate(42, 300, 100, 1000, "earlier"),  # 14 %: may be chance
        UnsureRate(2_600, 20_000, 2_000, 20_000, "earlier"),  # surely more, and hardly
        UnsureRate(0, 300, 300, 1000, "earlier"),  # a fall is good news
    ],
)
def test_what_may_be_chance_is_not_told(rate: UnsureRate) -> None:
    assert rate.sentence() is None


def test_newcombes_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """His own example, 56/70 against 48/80, at 95 %: 0.0524 to 0.3339 (method 10)."""
    monkeypatch.setattr(drift_module, "Z", 1.959964)
    rise = UnsureRate(56, 70, 48, 80, "earlier").rise
    assert (round(rise.low, 4), round(rise.high, 4)) == (0.0524, 0.3339)


def test_the_distance_of_mixes() -> None:
    """0 for the same shares whatever the counts, 1 for nothing in common."""
    assert ClassMix({"cat": 5, "dog": 5}, {"cat": 70, "dog": 70}, "earlier").distance == 0
    assert ClassMix({"cat": 5}, {"dog": 7}, "earlier").distance == 1
    mixed = ClassMix({"cat": 1}, {"cat": 1, "dog": 1}, "earlier")
    assert mixed.distance == pytest.approx(0.311278**0.5, abs=1e-6)  # bits


def test_another_mix_is_told() -> None:
    """The class that changed most stands in the sentence."""
    mix = ClassMix({"cat": 30, "dog": 30, "snake": 140}, CALM, "earlier")
    assert mix.sentence() == (
        "This week's mix of classes is another one: snake 70%, 20% before; look through snake and "
        "confirm what is right."
    )


@pytest.mark.parametrize(
    "now",
    [
        {"snake": 99},  # too few
        {"cat": 55, "dog": 25, "snake": 20},  # chance
        {"cat": 5600, "dog": 2700, "snake": 1700},  # surely another, and hardly
    ],
)
def test_the_usual_mix_is_not_told(now: dict[str, int]) -> None:
    assert ClassMix(now, CALM, "earlier").sentence() is None


def test_calm_weeks_of_many_classes_raise_no_alarm() -> None:
    """100 pictures of 200 classes always look far apart: the test knows that they would."""
    dice = random.Random(4)  # noqa: S311
    names = [f"class {number}" for number in range(200)]
    alarms = 0
    for _ in range(200):
        now, then = (Counter(dice.choices(names, k=count)) for count in (100, 2000))
        mix = ClassMix(now, then, "earlier")
        assert mix.distance > 0.2
        alarms += mix.sentence() is not None
    assert alarms <= 4


def test_foreign_pictures_are_told() -> None:
    """By construction a hundredth of the training pictures lies beyond the limit."""
    assert Distance(0.8, 40, 256).sentence() == (
        "16% of this week's pictures are unlike anything the model was trained on, 1% is usual; "
        "label some of `imgsort next`, then retrain."
    )
    assert Distance(0.8, 14, 256).sentence() is None
    assert Distance(0.8, 40, 49).sentence() is None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path) as opened:
        yield opened


def filed(store: Store, root: Path, said: dict[str, int], *, days_ago: float, first: int) -> None:
    """So many pictures of each class; ``unsure`` counts as one."""
    workplace, number = Workplace(root), first
    plans = []
    for label, count in said.items():
        for _ in range(count):
            word = verdict("cat", 0.3) if label == "unsure" else verdict(label)
            arrived_at = NOON - timedelta(days=days_ago)
            plans.append(workplace.plan(number, word, arrived_at=arrived_at))
            number += 1
    file_all(store, plans)


def seen(root: Path, number: int, unlikeness: float | None, *, days_ago: float = 1) -> Plan:
    """A picture that a model found so unlike its training."""
    said = replace(verdict("cat"), unlikeness=unlikeness)
    return Workplace(root).plan(number, said, arrived_at=NOON - timedelta(days=days_ago))


def looked_at(store: Store) -> Drift:
    return drift_of(store, card(1), now=NOON)


def test_a_quiet_workspace_says_nothing(store: Store, tmp_path: Path) -> None:
    """No picture, a few, or nothing to compare them with."""
    assert looked_at(store) == Drift(1, 0, None, None, None)
    filed(store, tmp_path, {"cat": 120, "unsure": 30}, days_ago=2, first=0)
    drift = looked_at(store)
    assert (drift.judged, drift.unsure, drift.mix, drift.notable) == (150, None, None, ())
    assert drift.line() == "150 pictures judged this week: too few to compare"


def test_this_week_is_compared_with_before(store: Store, tmp_path: Path) -> None:
    """By the arrival's day, of the same model; both signs are told."""
    filed(store, tmp_path, {"cat": 100, "dog": 100, "unsure": 20}, days_ago=8, first=0)
    filed(store, tmp_path, {"cat": 5, "dog": 120, "unsure": 75}, days_ago=6, first=1000)
    drift = looked_at(store)
    assert drift.unsure == UnsureRate(75, 200, 20, 220, "earlier")
    assert drift.mix == ClassMix({"cat": 5, "dog": 120}, {"cat": 100, "dog": 100}, "earlier")
    assert [sentence[:25] for sentence in drift.notable] == [
        "The model is unsure of 38",
        "This week's mix of classe",
    ]
    assert drift.as_dict()["unsure_rate"]["now"] == 0.375
    assert drift.line() == "unsure 38% this week, 9% before, the mix of classes is another one"


def test_a_trained_model_is_compared_with_its_training(store: Store, tmp_path: Path) -> None:
    """What it was tested on, and the labels that there were when it was made."""
    filed(store, tmp_path, {"cat": 60, "dog": 60, "unsure": 60}, days_ago=1, first=0)
    labels = [NewLabel(sha256(str(number)), "label", "cat", "cli", True) for number in range(110)]
    store.labels.add(None, labels)
    metrics = {"judged_on": "held-out", "held_out": 100, "new": {"filed": 95}}
    trained = card(1, kind="dense", metrics=metrics, created_at="2200-01-01T00:00:00Z")
    drift = drift_of(store, trained, now=NOON)
    assert drift.unsure == UnsureRate(60, 180, 5, 100, "holdout")
    assert drift.line() == (
        "unsure 33% this week, 5% in its test, the mix of classes is another one"
    )
    assert drift.mix == ClassMix({"cat": 60, "dog": 60}, {"cat": 110}, "labels")
    before_any = card(1, kind="dense", created_at="2000-01-01T00:00:00Z")
    assert drift_of(store, before_any, now=NOON).mix is None


def test_the_distance_from_training(store: Store, tmp_path: Path) -> None:
    """As the model told it of each picture of this week, in units of its limit; a picture that came
    twice counts once."""
    told = [1.5 if number < 20 else number / 100 for number in range(60)]
    plans = [seen(tmp_path, number, unlikeness) for number, unlikeness in enumerate(told)]
    plans += [seen(tmp_path, 60 + number, None) for number in range(20)]
    again = [replace(one, source=one.source.with_name("again.jpg")) for one in plans[:1]]
    long_ago = [seen(tmp_path, 90, 9.0, days_ago=8)]
    file_all(store, plans)
    file_all(store, again + long_ago)
    drift = drift_of(store, card(1, kind="dense"), now=NOON)
    assert drift.judged == 81
    assert drift.distance is not None
    assert drift.distance.median == pytest.approx(0.495)
    assert (drift.distance.beyond, drift.distance.of) == (20, 60)
    assert drift.notable[0].startswith("33% of this week's pictures are unlike anything")
    assert drift_of(store, card(2, kind="dense"), now=NOON).distance is None


def test_a_model_that_does_not_tell_has_no_distance(store: Store, tmp_path: Path) -> None:
    """The first one has seen no training; nor do logs know of it that are older than the figure."""
    filed(store, tmp_path, {"cat": 80}, days_ago=1, first=0)
    drift = drift_of(store, card(1, kind="dense"), now=NOON)
    assert (drift.judged, drift.distance) == (80, None)


def test_ones_own_refile_is_no_drift(store: Store, tmp_path: Path) -> None:
    """What a person had judged anew is not what came this week."""
    workplace = Workplace(tmp_path)
    filed(store, tmp_path, {"cat": 100, "dog": 100}, days_ago=8, first=0)
    filed(store, tmp_path, {"cat": 60, "dog": 60}, days_ago=2, first=1000)
    filed(store, tmp_path, {"snake": 90}, days_ago=2, first=2000)
    assert looked_at(store).notable
    rows = list(store.log.rows(LogFilter(label="snake", limit=None)))
    run_id = store.runs.begin("refile")
    again = [
        replace(
            workplace.plan(2000 + number, verdict("snake")),
            cause="refile",
            arrival=None,
            arrival_id=row.id,
        )
        for number, row in enumerate(rows)
    ]
    planned = store.journal.record_decided(run_id, again)
    store.journal.mark_landed([landed(one) for one in planned])

    drift = looked_at(store)

    assert drift.judged == 120
    assert drift.notable == ()
