"""Which pictures would teach a model most if a person said what they are? Pure.

Uncertain ones, for a label there tells the model something; and different ones, for the second of
two alike tells it little.
"""

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import unit

Floats = NDArray[np.float32]


def uncertainty(scores: Floats) -> Floats:
    """[N, K] confidences -> [N] from 0 (sure) to 1 (two answers are as good as each other).

    What a row lacks to 1 is the answer "none of these", so that a picture of something else, of
    which the model is sure in its way, isn't asked about first. With no class known all is 1.
    """
    if scores.shape[1] == 0:
        return np.ones(len(scores), np.float32)
    clean = np.clip(np.nan_to_num(scores, nan=0.0), 0, 1)
    nothing = np.clip(1 - clean.sum(axis=1, keepdims=True), 0, 1)
    best = np.sort(np.concatenate([clean, nothing], axis=1), axis=1)
    answer: Floats = 1 - (best[:, -1] - best[:, -2])
    return answer


def most_telling(
    embeddings: Floats, uncertain: Floats, labelled: Floats, count: int
) -> NDArray[np.intp]:
    """Positions of at most ``count`` of N pictures, the most telling first.

    ``embeddings`` [N, D], ``uncertain`` [N], ``labelled`` [L, D] (L may be 0). Greedily the picture
    with the largest uncertainty times cosine distance to its nearest labelled or chosen one: the
    farthest-first traversal (Gonzalez 1985; core-set selection, Sener and Savarese 2018), weighted.
    """
    rows = unit(embeddings)
    distance = np.ones(len(rows), np.float32)
    if len(labelled):
        distance = _distance(rows, unit(labelled))
    chosen: list[int] = []
    worth = uncertain * distance
    for _ in range(min(count, len(rows))):
        best = int(np.argmax(worth))
        chosen.append(best)
        distance = np.minimum(distance, _distance(rows, rows[best : best + 1]))
        worth = uncertain * distance
        worth[chosen] = -1
    return np.array(chosen, np.intp)


def _distance(rows: Floats, others: Floats) -> Floats:
    """[N]: 1 minus the cosine to the nearest of ``others``, unit rows all."""
    nearest: Floats = np.clip(1 - (rows @ others.T).max(axis=1), 0, 2)
    return nearest
