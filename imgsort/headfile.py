"""head.safetensors: the numbers of a model version, and the classifier that they make.

Apart from the registry, so that what only asks for names and dates loads no NumPy.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from imgsort.classifier import Classifier, Head, ImagenetHead
from imgsort.dense_model import dense, known_of
from imgsort.modelcard import ModelCard

Tensors = Mapping[str, NDArray[Any]]


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
    head = BUILDERS[card.kind](card, labels, tensors)
    known = known_of(tensors, card.thresholds) if card.kind == "dense" else None
    return Classifier(head, card.thresholds, known)


def _imagenet(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Head:
    if not card.classes:
        return ImagenetHead.knowing_nothing()
    return ImagenetHead(
        labels, tensors["weight"], tensors["bias"], tensors["groups"], card.temperature
    )


BUILDERS: dict[str, Callable[[ModelCard, tuple[str, ...], Tensors], Head]] = {
    "imagenet": _imagenet,
    "dense": dense,
}
"""Kind of model -> how its head is made."""
