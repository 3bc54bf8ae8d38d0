"""Would more labels help? The same training with a small part and with half of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Head
from imgsort.trainer.challenger import Challenger
from imgsort.trainer.findings import Answer, Curve, CurvePoint
from imgsort.trainer.fit import Examples, fit_head
from imgsort.trainer.lessons import Lessons

SHARES, SHARES_OF_MANY, MANY = (0.25, 0.5), (0.125, 0.5), 4_000
LEAST = 4
"""Labels of the smallest class that a part of them must leave."""
DRAWS, FEW = 3, 1_000
"""Of fewer labels several parts are drawn, since one says little."""
WORTH = 0.01
"""What doubling the labels must bring to be worth the work."""


def learning_curve(
    lessons: Lessons,
    challenger: Challenger,
    unseen: NDArray[np.float32],
    truth: NDArray[np.intp],
    watch: Callable[[int, int], None],
) -> Curve | None:
    """Heads trained with parts of the labels, judged beside the challenger
    on ``unseen`` [N, D].

    ``truth`` [N] are their columns, -1 for a class that isn't learned. None where a part would
    leave a class too few labels, or where nothing is there to judge on. ``watch`` is told how many
    heads of how many are trained.
    """
    labels = lessons.examples.labels[: len(lessons.taught)]
    smallest = int(np.bincount(labels).min())
    wanted = SHARES_OF_MANY if len(labels) > MANY else SHARES
    shares = [share for share in wanted if share * smallest >= LEAST]
    if not shares or not len(truth):
        return None
    draws = DRAWS if len(labels) < FEW else 1
    total, done = len(shares) * draws, 0
    points, right = [], np.zeros(0)
    for share in shares:
        answers = []
        for draw in range(draws):
            part = _part(labels, share, draw)
            layers = fit_head(_without(lessons, part), draw).layers
            answers.append(_right(challenger.with_layers(layers), unseen, truth))
            done += 1
            watch(done, total)
        right = np.mean(answers, axis=0)
        points.append(CurvePoint(len(part), float(right.mean())))
    complete = _right(challenger.with_layers(challenger.fitted.layers), unseen, truth)
    points.append(CurvePoint(len(labels), float(complete.mean())))
    gain = complete - right
    error = float(gain.std() / np.sqrt(len(gain)))
    return Curve(tuple(points), helps(float(gain.mean()), error), float(gain.mean()), error)


def helps(gain: float, error: float) -> Answer:
    """From what the last doubling of the labels brought, and how sure that is."""
    if gain - error >= WORTH:
        return "yes"
    return "no" if gain + error < WORTH else "unclear"


def _right(head: Head, unseen: NDArray[np.float32], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(head.scores(unseen).argmax(axis=1) == truth, np.float64)


def _part(labels: NDArray[np.intp], share: float, draw: int) -> NDArray[np.intp]:
    """The same share of every class: which pictures."""
    rng = np.random.default_rng(draw)
    parts = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        parts.append(rng.permutation(members)[: max(round(share * len(members)), 1)])
    return np.sort(np.concatenate(parts))


def _without(lessons: Lessons, part: NDArray[np.intp]) -> Examples:
    """Those of the labelled pictures only, all views of each, and everything assumed."""
    kept = np.isin(lessons.pictures, [*part, -1])
    examples = lessons.examples
    return Examples(
        examples.embeddings[kept],
        examples.labels[kept],
        examples.groups[kept],
        examples.weights[kept],
    )
