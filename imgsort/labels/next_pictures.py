"""Which pictures would teach a model most if a person said what they are? Pure.

Uncertain ones, for a label there tells the model something; and different ones, for the second of
two alike tells it little.
"""

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import unit

Floats = NDArray[np.float32]
_FARTHEST = 2.0
"""By the cosine, of any two."""
_AT_ONCE = 500


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
    distance = np.full(len(rows), _FARTHEST if len(labelled) else 1, np.float32)
    for start in range(0, len(labelled), _AT_ONCE):  # so that memory doesn't hold all products
        part = unit(labelled[start : start + _AT_ONCE])
        distance = np.minimum(distance, _distance(rows, part))
    # Worth only falls, so that what was worth most and still is needs no look at the others.
    worths = [(-float(one), place, 0) for place, one in enumerate(uncertain * distance)]
    heapify(worths)
    chosen: list[int] = []
    while worths and len(chosen) < count:
        _, place, compared = heappop(worths)
        if compared == len(chosen):
            chosen.append(place)
            continue
        nearest = _distance(rows[place : place + 1], rows[chosen[compared:]])
        distance[place] = min(distance[place], nearest[0])
        worth = float(uncertain[place] * distance[place])
        heappush(worths, (-worth, place, len(chosen)))
    return np.array(chosen, np.intp)


def _distance(rows: Floats, others: Floats) -> Floats:
    """[N]: 1 minus the cosine to the nearest of ``others``, unit rows all."""
    nearest: Floats = np.clip(1 - (rows @ others.T).max(axis=1), 0, 2)
    return nearest
