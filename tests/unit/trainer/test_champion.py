"""The model that serves is judged on what it hasn't seen, by the head that hasn't seen it."""

import numpy as np

from imgsort.models.heads.learned_model import FOLDS
from imgsort.trainer.dataset.split import deal, neighbours
from imgsort.trainer.head.champion import Champion
from tests.schooling import (
    CAT,
    DOG,
    NAMES,
    SNAKE,
    WIDTH,
    apart,
    card,
    first_model,
    judging_champion,
    material,
    named,
)

SEEN = {named(0): 0, named(1): 1, named(2): 2, named(3): 4}
SIX = material(np.ones((6, WIDTH), np.float32), [CAT] * 6)


def answers(champion: Champion, *links: tuple[str, str]) -> list[str | None]:
    near = neighbours(apart(SIX.labelled, *links))
    return [None if one is None else one.label for one in champion.judge(SIX, SIX.labelled, near)]


def test_no_head_judges_a_picture_it_has_seen() -> None:
    """The model as it serves on pictures that are new to it; else the head blind to their fold."""
    assert answers(judging_champion(SEEN)) == ["dog", "dog", "snake", "snake", "cat", "cat"]


def test_nor_one_whose_look_alike_it_has_seen() -> None:
    """A new picture linked to one of fold 0 is judged by the head blind to that; one linked to
    pictures of two folds by nobody."""
    links = ((named(0), named(4)), (named(0), named(5)), (named(2), named(5)))
    assert answers(judging_champion(SEEN), *links) == ["dog", "dog", "snake", "snake", "dog", None]


def test_the_first_model_has_seen_nothing() -> None:
    """It came without labels, whatever was trained on since."""
    champion = first_model(CAT, DOG, SNAKE).having_seen(SEEN)
    assert champion.seen == {}
    assert None not in answers(champion)


def test_a_model_of_an_earlier_program_is_left_out_of_what_it_saw() -> None:
    """None of its heads is blind to anything: what it was trained on doesn't judge it."""
    before = first_model(CAT, DOG, SNAKE)
    earlier = Champion(card("dense", CAT, DOG), before.classifier, (), {}, before.first, 0.7)
    champion = earlier.having_seen([named(0), named(1)])
    assert [one is None for one in answers(champion)] == [True, True] + [False] * 4
    assert [one is None for one in answers(champion, (named(1), named(2)))] == [
        *(True, True, True),
        *(False, False, False),
    ]
    assert set(champion.seen.values()) == {FOLDS}


def test_its_folds_are_dealt_on() -> None:
    """So that the next model's heads are blind to the same pictures, and nobody is left out."""
    champion = judging_champion(SEEN)
    dealt = deal(SIX.labelled, apart(SIX.labelled), champion.seen)
    assert {name: dealt.folds[name] for name in SEEN} == SEEN


def test_unlabelled_classes_are_those_the_first_model_tells() -> None:
    """That still exist and have no label; in the order of the card."""
    champion = first_model(SNAKE, DOG, CAT)
    assert champion.unlabelled({CAT}, NAMES) == (SNAKE, DOG)
    assert champion.unlabelled({CAT}, {CAT: "cat", DOG: "dog"}) == (DOG,)
    assert judging_champion({}).unlabelled({CAT}, NAMES) == ()
