"""What a model is worth on pictures it never saw: every number of the report, frozen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.records.verdict import Verdict

BINS = 10


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    label: str
    images: int
    """Pictures that truly are of this class."""
    precision: float
    """0 when nothing was put under this class."""
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts by true class (row) and top-1 class (column)."""

    labels: tuple[str, ...]
    """Every class that is true or predicted for some picture, sorted."""
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pictures whose confidence lies in (low, high]; 0 belongs to the first bin."""

    low: float
    high: float
    images: int
    confidence: float
    """Mean; 0 in an empty bin."""
    accuracy: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Were everything from ``confidence`` on filed and nothing else."""

    confidence: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Top-1 measures count every picture, filed or not. Macro means: averaged over the classes
    that some held-out picture truly is of."""

    images: int
    accuracy: float
    balanced_accuracy: float
    """The same number as macro recall."""
    macro_precision: float
    macro_f1: float
    classes: tuple[ClassMetrics, ...]
    confusion: Confusion
    ece: float
    """Expected calibration error: mean distance of confidence and accuracy over the bins."""
    reliability: tuple[ReliabilityBin, ...]
    coverage: tuple[CoveragePoint, ...]
    """From the most confident on; pictures of equal confidence come together."""
    risk: float
    """Area under the share of errors over coverage: 0 is perfect, lower is better."""
    filed: int
    filed_right: int


def evaluate(truth: Sequence[str], verdicts: Sequence[Verdict]) -> Evaluation:
    """What humans say of held-out pictures against what a model says, be a picture filed or not.

    Raises ValueError when there is nothing to evaluate.
    """
    if not verdicts:
        raise ValueError("there is no held-out picture to evaluate on")
    from sklearn.metrics import accuracy_score

    predicted = [verdict.label for verdict in verdicts]
    right = np.array([said == label for said, label in zip(predicted, truth, strict=True)])
    confidence = np.array([verdict.confidence for verdict in verdicts])
    filed = np.array([verdict.decision == "filed" for verdict in verdicts])
    classes = _class_metrics(truth, predicted)
    bins = _reliability(confidence, right)
    points = _coverage(confidence, right)
    return Evaluation(
        images=len(verdicts),
        accuracy=float(accuracy_score(truth, predicted)),
        balanced_accuracy=_mean([each.recall for each in classes]),
        macro_precision=_mean([each.precision for each in classes]),
        macro_f1=_mean([each.f1 for each in classes]),
        classes=classes,
        confusion=_confusion(truth, predicted),
        ece=sum(b.images * abs(b.confidence - b.accuracy) for b in bins) / len(verdicts),
        reliability=bins,
        coverage=points,
        risk=_risk(points),
        filed=int(filed.sum()),
        filed_right=int((filed & right).sum()),
    )


def _confusion(truth: Sequence[str], predicted: Sequence[str]) -> Confusion:
    # Counted here: scikit-learn warns where there is one class only.
    labels = tuple(sorted({*truth, *predicted}))
    pairs = Counter(zip(truth, predicted, strict=True))
    return Confusion(labels, tuple(tuple(pairs[row, col] for col in labels) for row in labels))


def _class_metrics(truth: Sequence[str], predicted: Sequence[str]) -> tuple[ClassMetrics, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    labels = sorted(set(truth))
    columns = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0.0)
    return tuple(
        ClassMetrics(label, int(images), float(precision), float(recall), float(f1))
        for label, precision, recall, f1, images in zip(labels, *columns, strict=True)
    )


def _reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[ReliabilityBin, ...]:
    numbers = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    found = []
    for number in range(BINS):
        inside = numbers == number
        images = int(inside.sum())
        mean = float(confidence[inside].mean()) if images else 0.0
        accuracy = float(right[inside].mean()) if images else 0.0
        found.append(ReliabilityBin(number / BINS, (number + 1) / BINS, images, mean, accuracy))
    return tuple(found)


def _coverage(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[CoveragePoint, ...]:
    order = np.argsort(-confidence, kind="stable")
    ranked, hits = confidence[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    return tuple(
        CoveragePoint(
            float(ranked[end]), float((end + 1) / len(ranked)), float(hits[end] / (end + 1))
        )
        for end in ends
    )


def _risk(points: Sequence[CoveragePoint]) -> float:
    """Each stretch of coverage times the error share at its end."""
    starts = (0.0, *(point.coverage for point in points[:-1]))
    return sum(
        (point.coverage - start) * (1 - point.precision)
        for start, point in zip(starts, points, strict=True)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
