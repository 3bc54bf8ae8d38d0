"""How sure is sure? Scores become probabilities, and a precision asked for becomes thresholds.

Everything here reads out-of-fold scores: those of candidates that had not seen the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

Z = 0.5
"""Standard errors that the Wilson bound stays below the estimate. It is one of two witnesses: see
``_threshold``."""

_COLDEST, _HOTTEST = 0.02, 50.0
_GOLDEN = (sqrt(5) - 1) / 2
_FINE = 1e-3


def log_losses(logits: NDArray[np.floating], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """[N] cross-entropies in nats of [N, K] logits."""
    shifted = logits.astype(np.float64)
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    norm = np.log(np.exp(shifted).sum(axis=1))
    losses: NDArray[np.float64] = norm - shifted[np.arange(len(labels)), labels]
    return losses


def temperature(logits: NDArray[np.floating], labels: NDArray[np.intp]) -> float:
    """What to divide ``logits`` [N, K] by for the most honest softmax that one number can give.

    Minimises log loss (Guo et al. 2017, https://arxiv.org/abs/1706.04599) by golden section over
    the logarithm; the loss is convex in 1/T, so there is one minimum.
    """
    low, high = np.log(_COLDEST), np.log(_HOTTEST)

    def loss(log_temperature: float) -> float:
        return float(log_losses(logits / np.exp(log_temperature), labels).mean())

    one, other = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_one, at_other = loss(one), loss(other)
    while high - low > _FINE:
        if at_one <= at_other:
            high, other, at_other = other, one, at_one
            one = high - _GOLDEN * (high - low)
            at_one = loss(one)
        else:
            low, one, at_one = one, other, at_other
            other = low + _GOLDEN * (high - low)
            at_other = loss(other)
    return float(np.exp((low + high) / 2))


def wilson_lower(right: int, count: int, z: float = Z) -> float:
    """One-sided lower bound of a proportion (Wilson 1927). 0 for nothing counted."""
    if count == 0:
        return 0.0
    share, extra = right / count, z * z / count
    middle = share + extra / 2
    margin = z * sqrt(share * (1 - share) / count + extra / (4 * count))
    return (middle - margin) / (1 + extra)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on pictures are filed under one class."""

    confidence: float | None
    """None: no confidence is enough, nothing is filed under this class."""
    judged: int
    """Out-of-fold pictures the model puts under this class."""
    right: int
    """Of them rightly so."""
    labels_lacking: int | None
    """About how many more labels this class needs before it can be filed. 0 when it is; None when
    more labels of the same kind would not do, because its surest pictures are wrong too often."""


def thresholds(
    scores: NDArray[np.floating],
    labels: NDArray[np.intp],
    target_precision: float,
    labels_per_class: Sequence[int],
) -> tuple[Threshold, ...]:
    """One threshold for each of K classes from calibrated out-of-fold scores [N, K].

    A label outside 0 to K - 1 is right under no class.
    """
    winner = scores.argmax(axis=1)
    confidence = scores.max(axis=1)
    return tuple(
        _threshold(
            confidence[winner == label],
            labels[winner == label] == label,
            target_precision,
            labels_of_class,
        )
        for label, labels_of_class in enumerate(labels_per_class)
    )


def _threshold(
    confidence: NDArray[np.floating],
    right: NDArray[np.bool_],
    target: float,
    labels_of_class: int,
) -> Threshold:
    """The lowest score at and above which two witnesses say that precision reaches the target.

    The Wilson bound counts what was right. Alone it finds, among many scores of many classes, one
    above which everything happened to be right: of ten classes with 32 labels each 0.92 was right
    of what should have been 0.95. The mean confidence is what the temperature, drawn from all
    classes together, expects to be right; it can't be lucky so, but knows nothing of this class.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, hits = confidence[order], np.cumsum(right[order])
    expected = np.cumsum(ranked, dtype=np.float64) / np.arange(1, len(ranked) + 1)
    # Equal scores are filed together or not at all: only the last of each run can be the cut.
    cuts = [at for at in range(len(ranked)) if at + 1 == len(ranked) or ranked[at + 1] < ranked[at]]
    sure = [at for at in cuts if expected[at] >= target]
    fitting = [at for at in sure if wilson_lower(int(hits[at]), at + 1) >= target]
    total = int(hits[-1]) if len(hits) else 0
    if fitting:
        return Threshold(float(ranked[fitting[-1]]), len(ranked), total, 0)
    counted = [(int(hits[at]), at + 1) for at in cuts]
    lacking = _labels_lacking(counted, target, labels_of_class)
    if lacking is not None and cuts and not sure:
        lacking = max(lacking, labels_of_class)  # nobody knows how many make surer: as many again
    return Threshold(None, len(ranked), total, lacking)


def _labels_lacking(
    counted: Sequence[tuple[int, int]], target: float, labels_of_class: int
) -> int | None:
    """How many more labels, if more pictures come out as right as these did.

    Solving the Wilson bound for n: a share p above the target t suffices from
    n = z² t (1 - t) / (p - t)² pictures on. With m times the labels m times as many are judged.
    """
    if not counted:
        # Nothing came out as this class: even if all that will does so rightly, n pictures are due.
        return max(1, ceil(Z * Z * target / (1 - target)) - labels_of_class) if target < 1 else None
    factors = [
        Z * Z * target * (1 - target) / (right / count - target) ** 2 / count
        for right, count in counted
        if right / count > target
    ]
    if not factors or target >= 1:
        return None
    return max(1, ceil((min(factors) - 1) * max(labels_of_class, 1)))
