"""Out-of-fold scores become a temperature and thresholds that keep the precision asked for."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.records.verdict import NEVER
from imgsort.trainer.head.calibrate import (
    POOL_WEIGHT,
    log_losses,
    pooled_threshold,
    temperature,
    thresholds,
)

Floats = NDArray[np.float64]


def test_log_losses() -> None:
    """Cross-entropy in nats, without overflow."""
    logits = np.array([[0.0, 0.0], [1000.0, 0.0], [0.0, np.log(3)]])
    assert log_losses(logits, np.array([0, 0, 0])) == pytest.approx([np.log(2), 0, np.log(4)])


@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_temperature_undoes_overconfidence(factor: float) -> None:
    """Three of four right at equal logits is what a confidence of 0.75 should mean."""
    logits = np.tile([np.log(3) * factor, 0.0], (400, 1))
    labels = np.array([0, 0, 0, 1] * 100)
    assert temperature(logits, labels) == pytest.approx(factor, rel=1e-2)


@pytest.mark.parametrize("gap", [3.0, 30.0])
def test_being_always_right_is_no_certainty(gap: float) -> None:
    """Fifty of fifty right, by however wide a gap: the fifty-first is wrong in one case of 52."""
    logits = np.tile([gap, 0.0], (50, 1))
    heat = temperature(logits, np.zeros(50, np.intp))
    assert 1 / (1 + np.exp(-gap / heat)) == pytest.approx(51 / 52, abs=1e-3)


def one_class(
    confidence: Floats | list[float], right: NDArray[np.bool_], target: float
) -> tuple[float, ...]:
    winners = np.zeros(len(right), np.intp)
    cuts = thresholds(np.asarray(confidence), winners, right, target, 2)
    return tuple(cuts.tolist())


def test_lowest_score_that_keeps_the_target() -> None:
    """Nineteen right and one wrong below them: the cut is at the nineteenth, for every class."""
    confidence = [0.999 - 0.001 * at for at in range(20)]
    right = np.arange(20) < 19
    assert one_class(confidence, right, 0.95) == pytest.approx((0.981, 0.981))


def test_ties_are_filed_together() -> None:
    """A wrong picture with the same score as the last right one pushes the cut above both."""
    right = np.arange(21) < 20
    cut, _ = one_class([0.97] * 19 + [0.96, 0.96], right, 0.95)
    assert cut == pytest.approx(0.97)


def test_too_few_labels() -> None:
    """Ten of ten right don't prove 0.95; eleven do, at three quarters of a standard error."""
    assert one_class([0.97] * 10, np.ones(10, np.bool_), 0.95) == (NEVER, NEVER)
    assert one_class([0.97] * 11, np.ones(11, np.bool_), 0.95) == pytest.approx((0.97, 0.97))
    assert one_class([], np.ones(0, np.bool_), 0.95) == (NEVER, NEVER)


def test_surer_than_it_is_right() -> None:
    """A confidence of 0.99 files nothing where four of five are right."""
    right = np.tile([True, True, True, True, False], 8)
    assert one_class([0.99] * 40, right, 0.95) == (NEVER, NEVER)


def pooled(*classes: tuple[int, int]) -> tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]:
    """Of each class ``(right, wrong)`` pictures; the wrong ones are the least sure."""
    confidence, winners, right = [], [], []
    for number, (good, bad) in enumerate(classes):
        confidence += np.linspace(0.99, 0.8, good + bad).tolist()
        winners += [number] * (good + bad)
        right += [True] * good + [False] * bad
    return np.array(confidence), np.array(winners, np.intp), np.array(right)


def test_a_class_with_few_labels_leans_on_the_others() -> None:
    """Two pictures of its own prove nothing; the pool's threshold holds for them, and for a class
    without any."""
    cuts = thresholds(*pooled((100, 0), (2, 0)), 0.95, 3)
    assert cuts.tolist() == pytest.approx([0.8, 0.8, 0.8])


def test_a_class_that_falls_short_is_held_to_more() -> None:
    """Where 12 of 60 are wrong at the pool's threshold, that class is filed only above the surer
    part of them; the others keep the pool's."""
    confidence, winners, right = pooled((400, 0), (48, 12))
    cuts = thresholds(confidence, winners, right, 0.95, 2)
    assert cuts[0] == pooled_threshold(confidence, right, 0.95)
    assert cuts[1] > cuts[0]
    own = (winners == 1) & (confidence >= cuts[1])
    assert right[own].mean() > 0.92
    assert own.sum() > 40


def test_a_class_is_refused_only_on_evidence() -> None:
    """One wrong picture of two is no evidence; all wrong of more than the others' precision is
    worth are, and nothing is filed."""
    enough = 2_000
    few = thresholds(*pooled((enough, 0), (1, 1)), 0.95, 2)
    assert few[1] < NEVER
    many = thresholds(*pooled((enough, 0), (0, int(POOL_WEIGHT) + 2)), 0.95, 2)
    assert many[0] < NEVER
    assert many[1] == NEVER


def test_precision_is_kept_on_fresh_pictures() -> None:
    """Filing by the thresholds keeps the target on average where confidence means what it says."""
    rng = np.random.default_rng(0)
    filed = right = 0
    for _ in range(200):
        confidence = rng.uniform(0.5, 1, 400)
        hits = rng.uniform(size=400) < confidence
        cut, _ = one_class(confidence[:200], hits[:200], 0.9)
        inside = confidence[200:] >= cut
        filed += int(inside.sum())
        right += int(hits[200:][inside].sum())
    assert filed > 10_000
    assert right / filed >= 0.9


def test_many_classes_with_few_labels_keep_the_target() -> None:
    """The surest of a few dozen pictures of each of ten classes: some are right by luck alone."""
    rng = np.random.default_rng(1)
    filed = right = 0
    for _ in range(50):
        chances = np.exp(rng.normal(0, 3.5, (900, 10)))
        chances /= chances.sum(axis=1, keepdims=True)
        drawn = (rng.random((900, 1)) > chances.cumsum(axis=1)).sum(axis=1)
        best, winner = chances.max(axis=1), chances.argmax(axis=1)
        hits = winner == drawn
        cuts = thresholds(best[:300], winner[:300], hits[:300], 0.95, 10)
        inside = best[300:] >= cuts[winner[300:]]
        filed += int(inside.sum())
        right += int((inside & hits[300:]).sum())
    assert filed > 4_000
    assert right / filed >= 0.945
