"""The evaluation's numbers, on answers that can be counted by hand."""

from typing import Any

import pytest

from imgsort.records.verdict import UNLIKE, Verdict
from imgsort.trainer.evaluation.metrics import (
    ClassMetrics,
    Confusion,
    CoveragePoint,
    Evaluation,
    ReliabilityBin,
    evaluate,
)


def about(number: float) -> Any:
    """``pytest.approx``, which has a type of its own, where a number is expected."""
    return pytest.approx(number)


def evaluated(*pictures: tuple[str, Verdict]) -> Evaluation:
    return evaluate([truth for truth, _ in pictures], [verdict for _, verdict in pictures])


def judged(truth: str, label: str, confidence: float, filed: bool = True) -> tuple[str, Verdict]:
    if filed:
        return truth, Verdict(label, confidence, "filed", None, ())
    return truth, Verdict(label, confidence, "unsure", UNLIKE, ())


PICTURES = [
    judged("cat", "cat", 0.95),
    judged("cat", "cat", 0.85),
    judged("cat", "dog", 0.85),
    judged("dog", "dog", 0.55, filed=False),
    judged("dog", "toaster", 0.15, filed=False),
]


def test_top_1() -> None:
    """Every picture counts, filed or not."""
    found = evaluated(*PICTURES)
    assert (found.images, found.accuracy) == (5, about(3 / 5))
    assert (found.filed, found.filed_right) == (3, 2)


def test_per_class() -> None:
    """Precision, recall and F1 of the classes that some picture truly is of."""
    cat = ClassMetrics("cat", 3, 1.0, about(2 / 3), about(4 / 5))
    dog = ClassMetrics("dog", 2, 0.5, 0.5, 0.5)
    found = evaluated(*PICTURES)
    assert found.classes == (cat, dog)
    assert found.macro_f1 == about(0.65)
    assert found.macro_precision == about(0.75)
    assert found.balanced_accuracy == about(7 / 12)


def test_confusion() -> None:
    """True classes are rows, and a class that is only predicted has its column."""
    counts = ((2, 1, 0), (0, 1, 1), (0, 0, 0))
    assert evaluated(*PICTURES).confusion == Confusion(("cat", "dog", "toaster"), counts)


def test_calibration() -> None:
    """Each bin compares mean confidence with accuracy; ECE weighs their distance by pictures."""
    found = evaluated(*PICTURES)
    assert found.reliability[8] == ReliabilityBin(0.8, 0.9, 2, about(0.85), 0.5)
    assert sum(each.images for each in found.reliability) == 5
    assert found.ece == about((0.15 + 0.45 + 0.05 + 2 * 0.35) / 5)


def test_coverage_against_precision() -> None:
    """Pictures of equal confidence are filed together; the risk is the area above the curve."""
    found = evaluated(*PICTURES)
    assert found.coverage == (
        CoveragePoint(0.95, 0.2, 1.0),
        CoveragePoint(0.85, 0.6, about(2 / 3)),
        CoveragePoint(0.55, 0.8, 0.75),
        CoveragePoint(0.15, 1.0, 0.6),
    )
    assert found.risk == about(0.4 / 3 + 0.2 / 4 + 0.2 * 0.4)


@pytest.mark.parametrize(("confidence", "number"), [(0.0, 0), (0.1, 0), (0.11, 1), (1.0, 9)])
def test_bin_edges(confidence: float, number: int) -> None:
    """An edge belongs to the bin below it, and 0 to the first."""
    bins = evaluated(judged("cat", "cat", confidence)).reliability
    assert [each.images for each in bins].index(1) == number


def test_nothing() -> None:
    """Nothing held out is a mistake of the caller, not a model of accuracy 0."""
    with pytest.raises(ValueError, match="no held-out picture"):
        evaluated()
