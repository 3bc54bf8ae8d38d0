"""What is unlike anything known? References and a limit from the training embeddings."""

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.learned import Novelty, unit
from imgsort.models.heads.learned_model import FOLDS

NEIGHBOURS = 5
MOST_REFERENCES = 2_000
FAMILIAR_SHARE = 0.99


def novelty_of(
    final: NDArray[np.floating], folds: NDArray[np.intp], labelled: int
) -> tuple[Novelty, NDArray[np.float32]]:
    """References out of [N, D] final embeddings, the limit at the 99th percentile of distances, and
    each picture's unlikeness [N] to the other folds.

    Each distance is taken to references of the other folds only: a picture lies at distance 0 from
    itself, and near its own burst. Of many pictures an evenly drawn part refers.
    """
    stride = -(-len(final) // MOST_REFERENCES)
    known = Novelty(
        unit(final[::stride]), folds[::stride].astype(np.uint8), NEIGHBOURS, 1.0, labelled
    )
    distances = np.zeros(len(final), np.float32)
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            distances[inside] = known.without(fold).distances(final[inside])
    limit = float(np.quantile(distances, FAMILIAR_SHARE))
    measured = Novelty(known.references, known.folds, NEIGHBOURS, limit, labelled)
    return measured, distances / np.float32(max(limit, 1e-6))
