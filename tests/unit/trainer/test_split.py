"""Labels become folds: every picture trains, none is judged by a head that has seen its like."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from imgsort.models.heads.learned_model import FOLDS
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.split import Dealt, LabelledImage, blind_fold, deal, neighbours


def named(number: int) -> str:
    return f"{number:064x}"


def pictures(
    count: int, label: int = 0, first: int = 0, representative: bool = True
) -> list[LabelledImage]:
    return [LabelledImage(named(first + at), label, representative) for at in range(count)]


def alone(labelled: Sequence[LabelledImage], *links: tuple[str, str]) -> Grouping:
    return Grouping(tuple((picture.sha256,) for picture in labelled), links)


def dealt(
    labelled: Sequence[LabelledImage],
    grouping: Grouping | None = None,
    before: Mapping[str, int] | None = None,
) -> Dealt:
    return deal(labelled, grouping or alone(labelled), before or {})


def test_every_label_trains_and_judges() -> None:
    """Nothing is held out: each picture is in one fold, which four other heads train on."""
    labelled = pictures(37) + pictures(3, label=1, first=100, representative=False)
    found = dealt(labelled)
    assert found.folds.keys() == {picture.sha256 for picture in labelled}
    assert set(found.folds.values()) == set(range(FOLDS))
    assert all(found.may_judge(picture.sha256) for picture in labelled)


def test_each_fold_gets_as_many_of_every_class() -> None:
    """Of each class the folds differ by one picture at most."""
    labelled = pictures(52) + pictures(9, label=1, first=100) + pictures(3, label=2, first=200)
    folds = dealt(labelled).folds
    for label in range(3):
        counts = Counter(folds[each.sha256] for each in labelled if each.label == label)
        assert max(counts.values()) - min(counts[fold] for fold in range(FOLDS)) <= 1


def test_groups_stay_whole() -> None:
    """All pictures of a group are in one fold, of whatever class they are."""
    labelled = pictures(20) + pictures(20, label=1, first=20)
    groups = tuple((named(at), named(at + 1), named(39 - at)) for at in range(0, 20, 2))
    found = dealt(labelled, Grouping(groups, ()))
    assert all(len({found.folds[name] for name in group}) == 1 for group in groups)
    assert len(set(found.folds.values())) == FOLDS


def test_order_does_not_matter() -> None:
    """The folds depend on the pictures, not on the order in which they are listed."""
    labelled = pictures(40)
    assert dealt(labelled) == dealt(labelled[::-1])


def test_folds_ignore_how_the_label_came() -> None:
    """Confirming a folder later moves no picture to another fold."""
    biased = pictures(60, representative=False)
    confirmed = [replace(picture, representative=True) for picture in biased]
    assert dealt(biased).folds == dealt(confirmed).folds


@pytest.mark.parametrize("seed", range(5))
def test_a_champion_deals_its_folds_on(seed: int) -> None:
    """A picture that the serving model had in a fold is dealt into the same one again, however
    many labels came since, so both can be judged on it by heads that haven't seen it."""
    dice = random.Random(seed)  # noqa: S311 - a simulation
    labelled = [LabelledImage(named(dice.getrandbits(200)), at % 3, True) for at in range(60)]
    before = dealt(labelled).folds
    more = labelled + [
        LabelledImage(named(dice.getrandbits(200)), at % 4, True) for at in range(90)
    ]
    dice.shuffle(more)
    after = dealt(more, before=before).folds
    assert {name: after[name] for name in before} == before
    new = Counter(fold for name, fold in after.items() if name not in before)
    assert min(new.values()) >= 12


def test_a_newcomer_goes_where_its_group_was() -> None:
    """A near-duplicate of a known picture joins its fold; a group known from two, the commoner."""
    labelled = pictures(6)
    before = {named(0): 3, named(2): 1, named(3): 4, named(4): 4}
    groups = ((named(0), named(1)), (named(2), named(3), named(4), named(5)))
    folds = dealt(labelled, Grouping(groups, ()), before).folds
    assert [folds[named(at)] for at in range(6)] == [3, 3, 4, 4, 4, 4]


def test_a_fold_of_an_earlier_program_is_none() -> None:
    """What every head of the serving model has seen says nothing about where to deal it."""
    labelled = pictures(20)
    assert dealt(labelled, before=dict.fromkeys(map(named, range(20)), FOLDS)) == dealt(labelled)


def test_look_alikes_in_other_folds_judge_nothing() -> None:
    """Where complete linkage leaves alike pictures in two groups that are dealt apart, both train
    and neither judges; a link to a picture without a label is none."""
    labelled = pictures(40)
    folds = dealt(labelled).folds
    same = next(n for n in folds if n != named(0) and folds[n] == folds[named(0)])
    other = next(name for name in folds if folds[name] != folds[named(0)])
    grouping = alone(labelled, (named(0), same), (named(0), other), (named(1), named(999)))
    found = dealt(labelled, grouping)
    assert found.alike == {named(0), other}
    assert found.folds == folds
    assert not found.may_judge(other)
    assert found.may_judge(same)
    assert not found.all_alike


def test_one_fixed_camera_is_enough_to_train_on() -> None:
    """Where nearly every picture looks like others, they judge all the same, and it is said."""
    labelled = pictures(60)
    links = tuple((named(one), named(two)) for one in range(60) for two in range(one + 1, 60))
    found = dealt(labelled, alone(labelled, *links))
    assert found.all_alike
    assert all(found.may_judge(picture.sha256) for picture in labelled)


@pytest.mark.parametrize(
    ("names", "fold"),
    [
        ((7, 8), -1),
        ((0,), 2),
        ((0, 7), 2),
        ((0, 1), 2),
        ((0, 2), None),
        ((3, 7), FOLDS),
    ],
)
def test_who_may_judge(names: tuple[int, ...], fold: int | None) -> None:
    """The whole model where it has seen neither the picture nor a look-alike; the head blind to
    their one fold; nobody where they were in several."""
    seen = {named(0): 2, named(1): 2, named(2): 0, named(3): FOLDS}
    assert blind_fold({named(at) for at in names}, seen) == fold


def test_neighbours_are_the_group_and_the_linked() -> None:
    """Of a picture: itself, its group, and what it is linked to; not the links of those."""
    groups = ((named(0), named(1)), (named(2),), (named(3),))
    near = neighbours(Grouping(groups, ((named(0), named(1)), (named(1), named(2)))))
    assert near[named(0)] == {named(0), named(1)}
    assert near[named(1)] == {named(0), named(1), named(2)}
    assert near[named(2)] == {named(1), named(2)}
    assert near[named(3)] == {named(3)}
