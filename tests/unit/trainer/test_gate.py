"""The gate promotes what is better, refuses what is not, and says which and by how much."""

from dataclasses import replace

import numpy as np
import pytest

from imgsort.trainer.evaluation.gate import (
    BUDGET,
    FEWEST,
    ClassLoss,
    Contest,
    GateVerdict,
    ModelAnswer,
    allowed_error,
    decide,
    difference,
    learned_something,
    unlearned,
)

KNOWN = frozenset({"cat", "dog"})
Run = tuple[int, str, str, str]


def answer(said: str) -> ModelAnswer:
    """``cat`` is filed, ``cat?`` goes to unsure/."""
    return ModelAnswer(said.rstrip("?"), not said.endswith("?"))


def contests(*runs: Run) -> list[Contest]:
    """``(count, truth, champion, challenger)``, each picture a group of its own."""
    pictures = [run[1:] for run in runs for _ in range(run[0])]
    return [
        Contest(truth, answer(before), answer(after), group)
        for group, (truth, before, after) in enumerate(pictures)
    ]


def decided(*runs: Run, margin: float = 0.02, target: float = 0.95, tries: int = 0) -> GateVerdict:
    return decide(contests(*runs), KNOWN, margin, target, tries)


def test_too_few() -> None:
    """With 19 pictures nothing is promoted, however good, and the next step is named."""
    assert FEWEST == 20
    verdict = decided((19, "cat", "dog", "cat"))
    assert not verdict.promoted
    assert verdict.sentence == (
        "The serving model stays: only 19 images have labels that speak for all your images, 20 "
        "are needed; look through a class folder and `imgsort confirm` it, or label images drawn "
        "at random with `imgsort audit`."
    )
    assert decided((20, "cat", "dog", "cat")).promoted
    assert not decide([], KNOWN, 0.02, 0.95).promoted


def test_better() -> None:
    """A challenger that is right where the champion errs serves, with both numbers said."""
    verdict = decided(
        (60, "cat", "cat", "cat"), (30, "dog", "cat", "dog"), (30, "dog", "dog", "dog")
    )
    assert (verdict.promoted, verdict.provisional, verdict.losses) == (True, False, ())
    assert (verdict.images, verdict.champion_right, verdict.challenger_right) == (120, 90, 120)
    assert verdict.overall is not None
    assert verdict.overall.estimate == pytest.approx(0.25)
    assert 0.15 < verdict.overall.bound < 0.25
    assert verdict.sentence == (
        "The new model serves: right on 120 of 120 images that it hadn't seen, the old one on 90."
    )


def test_provisional_under_100() -> None:
    """On 40 pictures a better model serves provisionally."""
    verdict = decided(
        (20, "cat", "cat", "cat"), (10, "dog", "cat", "dog"), (10, "dog", "dog", "dog")
    )
    assert (verdict.promoted, verdict.provisional) == (True, True)


def test_a_tie_changes_nothing() -> None:
    """As many right and as many filed: the old model stays, on however many pictures."""
    verdict = decided((500, "cat", "cat", "cat"), (500, "dog", "dog", "dog"))
    assert not verdict.promoted
    assert "it is right on as many images and files no more of them" in verdict.sentence


def test_filing_more_is_better_too() -> None:
    """As many right, but a third more of them filed: that is what people have it for."""
    assert decided((200, "cat", "cat", "cat"), (100, "dog", "dog?", "dog")).promoted


def test_a_new_class_does_not_open_the_gate() -> None:
    """First question: thirty pictures of a class that the champion can't know, all right, don't
    make up for ten cats and dogs lost of two hundred."""
    verdict = decided(
        (95, "cat", "cat", "cat"),
        (95, "dog", "dog", "dog"),
        (10, "dog", "dog", "cat"),
        (30, "owl", "dog?", "owl"),
    )
    assert verdict.overall is not None
    assert verdict.overall.bound > 0
    assert not verdict.promoted
    assert "but on the classes that both know it is right on 4.3 of 100 images fewer" in (
        verdict.sentence
    )
    assert ", worst for dog (95 of 105 instead of 105);" in verdict.sentence


def test_a_new_class_that_harms_none_is_welcome() -> None:
    """The same thirty pictures, and cats and dogs as before."""
    verdict = decided(
        (100, "cat", "cat", "cat"), (100, "dog", "dog", "dog"), (30, "owl", "dog?", "owl")
    )
    assert verdict.promoted
    assert verdict.common is not None
    assert verdict.common.estimate == 0


def test_a_new_class_may_cost_a_picture() -> None:
    """One dog lost of 200 known pictures doesn't hold up thirty owls told rightly."""
    verdict = decided(
        (100, "cat", "cat", "cat"),
        (99, "dog", "dog", "dog"),
        (1, "dog", "dog", "owl"),
        (30, "owl", "dog?", "owl"),
    )
    assert verdict.promoted
    assert verdict.common is not None
    assert verdict.common.estimate < 0


