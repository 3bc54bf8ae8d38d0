"""What is unlike anything known? References and a limit from the training embeddings."""

import numpy as np
from numpy.typing import NDArray

from imgsort.dense_head import Familiarity, unit

NEIGHBOURS = 5
MOST_REFERENCES = 2_000
FAMILIAR_SHARE = 0.99


def familiarity(embeddings: NDArray[np.floating], folds: NDArray[np.intp]) -> Familiarity:
    """References out of [N, D] training embeddings, and the 99th percentile of distances.

    A distance is taken out of fold, to references of the other folds only: a picture lies at
    distance 0 from itself, and near its own burst. Of many pictures an evenly drawn part refers.
    """
    stride = -(-len(embeddings) // MOST_REFERENCES)
    references, fold_of_reference = unit(embeddings[::stride]), folds[::stride]
    distances = np.zeros(len(embeddings), np.float32)
    for fold in np.unique(folds):
        inside = folds == fold
        elsewhere = references[fold_of_reference != fold]
        if len(elsewhere):
            others = Familiarity(elsewhere, NEIGHBOURS, 0.0)
            distances[inside] = others.distances(embeddings[inside].astype(np.float32))
    return Familiarity(references, NEIGHBOURS, float(np.quantile(distances, FAMILIAR_SHARE)))
