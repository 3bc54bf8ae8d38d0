"""The gate promotes what is better, refuses what is not, and says which and by how much."""

from typing import Any

import numpy as np
import pytest

from imgsort.trainer.gate import (
    ClassLoss,
    Contest,
    NewToChampion,
    decide,
    learned_something,
    unlearned,
)

KNOWN = ("cat", "dog")


def about(number: float) -> Any:
    """``pytest.approx``, which has a type of its own, where a number is expected."""
    return pytest.approx(number)


def contests(*runs: tuple[int, str, str, str]) -> list[Contest]:
    """``(count, truth, champion, challenger)``, each picture a group of its own."""
    pictures = [run[1:] for run in runs for _ in range(run[0])]
    return [Contest(*picture, group=number) for number, picture in enumerate(pictures)]


def test_too_few() -> None:
    """With 29 pictures nothing is promoted, however good, and the next step is named."""
    verdict = decide(contests((29, "cat", "dog", "cat")), KNOWN, 0.02)
    assert not verdict.promoted
    assert verdict.sentence == (
        "The serving model stays: only 29 held-out images have labels that speak for all your "
        "images, 30 are needed; look through a class folder and `imgsort confirm` it, or label "
        "images drawn at random with `imgsort audit`."
    )


def test_better() -> None:
    """A challenger that is right where the champion errs serves, with both numbers said."""
    verdict = decide(
        contests((60, "cat", "cat", "cat"), (30, "dog", "cat", "dog"), (30, "dog", "dog", "dog")),
        KNOWN,
        0.02,
    )
    assert (verdict.promoted, verdict.provisional, verdict.losses) == (True, False, ())
    assert verdict.champion_f1 == pytest.approx((120 / 150 + 60 / 90) / 2)
    assert verdict.challenger_f1 == 1.0
    assert verdict.lower_bound > 0.15
    assert verdict.sentence == (
        "The new model serves: macro F1 1.000 against 0.733 on 120 held-out images."
    )


def test_provisional_under_100() -> None:
    """On 40 pictures a better model serves provisionally."""
    runs = ((20, "cat", "cat", "cat"), (10, "dog", "cat", "dog"), (10, "dog", "dog", "dog"))
    verdict = decide(contests(*runs), KNOWN, 0.02)
    assert (verdict.promoted, verdict.provisional) == (True, True)


@pytest.mark.parametrize(("images", "promoted"), [(49, False), (50, True)])
def test_a_tie(images: int, promoted: bool) -> None:
    """Equal estimates are enough from 100 pictures on, and not below."""
    runs = ((images, "cat", "cat", "cat"), (images, "dog", "dog", "dog"))
    verdict = decide(contests(*runs), KNOWN, 0.02)
    assert verdict.promoted is promoted
    assert ("not higher, as it must be on fewer than 100" in verdict.sentence) is not promoted


def test_worse() -> None:
    """A lower estimate is refused whatever the margin, and the distance is told."""
    runs = ((100, "cat", "cat", "cat"), (99, "dog", "dog", "dog"), (1, "dog", "dog", "cat"))
    verdict = decide(contests(*runs), KNOWN, 0.5)
    assert not verdict.promoted
    assert verdict.sentence == (
        "The serving model stays: the new one has macro F1 0.995 against 1.000 on 200 held-out "
        "images, 0.5 points lower; label more images, or see in `imgsort report` what it gets "
        "wrong."
    )


def test_better_by_chance() -> None:
    """One point ahead on a hundred hotly contested pictures isn't enough."""
    runs = (
        (15, "cat", "cat", "dog"),
        (16, "cat", "dog", "cat"),
        (24, "cat", "cat", "cat"),
        (15, "dog", "cat", "dog"),
        (15, "dog", "dog", "cat"),
        (25, "dog", "dog", "dog"),
    )
    verdict = decide(contests(*runs), KNOWN, 0.02)
    assert not verdict.promoted
    assert 0 < verdict.challenger_f1 - verdict.champion_f1 < 0.02
    assert verdict.lower_bound < -0.02
    assert "by chance it may be" in verdict.sentence
    assert decide(contests(*runs), KNOWN, 0.5).promoted


def test_a_group_is_one_witness() -> None:
    """Forty shots of one burst prove less than forty pictures."""
    runs = (
        (40, "cat", "dog", "cat"),
        (20, "dog", "dog", "cat"),
        (30, "cat", "cat", "cat"),
        (30, "dog", "dog", "dog"),
    )
    apart = contests(*runs)
    burst = [
        Contest(each.truth, each.champion, each.challenger, -1 if each.group < 40 else each.group)
        for each in apart
    ]
    assert decide(burst, KNOWN, 0.02).lower_bound < decide(apart, KNOWN, 0.02).lower_bound - 0.02


def test_class_loss_is_named() -> None:
    """A promoted model that loses F1 on a class of 20 pictures names it; one of 19 isn't named."""
    runs = (
        (100, "cat", "fox", "cat"),
        (18, "dog", "dog", "dog"),
        (2, "dog", "dog", "owl"),
        (17, "owl", "owl", "owl"),
        (2, "owl", "owl", "fox"),
    )
    verdict = decide(contests(*runs), ("cat", "dog", "owl", "fox"), 0.02)
    assert verdict.promoted
    assert verdict.losses == (ClassLoss("dog", 20, 1.0, about(36 / 38)),)
    assert "; it does worse on dog (1.000 to 0.947), whose labels deserve a look." in (
        verdict.sentence
    )


def test_new_class_is_shown_apart() -> None:
    """Pictures of a class the champion lacks are its errors, and are counted by themselves too."""
    runs = (
        (60, "cat", "cat", "cat"),
        (58, "dog", "dog", "dog"),
        (2, "dog", "dog", "cat"),
        (10, "owl", "dog", "owl"),
    )
    verdict = decide(contests(*runs), KNOWN, 0.02)
    assert verdict.promoted
    without = (120 / 122 + 116 / 118) / 2 - 1
    assert verdict.new_to_champion == NewToChampion(10, 10, about(without))


def test_same_seed_same_bound() -> None:
    """The bootstrap is repeatable."""
    pictures = contests((40, "cat", "dog", "cat"), (40, "dog", "dog", "cat"))
    assert decide(pictures, KNOWN, 0.02) == decide(pictures, KNOWN, 0.02)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("size", [20, 150, 1000])
def test_shuffled_labels_teach_nothing(classes: int, size: int) -> None:
    """By chance 1 in 20 looks learned; where 17 of 20 answers are right, all do."""
    rng = np.random.default_rng(classes * size)
    by_chance = 0
    for _ in range(100):
        labels = rng.permutation(np.arange(size) % classes)
        by_chance += learned_something(labels, rng.permutation(labels))
        answers = np.where(np.arange(size) % 20 < 17, labels, (labels + 1) % classes)
        assert learned_something(labels, answers)
    assert by_chance <= 14


def test_what_learned_nothing_never_serves() -> None:
    """However well an older head makes it look on the held-out pictures."""
    verdict = decide(contests((40, "cat", "dog", "cat"), (40, "dog", "dog", "dog")), KNOWN, 0.02)
    assert verdict.promoted
    refused = unlearned(verdict, 152)
    assert (refused.promoted, refused.provisional) == (False, False)
    assert "the 152 labelled images look like says no more" in refused.sentence
