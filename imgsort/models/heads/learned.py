"""The learned head as it serves: what the first model says, corrected by what labels taught.

    z(x) = strength * z0(x) + g(x) C f(x),    probabilities = softmax(z / temperature)

z0 are the first model's log-probabilities, f the dense layers, C takes the mean over the labelled
classes off: learning says how the labelled classes differ from each other, never that everything is
one of them. g is the cube of the labelled classes' share in what z0 gives all classes: where the
first model sees a class that nobody has labelled yet, learning keeps quiet. The last column of z is
"something else". NumPy only; imgsort.trainer makes the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import ImagenetHead, softmax
from imgsort.records.reasons import Reason
from imgsort.records.verdict import UNLIKE

Floats = NDArray[np.float32]
_TINY = 1e-6
_FLOOR = 1e-3
"""What z0 leaves at least for each class, divided by their number: nothing is ruled out."""
CAUTION = 3
"""Power of that share. Of cats, dogs and snakes two have 40 labels each, five draws: the third's
recall is .92 to .96 of what it was with 1, .95 to .99 with 2, .98 to 1.0 with 3 or 4; and of all
pictures as many are right or more."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseLayer:
    """A dense layer."""

    weight: Floats
    """[inputs, outputs]"""
    bias: Floats
    """[outputs]"""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What labels added to the first model."""

    strength: float
    """What the first model's log-probabilities are multiplied by."""
    layers: tuple[DenseLayer, ...]
    """A ReLU lies between them."""

    def outputs(self) -> int:
        """L, how many classes are told. Raises ValueError when the layers don't fit each other."""
        widths = [layer.weight.shape for layer in self.layers]
        fit = all(layer.weight.shape[1:] == layer.bias.shape for layer in self.layers)
        if not (widths and fit and all(one[1] == two[0] for one, two in pairwise(widths))):
            raise ValueError(f"layers {widths} don't fit each other")
        return int(widths[-1][1])

    def logits(self, embeddings: Floats) -> Floats:
        """[N, D] -> [N, L], before they are centred. Columns beyond the first layer's inputs, which
        a newer form of the backbone may have, are left out."""
        values = np.asarray(embeddings, np.float32)[:, : len(self.layers[0].weight)]
        for number, layer in enumerate(self.layers):
            values = (np.maximum(values, 0) if number else values) @ layer.weight + layer.bias
        return values


class Prior:
    """The first model's opinion on the classes of a learned one."""

    def __init__(self, first: ImagenetHead | None, columns: Sequence[int | None]) -> None:
        """``columns``: for each class the column of ``first`` that is it; None where there is none.

        Raises ValueError for a column that isn't there.
        """
        known = [column for column in columns if column is not None]
        if known and (first is None or not 0 <= min(known) <= max(known) < len(first.classes)):
            raise ValueError(f"the first model has no columns {known}")
        self.first, self.columns = first, tuple(columns)
        self._known, self._places = known, [at for at, c in enumerate(columns) if c is not None]

    def log_probabilities(self, embeddings: Floats) -> Floats:
        """[N, K + 1], "something else" last.

        What the first model gives none of its classes is shared out alike among the classes that it
        doesn't know and "something else".
        """
        count = len(self.columns)
        shares = np.zeros((len(embeddings), count + 1), np.float32)
        if self.first is not None and self._known:
            shares[:, self._places] = self.first.scores(embeddings)[:, self._known]
        rest = np.clip(1 - shares.sum(axis=1), 0, 1) / (count - len(self._known) + 1)
        strange = np.ones(count + 1, np.bool_)
        strange[self._places] = False
        shares[:, strange] = rest[:, None]
        return np.asarray(np.log(np.maximum(shares, _FLOOR / (count + 1))), np.float32)


