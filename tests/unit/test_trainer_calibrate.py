"""Out-of-fold scores become a temperature and thresholds that keep the precision asked for."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.trainer.calibrate import Threshold, log_losses, temperature, thresholds, wilson_lower


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


@pytest.mark.parametrize(
    ("right", "count", "bound"), [(0, 0, 0.0), (19, 19, 0.95), (1, 1, 0.5), (0, 10, 0.0)]
)
def test_wilson_lower(right: int, count: int, bound: float) -> None:
    """n of n right gives n / (n + 1) at z = 1; nothing counted gives nothing."""
    assert wilson_lower(right, count, 1.0) == pytest.approx(bound)


def about(number: float) -> Any:
    """``pytest.approx``, which has a type of its own, where a number is expected."""
    return pytest.approx(number)


def two_classes(confidences: list[float]) -> NDArray[np.float64]:
    """Scores [N, 2] whose first class wins with these confidences."""
    return np.array([[each, 1 - each] for each in confidences])


def test_lowest_score_that_keeps_the_target() -> None:
    """Nineteen right and one wrong below them: the cut is at the nineteenth."""
    scores = two_classes([0.999 - 0.001 * at for at in range(20)])
    labels = np.array([0] * 19 + [1])
    first, second = thresholds(scores, labels, 0.95, [19, 1])
    assert first == Threshold(about(0.981), 20, 19, 0)
    assert second == Threshold(None, 0, 0, 4)


def test_ties_are_filed_together() -> None:
    """A wrong picture with the same score as the last right one pushes the cut above both."""
    scores = two_classes([0.97] * 19 + [0.96, 0.96])
    labels = np.array([0] * 20 + [1])
    assert thresholds(scores, labels, 0.95, [20, 1])[0].confidence == pytest.approx(0.97)


def test_too_few_labels() -> None:
    """Four of four right don't prove 0.95; five would."""
    found = thresholds(two_classes([0.97] * 4), np.zeros(4, np.intp), 0.95, [4, 0])[0]
    assert found == Threshold(None, 4, 4, 1)
    found = thresholds(two_classes([0.97] * 5), np.zeros(5, np.intp), 0.95, [5, 0])[0]
    assert found == Threshold(about(0.97), 5, 5, 0)


def test_luck_is_no_proof() -> None:
    """Twenty of twenty right at a confidence that means three of four: as many labels again."""
    found = thresholds(two_classes([0.75] * 20), np.zeros(20, np.intp), 0.95, [20, 0])[0]
    assert found == Threshold(None, 20, 20, 20)


def test_surer_than_it_is_right() -> None:
    """A confidence of 0.99 files nothing where four of five are right."""
    labels = np.array([0, 0, 0, 0, 1] * 8)
    assert thresholds(two_classes([0.99] * 40), labels, 0.95, [32, 8])[0].confidence is None


def test_more_labels_would_not_do() -> None:
    """A class whose surest pictures are wrong too often doesn't need more of the same."""
    labels = np.array([1, 0] * 20)
    found = thresholds(two_classes([0.9] * 40), labels, 0.95, [20, 20])[0]
    assert found == Threshold(None, 40, 20, None)


def test_precision_is_kept_on_fresh_pictures() -> None:
    """Filing by the thresholds keeps the target on average where confidence means what it says."""
    rng = np.random.default_rng(0)
    filed = right = 0
    for _ in range(200):
        confidence = rng.uniform(0.5, 1, 400)
        labels = (rng.uniform(size=400) > confidence).astype(np.intp)
        cut = thresholds(two_classes(confidence[:200].tolist()), labels[:200], 0.9, [9, 9])[0]
        if cut.confidence is not None:
            inside = confidence[200:] >= cut.confidence
            filed += int(inside.sum())
            right += int((labels[200:][inside] == 0).sum())
    assert filed > 10_000
    assert right / filed >= 0.9


def test_many_classes_with_few_labels_keep_the_target() -> None:
    """The surest of a few dozen pictures of each of ten classes: some are right by luck alone."""
    rng = np.random.default_rng(1)
    filed = right = 0
    for _ in range(50):
        chances = np.exp(rng.normal(0, 3.5, (900, 10)))
        chances /= chances.sum(axis=1, keepdims=True)
        labels = np.array([rng.choice(10, p=each) for each in chances])
        cuts = thresholds(chances[:300], labels[:300], 0.95, [30] * 10)
        limits = np.array([2 if cut.confidence is None else cut.confidence for cut in cuts])
        winner = chances[300:].argmax(axis=1)
        inside = chances[300:].max(axis=1) >= limits[winner]
        filed += int(inside.sum())
        right += int((inside & (winner == labels[300:])).sum())
    assert filed > 1_000
    assert right / filed >= 0.945