def test_few_pictures_suffice_for_a_new_class() -> None:
    """Forty known pictures as before can't prove that nothing is lost on them; what may be is less
    than what twenty owls surely gain."""
    runs: tuple[Run, ...] = ((40, "cat", "cat", "cat"), (20, "owl", "cat?", "owl"))
    verdict = decided(*runs, tries=3)
    assert verdict.promoted
    assert verdict.common is not None
    assert verdict.common.bound < -0.02


def test_where_all_classes_are_new_there_is_nothing_to_lose() -> None:
    """Somebody's own classes, 20 pictures each: what both know isn't asked, for it is nothing."""
    verdict = decided((20, "owl", "dog?", "owl"), (20, "newt", "dog?", "newt"), tries=5)
    assert verdict.promoted
    assert verdict.common is None


def test_worse_over_all() -> None:
    """Second question: by chance it may be worse over all, though the classes both know are safe;
    a margin wide enough lets it through."""
    runs: tuple[Run, ...] = (
        (80, "cat", "cat", "cat"),
        (10, "dog", "dog?", "cat?"),
        (13, "dog", "cat?", "dog?"),
    )
    verdict = decide(contests(*runs), frozenset(), 0.02, 0.95)
    assert verdict.common is None
    assert "over all it may by chance be right on 5.5 " in verdict.sentence
    assert "of 100 images fewer, and 2.0 are allowed" in verdict.sentence
    assert decide(contests(*runs), frozenset(), 0.1, 0.95).promoted


def test_worse() -> None:
    """A lower estimate is refused whatever the margin, and the distance is told."""
    verdict = decided(
        (100, "cat", "cat", "cat"),
        (99, "dog", "dog", "dog"),
        (1, "dog", "dog", "cat"),
        margin=0.5,
    )
    assert not verdict.promoted
    assert verdict.sentence == (
        "The serving model stays: the new one is right on 199 of 200 images that it hadn't seen, "
        "the old one on 200, but over all it is right on 0.5 of 100 images "
        "fewer; label more images, or look in its report at what it gets wrong."
    )


def test_filing_much_less_is_refused() -> None:
    """Third question: three more right of 200, but only 70 filed where 196 were."""
    verdict = decided(
        (70, "cat", "cat", "cat"),
        (120, "cat", "cat", "cat?"),
        (6, "dog", "cat?", "dog?"),
        (6, "dog", "dog", "dog?"),
    )
    assert not verdict.promoted
    assert "it would file 62.4 of 100 images fewer rightly" in verdict.sentence


def test_filing_less_is_no_fault_where_the_champion_missed_the_target() -> None:
    """A champion that files everything and half of it wrongly must not be held up for it."""
    verdict = decided(
        (80, "cat", "cat", "cat"),
        (20, "cat", "cat", "cat?"),
        (50, "dog", "cat", "dog?"),
        (50, "dog", "cat", "cat?"),
    )
    assert verdict.promoted


def test_filing_wrongly_is_refused() -> None:
    """Third question: more right and more filed, but 15 of 150 wrongly where the target is 95 %."""
    verdict = decided(
        (100, "cat", "cat", "cat"),
        (35, "dog", "cat?", "dog"),
        (15, "dog", "cat?", "cat"),
        (15, "dog", "dog?", "dog?"),
    )
    assert not verdict.promoted
    assert "of what it files 90% is right, and 95% were before" in verdict.sentence


def test_better_by_chance() -> None:
    """One point ahead on a hundred hotly contested pictures isn't enough."""
    runs: tuple[Run, ...] = (
        (15, "cat", "cat", "dog"),
        (16, "cat", "dog", "cat"),
        (24, "cat", "cat", "cat"),
        (15, "dog", "cat", "dog"),
        (15, "dog", "dog", "cat"),
        (25, "dog", "dog", "dog"),
    )
    verdict = decided(*runs, target=0.5)
    assert not verdict.promoted
    assert verdict.overall is not None
    assert 0 < verdict.overall.estimate < 0.02
    assert "it may by chance be right on" in verdict.sentence
    assert decided(*runs, target=0.5, margin=0.5).promoted


def test_a_group_is_one_witness() -> None:
    """Forty shots of one burst prove less than forty pictures."""
    apart = contests(
        (40, "cat", "dog", "cat"), (20, "dog", "dog", "cat"), (60, "cat", "cat", "cat")
    )
    burst = [replace(one, group=-1 if one.group < 40 else one.group) for one in apart]
    changes = np.repeat([1.0, -1.0, 0.0], [40, 20, 60])
    alone, together = (difference(one, changes, 1.64) for one in (apart, burst))
    assert alone.estimate == together.estimate == pytest.approx(20 / 120)
    assert together.bound < alone.bound - 0.1