def weight_of_learning(log_probabilities: Floats, labelled: int) -> Floats:
    """[N, K + 1] -> [N, 1], 0 to 1: does the first model see one of the first ``labelled``?"""
    shares = np.exp(log_probabilities[:, :-1])
    share = shares[:, :labelled].sum(axis=1, keepdims=True) / shares.sum(axis=1, keepdims=True)
    return np.asarray(share**CAUTION, np.float32)


class LearnedHead:
    """The first model's opinion, corrected by what labels taught."""

    def __init__(
        self, classes: Sequence[str], prior: Prior, taught: Taught, temperature: float = 1.0
    ) -> None:
        """The labelled classes come first: as many as the last layer has outputs.

        Raises ValueError when the shapes don't fit each other or ``classes``.
        """
        self._labelled = taught.outputs()
        if self._labelled > len(classes):
            raise ValueError(f"{self._labelled} outputs don't fit {len(classes)} classes")
        if len(prior.columns) != len(classes):
            raise ValueError(f"a prior on {len(prior.columns)} classes for {len(classes)}")
        if not (0 < temperature < float("inf") and 0 <= taught.strength < float("inf")):
            raise ValueError(f"a temperature can't be {temperature}")
        self.classes = tuple(classes)
        self.prior, self.taught, self.temperature = prior, taught, temperature

    def logits(self, embeddings: Floats) -> Floats:
        """[N, D] -> [N, K + 1], before the temperature."""
        logits = self.prior.log_probabilities(embeddings)
        said = self.taught.logits(embeddings)
        said = said - said.mean(axis=1, keepdims=True)
        said *= weight_of_learning(logits, self._labelled)
        logits *= self.taught.strength
        logits[:, : self._labelled] += said
        return logits

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities; what lacks to 1 is "something else"."""
        return softmax(self.logits(embeddings) / self.temperature)[:, :-1]


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """How far a picture is from everything seen in training.

    Distance is 1 minus the mean cosine to the ``neighbours`` nearest references. On photographs
    this let through a tenth of what a Mahalanobis distance did.
    """

    references: Floats
    """[R, D] unit rows of final embeddings; R is at least 1."""
    folds: NDArray[np.uint8]
    """[R]: in which fold each reference was."""
    neighbours: int
    limit: float
    """Distance above which a picture is unlike anything known."""
    labelled: int
    """How many classes have labels; they come first. The others have no references."""

    def without(self, fold: int) -> Self:
        """The same for who hasn't seen one fold; all of it where nothing else is left."""
        kept = self.folds != fold
        if not kept.any():
            return self
        return replace(self, references=self.references[kept], folds=self.folds[kept])

    def distances(self, embeddings: Floats) -> Floats:
        """[N] from 0 (the same) to 2 (the opposite)."""
        final = np.asarray(embeddings)[:, : self.references.shape[1]]
        cosines = unit(final) @ self.references.T
        count = min(self.neighbours, cosines.shape[1])
        nearest = np.partition(cosines, -count, axis=1)[:, -count:]
        distances: Floats = 1 - nearest.mean(axis=1)
        return distances

    def unlikeness(self, embeddings: Floats) -> Floats:
        """[N] distances in units of the limit, from 0 on."""
        # Training pictures that are all the same leave a limit of nothing, give or take rounding.
        scaled = self.distances(embeddings) / max(self.limit, _TINY)
        return np.asarray(np.maximum(scaled, 0), np.float32)

    def doubts(
        self,
        embeddings: Floats,  # noqa: ARG002 - an earlier kind of model asks its old head about them
        winners: NDArray[np.intp],
        unlikeness: Floats,
    ) -> list[Reason | None]:
        """Per row: why it can't be filed under its best class (a column), or None."""
        foreign = (unlikeness > 1) & (winners < self.labelled)
        return [UNLIKE if strange else None for strange in foreign]


def unit(embeddings: NDArray[np.floating]) -> Floats:
    """Rows of length 1; a row of zeros stays one."""
    rows = np.asarray(embeddings, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, _TINY), np.float32)
