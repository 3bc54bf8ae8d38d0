"""What a head may look like, and which of several candidates wins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LINEAR_L2 = (0.003, 0.01, 0.03, 0.1, 0.3)
INNER = (0.0, 0.5, 1.4)
"""How much of the inner layers is looked at."""
L2_OF_MANY, INNER_OF_MANY, MANY_CLASSES = (0.01, 0.1), (0.0, 0.5), 100
BESIDE_UNLABELLED = (0.03, 0.1, 0.3)
"""Where classes have no label yet nothing tells how much is too much: gently, and without inner
layers, of which the first model knows nothing. With all recipes half the snakes became cats."""
FEW = 10
"""Labels of the smallest class below which inner layers are too much to choose from."""
HIDDEN_WIDTH, HIDDEN_L2, HIDDEN_DROPOUTS = 64, 3.0, (0.2, 0.5)
HIDDEN_FROM = 500
"""Labels from which on a hidden layer is tried at all."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to build and train a head."""

    l2: float
    """Penalty beside the sum of the pictures' losses."""
    inner: float = 0.0
    """Weight of the inner layers' means; 0 leaves them out."""
    width: int = 0
    """Units of the hidden layer; 0 for none."""
    dropout: float = 0.0

    def __str__(self) -> str:
        layers = f"{self.width} hidden units, " if self.width else "one dense layer, "
        seen = f"inner layers at {self.inner:g}" if self.inner else "the last layer alone"
        return f"{layers}{seen}, L2 {self.l2:g}"


def recipes(labels_per_class: Sequence[int], *, all_labelled: bool) -> tuple[Recipe, ...]:
    """What is worth trying with so many labels, the simplest first."""
    if not all_labelled:
        return tuple(Recipe(l2) for l2 in reversed(BESIDE_UNLABELLED))
    many = len(labels_per_class) > MANY_CLASSES
    inner = (0.0,) if min(labels_per_class) < FEW and not many else INNER_OF_MANY if many else INNER
    strengths = L2_OF_MANY if many else LINEAR_L2
    found = [Recipe(l2, weight) for weight in inner for l2 in reversed(strengths)]
    if sum(labels_per_class) >= HIDDEN_FROM and not many:
        found += [Recipe(HIDDEN_L2, 0.0, HIDDEN_WIDTH, dropout) for dropout in HIDDEN_DROPOUTS]
    return tuple(found)


def best(candidates: Sequence[Recipe], losses: NDArray[np.floating]) -> int:
    """The lowest mean loss of [C, N]; a hidden layer must be better than the best without one
    beyond chance: by more than one standard error of the paired difference."""
    means = losses.mean(axis=1)
    deep = np.array([bool(recipe.width) for recipe in candidates])
    shallow = int(np.argmin(np.where(deep, np.inf, means)))
    if not deep.any():
        return shallow
    deepest = int(np.argmin(np.where(deep, means, np.inf)))
    gain = losses[shallow] - losses[deepest]
    error = float(gain.std()) / np.sqrt(len(gain))
    return deepest if float(gain.mean()) > error else shallow
