"""How far pictures are from those a model was trained on, by their stored embeddings."""

from collections.abc import Sequence

import numpy as np

from imgsort.dense_model import familiarity_of
from imgsort.drift import Distance
from imgsort.embeddings import EmbeddingStore
from imgsort.modelcard import ModelCard
from imgsort.registry import Registry
from imgsort.workspace import Workspace


def distance_from_training(
    workspace: Workspace, card: ModelCard, sha256s: Sequence[str]
) -> Distance | None:
    """Of those contents whose embedding is stored; None where there is none, or the model doesn't
    tell.

    Raises OSError, ValueError, ModelProblem, or what the store of embeddings raises.
    """
    familiarity = familiarity_of(Registry(workspace.models).tensors(card.version))
    if familiarity is None or familiarity.limit <= 0:
        return None
    with EmbeddingStore.open(workspace.embeddings) as embeddings:
        found = embeddings.get(card.backbone_id, card.precision, sha256s)
    if not found:
        return None
    scaled = familiarity.distances(np.stack(list(found.values()))) / familiarity.limit
    return Distance(float(np.median(scaled)), int((scaled > 1).sum()), len(found))
