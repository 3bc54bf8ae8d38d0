"""Would more labels help? The same training with a small part and with half of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import LearnedHead
from imgsort.models.heads.learned_model import FOLDS, prior_of
from imgsort.trainer.head.challenger import Challenger
from imgsort.trainer.head.fit import Member, fit

SHARES, SHARES_OF_MANY, MANY = (0.25, 0.5), (0.125, 0.5), 4_000
LEAST = 4
"""Labels of the smallest class that a part of them must leave."""
WORTH = 0.01
"""What doubling the labels must bring to be worth the work."""

Answer = Literal["yes", "no", "unclear"]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The same training with a part of the labels."""

    labels: int
    accuracy: float
    """On the held-out pictures."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Would more labels help?"""

    points: tuple[CurvePoint, ...]
    """The last one is with all labels."""
    helps: Answer
    gain: float
    """What the second half of the labels brought, as a share of the held-out pictures."""
    error: float
    """Standard error of that."""


def learning_curve(challenger: Challenger, watch: Callable[[int, int], None]) -> Curve | None:
    """Heads trained with parts of the labels, each judged on the pictures that it hasn't seen.

    None where a part would leave a class too few labels. ``watch`` is told how many of how many
    are trained.
    """
    labels = challenger.truth
    smallest = int(np.bincount(labels, minlength=challenger.labelled).min())
    wanted = SHARES_OF_MANY if len(labels) > MANY else SHARES
    shares = [share for share in wanted if share * smallest >= LEAST]
    if not shares or not challenger.judging.any():
        return None
    points, right = [], np.zeros(0)
    for done, share in enumerate(shares, 1):
        part = _part(labels, share)
        right = _right(challenger, part)
        points.append(CurvePoint(int(part.sum()), float(right.mean())))
        watch(done, len(shares))
    complete = challenger.answers == labels
    gain = complete[challenger.judging].astype(np.float64) - right
    points.append(CurvePoint(len(labels), float(complete[challenger.judging].mean())))
    error = float(gain.std() / np.sqrt(len(gain)))
    return Curve(tuple(points), helps(float(gain.mean()), error), float(gain.mean()), error)


def helps(gain: float, error: float) -> Answer:
    """From what the last doubling of the labels brought, and how sure that is."""
    if gain - error >= WORTH:
        return "yes"
    return "no" if gain + error < WORTH else "unclear"


def _right(challenger: Challenger, part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[J]: whether each judging picture is told rightly by the head that is blind to its fold."""
    examples = challenger.examples
    views = len(examples.labels) // len(part)
    heads = fit(
        examples.part(np.tile(part, views)),
        [Member(challenger.recipe, fold) for fold in range(FOLDS)],
    )
    prior = prior_of(challenger.model.first, challenger.class_ids)
    names = [str(number) for number in challenger.class_ids]
    answers = np.zeros(len(part), np.intp)
    for fold, trained in enumerate(heads):
        inside = np.flatnonzero(challenger.folds == fold)
        if len(inside):
            head = LearnedHead(names, prior, trained.taught())
            answers[inside] = head.scores(examples.embeddings[inside]).argmax(axis=1)
    return np.asarray(answers == challenger.truth, np.float64)[challenger.judging]


def _part(labels: NDArray[np.intp], share: float) -> NDArray[np.bool_]:
    """The same share of every class: which pictures."""
    rng = np.random.default_rng(0)
    part = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        part[members[: max(round(share * len(members)), 1)]] = True
    return part
