"""Which labels are probably wrong? Those that candidates which hadn't seen them contradict.

The idea of confident learning (Northcutt et al. 2021, https://arxiv.org/abs/1911.00068): a picture
is suspected when its score for another class reaches what pictures of that class usually reach.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is doubtful, and the class it seems to be of."""

    row: int
    seems: int
    margin: float
    """Its score for that class minus its score for its label."""


def suspects(scores: NDArray[np.floating], labels: NDArray[np.intp]) -> tuple[Suspect, ...]:
    """The doubtful among [N] ``labels`` by out-of-sample ``scores`` [N, K], the surest first.

    A label outside 0 to K - 1 is not judged.
    """
    usual = np.array([_usual(scores, labels, each) for each in range(scores.shape[1])])
    seems = scores.argmax(axis=1)
    rows = np.arange(len(labels))
    known = (labels >= 0) & (labels < scores.shape[1])
    own = np.where(known, scores[rows, np.where(known, labels, 0)], 0)
    margins = scores[rows, seems] - own
    doubtful = known & (seems != labels) & (scores[rows, seems] >= usual[seems])
    order = np.argsort(-margins, kind="stable")
    return tuple(
        Suspect(int(row), int(seems[row]), float(margins[row])) for row in order if doubtful[row]
    )


def _usual(scores: NDArray[np.floating], labels: NDArray[np.intp], label: int) -> float:
    """The mean score for a class of the pictures labelled as it."""
    own = scores[labels == label, label]
    return float(own.mean()) if len(own) else 1.0