def test_a_picture_counts_as_often_as_its_like_arrives() -> None:
    """Won on what is rare and lost on what is common is lost."""
    runs: tuple[Run, ...] = (
        (60, "cat", "cat", "cat"),
        (40, "dog", "cat", "dog"),
        (20, "dog", "dog", "cat"),
    )
    even = contests(*runs)
    assert decide(even, KNOWN, 0.02, 0.5).promoted
    weighty = [replace(one, weight=3.0 if one.group >= 100 else 0.6) for one in even]
    verdict = decide(weighty, KNOWN, 0.02, 0.5)
    assert not verdict.promoted
    assert verdict.overall is not None
    assert verdict.overall.estimate == pytest.approx((40 * 0.6 - 20 * 3) / 120)


def test_class_loss_is_named() -> None:
    """A promoted model that does worse on a class of 20 pictures names it; one of 19 isn't."""
    known = frozenset({"cat", "dog", "owl", "fox"})
    runs: tuple[Run, ...] = (
        (100, "cat", "fox", "cat"),
        (18, "dog", "dog", "dog"),
        (2, "dog", "dog", "owl"),
        (17, "owl", "owl", "owl"),
        (2, "owl", "owl", "fox"),
    )
    verdict = decide(contests(*runs), known, 0.02, 0.95)
    assert verdict.promoted
    assert verdict.losses == (ClassLoss("dog", 20, 20, 18),)
    assert "; it does worse on dog (18 of 20 instead of 20), whose labels deserve a look." in (
        verdict.sentence
    )


def test_the_errors_of_all_tries_sum_up_to_the_budget() -> None:
    """However often a champion is challenged, one in ten worse challengers gets in at most; each
    try may spend less than the one before."""
    errors = [allowed_error(tries) for tries in range(500)]
    assert BUDGET == 0.10
    assert sum(errors) == pytest.approx(BUDGET)
    assert errors == sorted(errors, reverse=True)
    assert min(errors[:50]) > 0


def test_every_try_is_held_to_more() -> None:
    """What is enough for the first challenger may be too little for the tenth."""
    runs: tuple[Run, ...] = (
        (140, "cat", "cat", "cat"),
        (1, "cat", "cat", "dog"),
        (4, "dog", "cat", "dog"),
    )
    assert decided(*runs).promoted
    later = decided(*runs, tries=9)
    assert not later.promoted
    assert later.tries == 9


def went_live(images: int, better_by: float, seed: int) -> bool:
    """Whether one of ten challengers in a row passes, truly better by so much, each judged on the
    same pictures as the ones before. The champion is right on 90 %; 4 % change sides by chance."""
    rng = np.random.default_rng(seed)
    before = rng.random(images) < 0.9
    filed = rng.random(images) < np.where(before, 0.8, 0.2)
    lost, gained = 0.04 + max(-better_by, 0), 0.04 + max(better_by, 0)
    said = {True: "cat", False: "dog"}
    answers = {(right, sure): ModelAnswer(said[right], sure) for right in said for sure in said}
    for tries in range(10):
        drawn = rng.random(images)
        after = np.where(before, drawn >= lost / 0.9, drawn < gained / 0.1)
        surely = np.where(before == after, filed, rng.random(images) < 0.5)
        sides = zip(before.tolist(), filed.tolist(), after.tolist(), surely.tolist(), strict=True)
        judged = [
            Contest("cat", answers[one[:2]], answers[one[2:]], at) for at, one in enumerate(sides)
        ]
        if decide(judged, KNOWN, 0.02, 0.95, tries).promoted:
            return True
    return False


@pytest.mark.parametrize("images", [60, 150])
def test_one_in_ten_worse_models_gets_in_at_most(images: int) -> None:
    """Truly 3 points worse, ten nights in a row: within ten tries in at most 10 % of cases."""
    assert np.mean([went_live(images, -0.03, seed) for seed in range(300)]) <= 0.10


def test_better_models_get_in() -> None:
    """Truly 3 points better, on 150 pictures: within ten tries in at least 70 % of cases."""
    assert np.mean([went_live(150, 0.03, seed) for seed in range(300)]) >= 0.70


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("size", [20, 150, 1000])
def test_shuffled_labels_teach_nothing(classes: int, size: int) -> None:
    """By chance 1 in 700 looks learned; where 17 of 20 answers are right, all do."""
    rng = np.random.default_rng(classes * size)
    by_chance = 0
    for _ in range(100):
        labels = rng.permutation(np.arange(size) % classes)
        by_chance += learned_something(labels, rng.permutation(labels))
        answers = np.where(np.arange(size) % 20 < 17, labels, (labels + 1) % classes)
        assert learned_something(labels, answers)
    assert by_chance <= 2


def test_what_learned_nothing_never_serves() -> None:
    """However well the first model makes it look on the judged pictures."""
    verdict = decided((40, "cat", "dog", "cat"), (40, "dog", "dog", "dog"))
    assert verdict.promoted
    refused = unlearned(verdict, 152)
    assert (refused.promoted, refused.provisional) == (False, False)
    assert "the 152 labelled images look like says no more" in refused.sentence
