"""The learned head as it serves: dense layers, classes kept from before, and what is too foreign.

NumPy only; imgsort.trainer makes the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Head, softmax

Floats = NDArray[np.float32]
_TINY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A dense layer."""

    weight: Floats
    """[inputs, outputs]"""
    bias: Floats
    """[outputs]"""


class DenseHead:
    """Dense layers with a ReLU between them, softmax over a temperature at the end.

    The nearest-mean head is one layer too: minus half the squared distance to a mean is linear but
    for a part that all classes share.
    """

    def __init__(
        self, classes: Sequence[str], layers: Sequence[Layer], temperature: float = 1.0
    ) -> None:
        """Raises ValueError when the shapes don't fit each other or ``classes``."""
        widths = [layer.weight.shape for layer in layers]
        fit = all(layer.weight.shape[1:] == layer.bias.shape for layer in layers)
        chained = all(one[1] == two[0] for one, two in pairwise(widths))
        if not (layers and fit and chained and widths[-1][1] == len(classes)):
            raise ValueError(f"layers {widths} don't fit {len(classes)} classes")
        if not (0 < temperature < float("inf")):
            raise ValueError(f"a temperature can't be {temperature}")
        self.classes = tuple(classes)
        self.layers = tuple(
            Layer(np.asarray(layer.weight, np.float32), np.asarray(layer.bias, np.float32))
            for layer in layers
        )
        self.temperature = temperature

    def logits(self, embeddings: Floats) -> Floats:
        """[N, D] -> [N, K], before the temperature."""
        values = np.asarray(embeddings, np.float32)
        for number, layer in enumerate(self.layers):
            values = (np.maximum(values, 0) if number else values) @ layer.weight + layer.bias
        return values

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities that sum to 1."""
        return softmax(self.logits(embeddings) / self.temperature)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the whole the kept classes get: sigmoid(slope * odds + offset).

    ``odds`` is the logarithm of what the old head gives the kept classes over what it gives the
    learned ones.
    """

    slope: float = 1.0
    offset: float = 0.0


class KeepingHead:
    """Learned classes beside those that have too few labels and keep their old score.

    The old head settles between the two kinds, the learned one among its own. Without this, every
    picture of a class without labels would be put under one that has them.
    """

    def __init__(self, learned: DenseHead, old: Head, kept: Sequence[str], share: Share) -> None:
        """``kept`` are classes of ``old`` that ``learned`` doesn't have; ValueError otherwise."""
        if not set(kept) <= set(old.classes) - set(learned.classes):
            raise ValueError(f"{sorted(kept)} can't all be kept from {old.classes}")
        self.learned, self.old, self.share = learned, old, share
        self.classes = (*learned.classes, *kept)
        self._kept = [old.classes.index(name) for name in kept]
        self._both = [old.classes.index(name) for name in learned.classes if name in old.classes]

    def odds(self, embeddings: Floats) -> Floats:
        """[N] log odds of the kept classes against the learned ones, by the old head alone."""
        old = self.old.scores(embeddings)
        kept, both = old[:, self._kept].sum(axis=1), old[:, self._both].sum(axis=1)
        odds: Floats = np.log(kept + _TINY) - np.log(both + _TINY)
        return odds

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities, learned classes first; a row sums to 1 unless nothing is kept."""
        strength = self.share.slope * self.odds(embeddings) + self.share.offset
        kept_share = (1 / (1 + np.exp(-np.clip(strength, -50, 50))))[:, None].astype(np.float32)
        old = self.old.scores(embeddings)[:, self._kept]
        among_kept = old / np.maximum(old.sum(axis=1, keepdims=True), _TINY)
        learned = self.learned.scores(embeddings)
        return np.concatenate([(1 - kept_share) * learned, kept_share * among_kept], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Familiarity:
    """How far a picture is from everything seen in training.

    Distance is 1 minus the mean cosine to the ``neighbours`` nearest references. On photographs
    this let through a tenth of what a Mahalanobis distance did.
    """

    references: Floats
    """[R, D] unit rows; R is at least 1."""
    neighbours: int
    limit: float
    """Distance above which a picture is unlike anything known."""

    def distances(self, embeddings: Floats) -> Floats:
        """[N] from 0 (the same) to 2 (the opposite)."""
        cosines = unit(embeddings) @ self.references.T
        count = min(self.neighbours, cosines.shape[1])
        nearest = np.partition(cosines, -count, axis=1)[:, -count:]
        distances: Floats = 1 - nearest.mean(axis=1)
        return distances

    def unlikeness(self, embeddings: Floats) -> Floats:
        """[N] distances in units of the limit, from 0 on."""
        # Training pictures that are all the same leave a limit of nothing, give or take rounding.
        scaled = self.distances(embeddings) / max(self.limit, _TINY)
        return np.asarray(np.maximum(scaled, 0), np.float32)

    def foreign(self, embeddings: Floats) -> NDArray[np.bool_]:
        """[N]: whether a picture is unlike anything known."""
        return np.asarray(self.unlikeness(embeddings) > 1)


def unit(embeddings: NDArray[np.floating]) -> Floats:
    """Rows of length 1; a row of zeros stays one."""
    rows = np.asarray(embeddings, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, _TINY), np.float32)
