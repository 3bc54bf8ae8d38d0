"""How sure is sure? Scores become probabilities, and a precision asked for becomes thresholds.

Everything here reads out-of-fold scores: those of heads that had not seen the picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imgsort.intervals import lower_bound
from imgsort.records.verdict import NEVER

Z = 0.75
"""Standard errors that the Wilson bound stays below the estimate. At a target of 0.95, five sets,
eight splits each: 1.0 files 68 %, 95.8 % of them rightly, and of some small sets nothing; 0.75
files 70 %, 95.6 % rightly; 0.5 73 %, 95.0 %."""
POOL_WEIGHT = 20.0
"""Pictures that the other classes' precision is worth in the estimate of one class's."""
SLACK = 0.02
"""How far a class's estimate may lie below the target before it is held to more than the pool."""
_COLDEST, _HOTTEST = 0.05, 20.0
_LEAST = 1e-300


def log_losses(logits: NDArray[np.floating], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """[N] cross-entropies in nats of [N, K] logits."""
    return -_log_chances(logits, labels)[0]


def temperature(logits: NDArray[np.floating], labels: NDArray[np.intp]) -> float:
    """What to divide ``logits`` [N, K] by for the most honest softmax that one number can give.

    Minimises log loss (Guo et al. 2017, https://arxiv.org/abs/1706.04599), which has one minimum.
    As in Platt (1999) the right answer is right but for one case in N + 2: of pictures that are all
    told rightly nothing else would keep the next one from being as sure as numbers can be.
    """
    from scipy.optimize import minimize_scalar

    doubt = 1 / (len(labels) + 2)

    def loss(log_temperature: float) -> float:
        right, wrong = _log_chances(logits / np.exp(log_temperature), labels)
        return -float((1 - doubt) * right.mean() + doubt * wrong.mean())

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _log_chances(
    logits: NDArray[np.floating], labels: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[N] logarithms of the share that the label of each row gets, and of what the others get."""
    rows = np.arange(len(labels))
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    own = shifted[rows, labels]
    powers = np.exp(shifted)
    powers[rows, labels] = 0
    others = powers.sum(axis=1)
    norm = np.log(np.exp(own) + others)
    return own - norm, np.log(np.maximum(others, _LEAST)) - norm


def thresholds(
    confidence: NDArray[np.floating],
    winners: NDArray[np.intp],
    right: NDArray[np.bool_],
    target_precision: float,
    classes: int,
) -> NDArray[np.float64]:
    """[classes] from which confidence on to file under each class, NEVER for not at all.

    One threshold is drawn from all pictures [N] together: the lowest above which the Wilson bound
    of what is right reaches the target. One for each class by itself threw a quarter away for want
    of pictures. A class whose own pictures above it fall short, leaning on the pool by
    ``POOL_WEIGHT`` pictures, is held to more.
    """
    pooled = pooled_threshold(confidence, right, target_precision)
    cuts = np.full(classes, pooled)
    if pooled == NEVER:
        return cuts
    share = float(right[confidence >= pooled].mean())
    for label in np.unique(winners):
        own = (winners == label) & (confidence >= pooled)
        cuts[label] = _of_class(confidence[own], right[own], share, target_precision, pooled)
    return cuts


def pooled_threshold(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], target_precision: float
) -> float:
    """The lowest score above which the Wilson bound reaches the target; NEVER for none."""
    ranked, hits, ends = _ranked(confidence, right)
    fitting = [at for at in ends if lower_bound(int(hits[at]), int(at) + 1, Z) >= target_precision]
    return float(ranked[fitting[-1]]) if fitting else NEVER


def _of_class(
    confidence: NDArray[np.floating],
    right: NDArray[np.bool_],
    share: float,
    target: float,
    pooled: float,
) -> float:
    if not len(confidence):
        return pooled
    ranked, hits, ends = _ranked(confidence, right)
    counts = np.arange(1, len(ranked) + 1)
    enough = (hits + POOL_WEIGHT * share) / (counts + POOL_WEIGHT) >= target - SLACK
    if enough[-1]:
        return pooled
    # Where even the surest are wrong the others' precision doesn't speak for what is surer still.
    fitting = [at for at in ends if enough[at] and hits[at]]
    return float(ranked[fitting[-1]]) if fitting else NEVER


def _ranked(
    confidence: NDArray[np.floating], right: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.intp], Sequence[int]]:
    """Scores falling, how many are right so far, and where a cut may lie: equal scores are filed
    together or not at all, so only the last of each run can be the cut."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], len(ranked) > 0))
    return ranked, np.cumsum(right[order]), [int(at) for at in ends]
