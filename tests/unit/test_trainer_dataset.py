"""The holdout: grouped, stratified, frozen, and read only where labels are representative."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from imgsort.trainer.lessons import LEAST

from imgsort.trainer.dataset import Labelled, Side, cross_folds, holdout_share, split
from imgsort.trainer.gate import FEWEST
from imgsort.trainer.groups import Grouping
from imgsort.trainer.readiness import AUDITED


def named(number: int) -> str:
    return f"{number:064x}"


def pictures(
    count: int, label: int = 0, first: int = 0, representative: bool = True
) -> list[Labelled]:
    return [Labelled(named(first + at), label, representative) for at in range(count)]


def alone(labelled: list[Labelled], *links: tuple[str, str]) -> Grouping:
    return Grouping(tuple((picture.sha256,) for picture in labelled), links)


def frozen(labelled: list[Labelled], assigned: dict[str, Side]) -> list[Labelled]:
    return [replace(each, side=assigned.get(each.sha256, each.side)) for each in labelled]


@pytest.mark.parametrize(
    ("representative", "share"),
    [(0, 0.2), (49, 0.5), (50, 0.7), (56, 0.625), (70, 0.5), (120, 0.5), (200, 0.3), (1000, 0.2)],
)
def test_share(representative: int, share: float) -> None:
    """Of few representative labels half are held out, or what the gate needs; of many a fifth."""
    assert holdout_share(representative) == share


@pytest.mark.parametrize("corrections", [0, 10, 30])
@pytest.mark.parametrize("seed", range(20))
def test_one_audit_is_enough_for_the_gate(corrections: int, seed: int) -> None:
    """Of 50 pictures drawn at random so many are held out that a model can be promoted, whatever
    was corrected besides, and enough are left to train on."""
    dice = random.Random(seed)  # noqa: S311 - a simulation
    labelled = [
        Labelled(named(1_000 * seed + at), dice.choice((0, 0, 1, 2)), at < AUDITED)
        for at in range(AUDITED + corrections)
    ]
    parts = split(labelled, alone(labelled), holdout_share(AUDITED))
    assert len(parts.holdout) >= FEWEST
    assert len(parts.training) >= 2 * LEAST


def test_stratified() -> None:
    """Each class gives its share of pictures to the holdout."""
    labelled = pictures(50) + pictures(20, label=1, first=100) + pictures(5, label=2, first=200)
    parts = split(labelled, alone(labelled), 0.2)
    assert Counter(picture.label for picture in parts.holdout) == {0: 10, 1: 4, 2: 1}
    assert len(parts.training) == 60


def test_groups_stay_whole() -> None:
    """Both pictures of a pair are on one side."""
    labelled = pictures(40)
    pairs = tuple((named(at), named(at + 1)) for at in range(0, 40, 2))
    parts = split(labelled, Grouping(pairs, pairs), 0.3)
    held = {picture.sha256 for picture in parts.holdout}
    assert len(held) == 12
    assert all((one in held) == (other in held) for one, other in pairs)


def test_order_does_not_matter() -> None:
    """The split depends on the pictures, not on the order in which they are listed."""
    labelled = pictures(40)
    backwards = labelled[::-1]
    assert split(labelled, alone(labelled), 0.3) == split(backwards, alone(backwards), 0.3)


def test_frozen() -> None:
    """What was held out once is held out ever after, what was trained on is never held out."""
    labelled = pictures(50)
    first = split(labelled, alone(labelled), 0.2)
    more = frozen(labelled, dict(first.assigned)) + pictures(150, first=500)
    second = split(more, alone(more), 0.2)
    old = {picture.sha256 for picture in labelled}
    assert {each.sha256 for each in second.holdout} & old == {each.sha256 for each in first.holdout}
    assert len(second.holdout) == 40
    assert old.isdisjoint(second.assigned)


def test_side_ignores_how_the_label_came() -> None:
    """Confirming a folder later moves no picture to the other side."""
    biased = pictures(60, representative=False)
    before = split(biased, alone(biased), 0.25)
    confirmed = [replace(picture, representative=True) for picture in biased]
    after = split(confirmed, alone(confirmed), 0.25)
    assert before.holdout == ()
    assert len(before.waiting) == 15
    assert after.assigned == before.assigned


def test_newcomer_joins_its_group() -> None:
    """A near-duplicate of a held-out picture is held out, one of a training picture trains."""
    old = [Labelled(named(1), 0, True, "holdout"), Labelled(named(2), 0, True, "train")]
    new = pictures(2, first=3)
    pairs = ((named(1), named(3)), (named(2), named(4)))
    parts = split([*old, *new], Grouping(pairs, pairs), 0.5)
    assert parts.assigned == {named(3): "holdout", named(4): "train"}


def test_bridge_never_trains() -> None:
    """A picture alike to one of each side is neither trained on, nor read, nor frozen."""
    old = [Labelled(named(1), 0, True, "holdout"), Labelled(named(2), 0, True, "train")]
    bridge = Labelled(named(3), 0, True)
    labelled = [*old, bridge]
    links = ((named(1), named(3)), (named(2), named(3)))
    parts = split(labelled, alone(labelled, *links), 0.5)
    assert parts.bridging == (bridge,)
    assert parts.assigned == {}
    assert [each.sha256 for each in parts.training + parts.holdout] == [named(2), named(1)]


def test_no_link_crosses() -> None:
    """Where complete linkage leaves alike pictures in two groups, the training one is left out."""
    labelled = pictures(60)
    links = tuple((named(at), named(at + 1)) for at in range(59))
    parts = split(labelled, alone(labelled, *links), 0.2)
    held = {picture.sha256 for picture in parts.holdout}
    trained = {picture.sha256 for picture in parts.training}
    assert len(held) == 12
    assert not [1 for one, other in links if {one, other} & held and {one, other} & trained]
    assert len(parts.training) + len(parts.bridging) == 48


def test_cross_folds() -> None:
    """Groups stay whole and each fold gets the same number of every class."""
    labels = [0] * 12 + [1] * 6
    groups = [0, 0, 1, 1, 2, 2, *range(3, 15)]
    folds = cross_folds(labels, groups, 3)
    assert Counter(zip(folds, labels, strict=True)) == {
        (fold, label): count for fold in range(3) for label, count in ((0, 4), (1, 2))
    }
    assert folds[0] == folds[1]
