"""How many pictures of no known class would be filed? Asked of classes that are known.

One class after the other is taken for unknown: its references don't count as familiar, its scores
are shared out among the others. That is what the model would do, nearly, had it never met them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import Novelty, unit
from imgsort.records.verdict import NEVER
from imgsort.trainer.evaluation.comparison import Training

FEWEST_CLASSES = 3
"""With one class left every picture would be sure to be of it."""
MOST_IMAGES = 3_000
MOST_REFERENCES = 500


@dataclass(frozen=True, slots=True)
class Strangers:
    """Pictures of no known class: how many would have been filed?"""

    aside: int
    """Pictures that a human took out of every class."""
    aside_filed: int
    aside_filed_before: int
    """By the model that served."""
    left_out: int
    """Pictures of a class each, judged as if the model had never seen that class."""
    left_out_filed: int


def strangers(trained: Training) -> Strangers:
    """Pictures put aside by a human, and known classes taken for unknown."""
    material, challenger = trained.material, trained.challenger
    aside, known = material.of(material.aside), slice(challenger.labelled)
    filed, before = [
        sum(verdict.decision == "filed" for verdict in model.judge(aside, 1)) if len(aside) else 0
        for model in (challenger.classifier, trained.champion.classifier)
    ]
    left_out = filed_when_unknown(
        material.rows(challenger.pictures)[:, : material.blocks[0]],
        challenger.out_of_fold[:, known],
        challenger.truth,
        np.array(challenger.cuts[known]),
        challenger.model.novelty,
    )
    return Strangers(len(material.aside), filed, before, *left_out)


def filed_when_unknown(
    embeddings: NDArray[np.float32],
    scores: NDArray[np.floating],
    labels: NDArray[np.intp],
    thresholds: NDArray[np.floating],
    novelty: Novelty,
) -> tuple[int, int]:
    """How many pictures were asked about, and how many of them would be filed.

    ``scores`` [N, K] are out of fold, ``labels`` [N] their columns. Of many pictures an evenly
    drawn part is asked about.
    """
    if len(np.unique(labels)) < FEWEST_CLASSES:
        return 0, 0
    stride = -(-len(labels) // MOST_IMAGES)
    asked = np.arange(0, len(labels), stride)
    filed = 0
    for label in np.unique(labels):
        rows = asked[labels[asked] == label]
        others = embeddings[labels != label]
        others = others[:: -(-len(others) // MOST_REFERENCES)]
        folds = np.zeros(len(others), np.uint8)
        without = replace(novelty, references=unit(others), folds=folds)
        left = np.array(scores[rows], np.float64)
        left[:, label] = 0
        left /= np.maximum(left.sum(axis=1, keepdims=True), 1e-12)
        limits = np.where(thresholds == NEVER, np.inf, thresholds)[left.argmax(axis=1)]
        sure = left.max(axis=1) >= limits
        filed += int((sure & (without.unlikeness(embeddings[rows]) <= 1)).sum())
    return len(asked), filed
