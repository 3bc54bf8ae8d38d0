"""head.safetensors: the numbers of a model version, and the classifier that they make.

Apart from the registry, so that what only asks for names and dates loads no NumPy.
"""

from collections.abc import Callable

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.models.heads.earlier_model import earlier
from imgsort.models.heads.learned_model import Tensors, learned
from imgsort.records.model_card import ModelCard


def packed(tensors: Tensors) -> bytes:
    # safetensors writes the memory as it lies: a transposed view would be saved scrambled.
    return safetensors.numpy.save({name: np.ascontiguousarray(a) for name, a in tensors.items()})


def unpacked(content: bytes) -> Tensors:
    """Raises ValueError for what is no such file."""
    try:
        return safetensors.numpy.load(content)
    except SafetensorError as problem:
        raise ValueError(str(problem)) from None


def classifier_of(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Classifier:
    """``labels``: the card's classes under their present names.

    Raises KeyError or ValueError where the tensors don't fit the card.
    """
    return BUILDERS[card.kind](card, labels, tensors)


def _imagenet(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Classifier:
    if not card.classes:
        return Classifier(ImagenetHead.knowing_nothing(), card.thresholds)
    head = ImagenetHead(
        labels, tensors["weight"], tensors["bias"], tensors["groups"], card.temperature
    )
    return Classifier(head, card.thresholds)


BUILDERS: dict[str, Callable[[ModelCard, tuple[str, ...], Tensors], Classifier]] = {
    "imagenet": _imagenet,
    "dense": earlier,
    "learned": learned,
}
"""Kind of model -> how its classifier is made; ``dense`` models are those of earlier programs."""
