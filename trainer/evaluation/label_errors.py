"""Which labels are probably wrong? Those that candidates which hadn't seen them contradict.

The idea of confident learning (Northcutt et al. 2021, https://arxiv.org/abs/1911.00068): a picture
is suspected when its score for another class reaches what pictures of that class usually reach.
"""

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.evaluation.comparison import Training
from imgsort.trainer.evaluation.results import Pictured

MOST_SUSPECTS = 200


def doubtful(trained: Training) -> tuple[Pictured, ...]:
    """Labels that heads which hadn't seen the picture contradict."""
    material, challenger = trained.material, trained.challenger
    scores, pictures = challenger.out_of_fold, challenger.pictures
    return tuple(
        Pictured(
            sha256=pictures[row].sha256,
            path=material.path(pictures[row].sha256),
            truth=material.names[pictures[row].label],
            said=challenger.classifier.classes[seems],
            confidence=float(scores[row, seems]),
            filed=bool(scores[row, seems] >= challenger.cuts[seems]),
        )
        for row, seems in suspects(scores, challenger.truth)[:MOST_SUSPECTS]
    )


def suspects(scores: NDArray[np.floating], labels: NDArray[np.intp]) -> list[tuple[int, int]]:
    """The doubtful among [N] ``labels`` by out-of-sample ``scores`` [N, K], the surest first: row,
    and the class it seems to be of.

    A label outside 0 to K - 1 is not judged.
    """
    usual = np.array([_usual(scores, labels, each) for each in range(scores.shape[1])])
    seems = scores.argmax(axis=1)
    rows = np.arange(len(labels))
    known = (labels >= 0) & (labels < scores.shape[1])
    own = np.where(known, scores[rows, np.where(known, labels, 0)], 0)
    contradicted = known & (seems != labels) & (scores[rows, seems] >= usual[seems])
    order = np.argsort(own - scores[rows, seems], kind="stable")
    return [(int(row), int(seems[row])) for row in order if contradicted[row]]


def _usual(scores: NDArray[np.floating], labels: NDArray[np.intp], label: int) -> float:
    """The mean score for a class of the pictures labelled as it."""
    own = scores[labels == label, label]
    return float(own.mean()) if len(own) else 1.0
