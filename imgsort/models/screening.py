"""int8 judges first; what is near to another folder is judged again by the exact network.

``first_of`` finds the margin and counts what it is worth, purely; ``Screen`` is it at work.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imgsort.intervals import Z_95_ONE_SIDED, lower_bound
from imgsort.models.backbones.int8 import First
from imgsort.models.heads.classifier import Classifier
from imgsort.models.nearness import TOP, Margin, margin_of
from imgsort.models.runtimes import Runtime

Floats = NDArray[np.float32]
MISSED = 0.00005
"""The margin is chosen for this share of decisions that differ: a twentieth of what 99.9 % leave,
since on the few thousand pictures that show those not one may differ."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a screen must live up to, to be used by itself."""

    agreement: float
    """Lower bound of the share of equal decisions."""
    speedup: float


@dataclass(frozen=True, slots=True)
class Screen:
    """The coarser network of a serving, and what it may not decide."""

    runtime: Runtime
    margin: Margin
    head: str
    """SHA-256 of the head that it was measured under."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The same N pictures through both networks, in the order in which they were drawn."""

    exact: Floats
    coarse: Floats
    speedup: float
    """Of the coarser network alone."""


def first_of(
    classifier: Classifier, pair: Pair, exact: str, chosen_on: int, promise: Promise
) -> First:
    """The margin by the first ``chosen_on`` of the pictures, the promise counted on the others."""
    _, own = classifier.judge_nearness(pair.coarse[:chosen_on], TOP)
    verdicts, near = classifier.judge_nearness(pair.coarse, TOP)
    truth = classifier.judge(pair.exact, TOP)
    margin = margin_of(verdicts[:chosen_on], truth[:chosen_on], own, MISSED)
    asked = ~near.clear(margin)[chosen_on:]
    others = zip(verdicts[chosen_on:], truth[chosen_on:], asked, strict=True)
    same = sum(bool(again) or one.folder == other.folder for one, other, again in others)
    found = First(
        exact=exact,
        thresholds=classifier.limits,
        margin=margin,
        chosen_on=chosen_on,
        pictures=len(asked),
        same_decisions=same,
        asked_again=int(asked.sum()),
        lower_bound=lower_bound(same, len(asked), Z_95_ONE_SIDED),
        promised=False,
    )
    good = found.lower_bound >= promise.agreement
    return replace(found, promised=good and found.speedup(pair.speedup) >= promise.speedup)


def shortcoming(found: First, alone: float, promise: Promise) -> str | None:
    """Why it isn't used by itself, in one sentence; None where it is."""
    if found.promised:
        return None
    if found.lower_bound < promise.agreement:
        return (
            f"int8, with {found.exact} where it is close, decided {found.same_decisions:,} of "
            f"{found.pictures:,} pictures as {found.exact} alone did, which shows that at least "
            f"{found.lower_bound:.2%} agree, and it takes {promise.agreement:.1%}"
        )
    return (
        f"int8, with {found.exact} for the {found.share_asked:.1%} where it is close, would be "
        f"{found.speedup(alone):.2f} times as fast here, and it takes {promise.speedup:.1f}"
    )
