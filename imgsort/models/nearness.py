"""How near is a verdict to another folder? Pure.

A coarser network decides what lies further off than it is ever wrong by; the rest is asked again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.records.verdict import Verdict

Floats = NDArray[np.float32]
LEAST = 0.1
"""The smallest margin, in log-odds and in logarithms of unlikeness."""
OPEN = 3.0
"""What lies further off is a clear case: its log-odds change by more, and nothing follows."""
SAFETY = 1.25
"""Pictures to come may differ by more than any did."""
TOP = 5
"""Classes that ``margin_of`` wants to be told of each picture."""
_SMALLEST = 1e-7


@dataclass(frozen=True, slots=True)
class Margin:
    """What lies nearer than this to another folder is asked again."""

    odds: float
    """In log-odds: 0.4 around a threshold of .7 is .61 to .78, around .95 it is .927 to .966."""
    unlikeness: float
    """In natural logarithms around 1, the limit of what is like the training."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """Of N verdicts; infinite where no change of that kind leads to another folder."""

    odds: Floats
    """[N]: what confidences would have to change by."""
    unlikeness: Floats
    """[N]: what the unlikeness would have to change by."""

    def clear(self, margin: Margin) -> NDArray[np.bool_]:
        """[N]: whose folder is beyond doubt."""
        return np.asarray(
            (self.odds >= margin.odds) & (self.unlikeness >= margin.unlikeness), np.bool_
        )


def nearness(scores: Floats, thresholds: Floats, unlikeness: Floats | None) -> Nearness:
    """``scores`` [N, K], K at least 1; a row with a number that is not finite is as near as can be.

    ``thresholds`` [K]: above 1 nothing is filed under that class. ``unlikeness`` [N], or None.
    """
    usable = np.isfinite(scores).all(axis=1)
    with np.errstate(invalid="ignore"):
        odds = log_odds(np.where(usable[:, None], scores, 0.5))
    over = np.where(thresholds <= 1, odds - log_odds(np.minimum(thresholds, 1)), -np.inf)
    rows, best = np.arange(len(odds)), odds.argmax(axis=1)
    behind = odds[rows, best][:, None] - odds
    behind[rows, best] = np.inf
    own = over[rows, best]
    filed = own >= 0
    another = np.maximum(behind, -over)  # it would have to be the best, and enough
    another[rows, best] = np.inf
    change = np.where(filed, np.minimum(own, behind.min(axis=1)), -own)
    change = np.where(filed, change, np.minimum(change, another.min(axis=1)))
    strange = np.full(len(odds), np.inf, np.float32)
    if unlikeness is not None:
        with np.errstate(invalid="ignore"):
            strange = np.abs(np.log(np.maximum(unlikeness, _SMALLEST)))
        usable &= np.isfinite(unlikeness)
        # What no confidence files anyway goes to unsure/ whatever it is like.
        strange = np.where(filed, strange, np.maximum(strange, change))
    return Nearness(
        np.asarray(np.where(usable, change, 0), np.float32),
        np.asarray(np.where(usable, strange, 0), np.float32),
    )


def log_odds(shares: Floats) -> Floats:
    """Finite for 0 and 1 too."""
    inside = np.clip(np.asarray(shares, np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(inside) - np.log1p(-inside), np.float32)


def margin_of(
    coarse: Sequence[Verdict], exact: Sequence[Verdict], near: Nearness, missed: float
) -> Margin:
    """So that at most a share ``missed`` of the coarse verdicts, ``near`` as they are, would differ
    from the exact ones without being asked again: as far as these pictures tell."""
    pairs = list(zip(coarse, exact, strict=True))
    differ = np.array([one.folder != other.folder for one, other in pairs], np.bool_)
    shifts = np.abs(
        log_odds(np.array([one.confidence for one, _ in pairs], np.float32))
        - log_odds(np.array([_given(other, one.label) for one, other in pairs], np.float32))
    )
    strange = np.abs(np.diff([[_strangeness(one) for one in pair] for pair in pairs])[:, 0])
    odds, far = near.odds, near.unlikeness
    return Margin(
        _margin(odds, shifts, odds[differ & (odds <= far)], missed),
        _margin(far, strange, far[differ & (far < odds)], missed),
    )


def _given(verdict: Verdict, label: str) -> float:
    """What it gives a class; 0 where that is not among the best."""
    return next((one.confidence for one in verdict.top_k if one.label == label), 0.0)


def _strangeness(verdict: Verdict) -> float:
    """Logarithm of the unlikeness; 0 where it isn't told."""
    return math.log(max(verdict.unlikeness or 1.0, _SMALLEST))


def _margin(gaps: Floats, shifts: Floats, wrong: Floats, missed: float) -> float:
    """The smallest beyond which shifts as they were seen lead few of the pictures astray.

    Each gap is held against every shift, for there are many of those, and few decisions that differ
    to go by; what did differ is within it in any case.
    """
    least = max(LEAST, float(wrong.max(initial=0.0)) + _SMALLEST)
    lying = np.sort(gaps[np.isfinite(gaps)])[::-1]
    seen = np.sort(shifts[gaps < OPEN])
    if not len(lying) or not len(seen):
        return least
    beyond = 1 - np.searchsorted(seen, lying, side="right") / len(seen)
    few = lying[np.cumsum(beyond) <= missed * len(gaps)]
    return max(least, SAFETY * float(few[-1] if len(few) else lying[0]) + _SMALLEST)
