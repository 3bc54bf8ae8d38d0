"""A trained challenger: judged by blind heads, calibrated, compared; it says what it knows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from imgsort.models.heads.learned_model import FOLDS
from imgsort.records.verdict import NEVER, UNLIKE
from imgsort.store.training import Arrived, Stratum
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.population import Population
from imgsort.trainer.dataset.split import deal
from imgsort.trainer.evaluation.comparison import (
    Comparison,
    Options,
    Training,
    TrainingTerms,
    compare,
)
from imgsort.trainer.evaluation.learning_curve import learning_curve
from imgsort.trainer.evaluation.outcome import verdict_on
from imgsort.trainer.evaluation.pictures import targets
from imgsort.trainer.evaluation.preconditions import LEAST
from imgsort.trainer.head.challenger import Challenger, train
from imgsort.trainer.head.champion import Champion
from tests.schooling import (
    CAT,
    DOG,
    SNAKE,
    WIDTH,
    apart,
    blobs,
    card,
    first_model,
    material,
    named,
)

NOBODY = Population({}, {})


def taught(
    pupils: Material, grouping: Grouping | None = None, unlabelled: Sequence[int] = ()
) -> Challenger:
    """Training against a first model that knows cats, dogs and snakes, by numbers not in use."""
    dealt = deal(pupils.labelled, grouping or apart(pupils.labelled), {})
    return train(pupils, dealt, nobody(), unlabelled, 0.95)


def nobody() -> Champion:
    """A first model that knows nothing, so that only labels teach."""
    first = first_model(CAT, DOG, SNAKE)
    return replace(first, first=None)


@pytest.fixture(scope="module")
def three() -> tuple[Material, Challenger]:
    """Ninety pictures of three classes that overlap a little."""
    pupils = blobs(30, 3, distance=0.6)
    return pupils, taught(pupils)


def test_every_label_trains(three: tuple[Material, Challenger]) -> None:
    """The model has seen every labelled picture, each in one fold, and none is held out."""
    pupils, challenger = three
    assert challenger.model.seen.keys() == {picture.sha256 for picture in pupils.labelled}
    assert set(challenger.model.seen.values()) == set(range(FOLDS))
    assert challenger.judging.all()
    assert challenger.class_ids == (CAT, DOG, SNAKE)


def test_each_picture_is_told_by_the_head_that_is_blind_to_it(
    three: tuple[Material, Challenger],
) -> None:
    """What its verdicts rest on are the very heads that are kept, to judge it against a later
    model too."""
    pupils, challenger = three
    names = [str(number) for number in challenger.class_ids]
    rows = pupils.rows(pupils.labelled)
    alike = 0
    for fold in range(FOLDS):
        own = challenger.folds == fold
        said = challenger.model.head(names, fold).scores(rows[own]).argmax(axis=1)
        alike += int((said == challenger.out_of_fold[own].argmax(axis=1)).sum())
    assert alike >= 0.95 * len(rows)  # small sets try other recipes for each fold
    served = challenger.model.head(names).scores(rows).argmax(axis=1)
    assert (served == challenger.truth).mean() > (
        challenger.out_of_fold.argmax(axis=1) == challenger.truth
    ).mean()


def test_the_temperature_is_measured(three: tuple[Material, Challenger]) -> None:
    """It is not always 1: with labels that are wrong now and then a model must be less sure, and
    its confidence then says how often it is right."""
    _, challenger = three
    assert abs(challenger.model.temperature - 1) > 0.02
    best = challenger.out_of_fold.max(axis=1)
    right = challenger.out_of_fold.argmax(axis=1) == challenger.truth
    assert best.mean() == pytest.approx(right.mean(), abs=0.08)
    names = [str(number) for number in challenger.class_ids]
    head = challenger.model.head(names)
    assert head.temperature == challenger.model.temperature


def random_labels(count: int, seed: int = 0) -> list[int]:
    dealt = np.random.default_rng(seed).permutation(np.arange(count) % 2)
    return [int(label) + 1 for label in dealt]


def test_no_twin_helps_to_guess() -> None:
    """Every picture twice, and labels thrown with dice: grouped, no head has seen the twin of what
    it judges, so it guesses; were they dealt apart it would know them all."""
    rng = np.random.default_rng(0)
    points = np.repeat(rng.normal(size=(30, WIDTH)).astype(np.float32) * 3, 2, axis=0)
    pupils = material(points, np.repeat(random_labels(30), 2).tolist())
    twins = tuple((named(at), named(at + 1)) for at in range(0, 60, 2))
    together = taught(pupils, Grouping(twins, twins))
    folds = together.folds.reshape(-1, 2)
    assert (folds[:, 0] == folds[:, 1]).all()
    assert right(together) < 0.7
    assert right(taught(pupils)) > 0.85


def right(challenger: Challenger) -> float:
    return float((challenger.answers == challenger.truth).mean())


def test_look_alikes_and_corrections_judge_nothing() -> None:
    """They train; those that judge are labelled without picking, and alike to none elsewhere."""
    pupils = blobs(12, 2)
    spoken = [at % 3 > 0 for at in range(24)]
    pupils = material(pupils.rows(pupils.labelled), [one.label for one in pupils.labelled], spoken)
    folds = deal(pupils.labelled, apart(pupils.labelled), {}).folds
    other = next(n for n in folds if folds[n] != folds[named(1)] and int(n, 16) % 3)
    challenger = taught(pupils, apart(pupils.labelled, (named(1), other)))
    judging = {
        one.sha256 for one, own in zip(pupils.labelled, challenger.judging, strict=True) if own
    }
    expected = {named(at) for at in range(24) if at % 3} - {named(1), other}
    assert judging == expected
    assert len(challenger.model.seen) == 24


def test_thresholds_of_a_fold_rest_on_the_others() -> None:
    """Turn the pictures of one fold wrong: its own verdicts keep their thresholds, and the
    thresholds that serve notice."""
    drawn = taught(blobs(40, 2, distance=3))
    challenger = replace(
        drawn,
        unlikeness=np.zeros(80, np.float32),
        out_of_fold=np.array([[0.9, 0.05], [0.05, 0.9]], np.float32)[drawn.truth],
    )
    assert all(one.decision == "filed" for one in challenger.verdicts(0.95))
    own = challenger.folds == 0
    turned = np.where(own[:, None], challenger.out_of_fold[:, ::-1], challenger.out_of_fold)
    wrong = replace(challenger, out_of_fold=turned, answers=turned.argmax(axis=1))
    verdicts = wrong.verdicts(0.95)
    assert all(verdicts[at].decision == "filed" for at in np.flatnonzero(own))
    assert not any(verdicts[at].decision == "filed" for at in np.flatnonzero(~own))
    assert (wrong.thresholds(0.95, np.ones(len(own), np.bool_)) == NEVER).any()


def test_it_is_judged_as_it_will_be_filed() -> None:
    """Where `model.confidence` holds back what is less sure, that is not counted as filed."""
    drawn = taught(blobs(40, 2, distance=3))
    sure = np.array([[0.9, 0.05], [0.05, 0.9]], np.float32)[drawn.truth]
    like = replace(drawn, unlikeness=np.zeros(80, np.float32), out_of_fold=sure)
    for floor, decision in ((0.85, "filed"), (0.95, "unsure")):
        verdicts = replace(like, floor=floor).verdicts(0.95)
        assert {one.decision for one in verdicts} == {decision}


def test_what_is_unlike_the_other_folds_is_not_filed() -> None:
    """Be it ever so sure of its class."""
    challenger = taught(blobs(20, 2, distance=3))
    strange = replace(challenger, unlikeness=np.full(40, 1.5, np.float32))
    assert {one.doubt for one in strange.verdicts(0.9)} == {UNLIKE}


def test_classes_without_labels_are_told_by_the_first_model() -> None:
    """They come last, are filed from its confidence on, and never more surely than by it, though
    labels have made the model surer of cats and dogs."""
    champion = first_model(CAT, DOG, SNAKE)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, WIDTH)).astype(np.float32) * 0.3
    points[:20, 0] += 6
    points[20:, 1] += 6
    pupils = material(points, [CAT] * 20 + [DOG] * 20)
    dealt = deal(pupils.labelled, apart(pupils.labelled), {})
    challenger = train(pupils, dealt, champion, [SNAKE], 0.95)
    assert challenger.class_ids == (CAT, DOG, SNAKE)
    assert challenger.cuts[2] == champion.confidence
    snakes = np.zeros((40, WIDTH), np.float32)
    snakes[:, 2] = np.linspace(1, 6, 40)
    after = challenger.classifier.judge(snakes, 1)
    before = champion.classifier.judge(snakes, 1)
    assert (after[-1].label, after[-1].decision) == ("snake", "filed")
    surer = [one.confidence - two.confidence for one, two in zip(after, before, strict=True)]
    assert max(surer) < 0.01


def compared(
    pupils: Material,
    challenger: Challenger,
    champion: Champion | None = None,
    population: Population = NOBODY,
) -> Comparison:
    trained = Training(
        terms=TrainingTerms(Options(), 0.95, 0.02, "hash", "float32", "abc"),
        material=pupils,
        grouping=apart(pupils.labelled),
        dealt=deal(pupils.labelled, apart(pupils.labelled), {}),
        champion=champion or nobody(),
        challenger=challenger,
        retired=(),
        population=population,
        tries=0,
    )
    return compare(trained)


def test_a_model_that_learned_nothing_never_serves(three: tuple[Material, Challenger]) -> None:
    """However bad the champion is on the judged pictures: one whose blind heads guess is refused,
    with what to do; the same one that knows passes."""
    pupils, challenger = three
    comparison = compared(pupils, challenger)
    assert verdict_on(comparison).promoted
    guesses = np.random.default_rng(0).permutation(challenger.answers)
    guessing = replace(comparison.trained, challenger=replace(challenger, answers=guesses))
    refused = verdict_on(replace(comparison, trained=guessing))
    assert not refused.promoted
    assert "says no more about their labels than chance would" in refused.sentence


def test_corrections_alone_promote_nothing(three: tuple[Material, Challenger]) -> None:
    """Where no label speaks for others the models are compared all the same, and none is taken."""
    pupils, challenger = three
    picked = replace(challenger, judging=np.zeros(90, np.bool_))
    comparison = compared(pupils, picked)
    assert len(comparison.pictures) == 90
    assert not verdict_on(comparison).promoted


def test_both_are_compared_on_pictures_that_neither_has_seen(
    three: tuple[Material, Challenger],
) -> None:
    """What all heads of the champion have seen is left out; where that is everything, as under a
    model of an earlier program, it is judged on them for want of others."""
    pupils, challenger = three
    first = nobody()
    earlier = Champion(card("dense", CAT, DOG), first.classifier, (), {}, None, 0.7)
    some = [picture.sha256 for picture in pupils.labelled[:50]]
    comparison = compared(pupils, challenger, earlier.having_seen(some))
    assert [picture.sha256 for picture in comparison.pictures] == [
        picture.sha256 for picture in pupils.labelled[50:]
    ]
    assert comparison.rows.tolist() == list(range(50, 90))
    every = [picture.sha256 for picture in pupils.labelled]
    assert len(compared(pupils, challenger, earlier.having_seen(every)).pictures) == 90


def test_pictures_weigh_as_their_like_arrives(three: tuple[Material, Challenger]) -> None:
    """In what is told and in what the gate sees."""
    pupils, challenger = three
    filed, unsure = Stratum("filed", CAT), Stratum("unsure", None)
    strata = {one.sha256: filed if at < 60 else unsure for at, one in enumerate(pupils.labelled)}
    population = Population(strata, {filed: Arrived(60, 0.9), unsure: Arrived(120, 0.4)})
    comparison = compared(pupils, challenger, population=population)
    weights = [contest.weight for contest in comparison.contests()]
    assert weights[-1] / weights[0] == pytest.approx(4)
    hits = np.array(
        [v.label == t for v, t in zip(comparison.challenger, comparison.truth, strict=True)]
    )
    told = comparison.shares()[1].right.share
    assert told == pytest.approx(hits[:60].mean() / 3 + hits[60:].mean() * 2 / 3)


def test_higher_targets_file_less_and_get_less_wrong(three: tuple[Material, Challenger]) -> None:
    """The table of goals, on the judged pictures."""
    pupils, challenger = three
    rows = targets(compared(pupils, challenger))
    assert [row.precision for row in rows] == [0.90, 0.95, 0.98]
    assert [row.filed for row in rows] == sorted((row.filed for row in rows), reverse=True)
    assert rows[0].filed > 0
    assert all(row.wrong <= row.filed for row in rows)


def test_the_curve_ends_with_all_labels(three: tuple[Material, Challenger]) -> None:
    """A quarter, a half, all of them; each judged by heads that haven't seen the pictures."""
    _, challenger = three
    seen: list[tuple[int, int]] = []
    curve = learning_curve(challenger, lambda done, of: seen.append((done, of)))
    assert curve is not None
    assert [point.labels for point in curve.points][-1] == 90
    assert 20 <= curve.points[0].labels <= 26
    assert seen == [(1, 2), (2, 2)]
    assert curve.points[-1].accuracy == pytest.approx(right(challenger))
    assert curve.points[0].accuracy < 1


def test_two_labels_of_a_class_are_enough_to_begin() -> None:
    """A class all of whose labels lie in few folds is trained and judged without a crash."""
    assert LEAST == 2
    points = np.random.default_rng(0).normal(size=(14, WIDTH)).astype(np.float32)
    points[:12, 0] += 5
    challenger = taught(material(points, [CAT] * 12 + [DOG, DOG]))
    assert challenger.out_of_fold.shape == (14, 2)
    assert np.isfinite(challenger.out_of_fold).all()
    assert challenger.classifier.judge(points, 1)
