"""What a head may look like, and which of several candidates wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.calibrate import log_losses, temperature

LINEAR_L2 = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
HIDDEN_WIDTH = 64
HIDDEN_L2 = 0.01
HIDDEN_DROPOUTS = (0.2, 0.5)
HIDDEN_FROM = 500
"""Labels from which on a hidden layer is tried at all."""
MEANS_BELOW = 10
"""Labels of the smallest class below which the nearest-mean head is a candidate."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to build and train a head."""

    kind: Literal["nearest-mean", "dense"]
    width: int = 0
    """Units of the hidden layer; 0 for none."""
    dropout: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What grouped cross-validation says of one recipe."""

    recipe: Recipe
    steps: int
    """Gradient steps after which the out-of-fold loss was lowest; 0 where none are taken."""
    logits: NDArray[np.float32]
    """[N, K], out of fold: each row from the candidate that didn't see its fold."""
    losses: NDArray[np.float32]
    """[N]: log loss of each row after this trial's own temperature."""

    @property
    def loss(self) -> float:
        return float(self.losses.mean())


def recipes(labels_per_class: Sequence[int]) -> tuple[Recipe, ...]:
    """What is worth trying with so many labels, the simplest first."""
    found = []
    if min(labels_per_class) < MEANS_BELOW:
        found.append(Recipe("nearest-mean"))
    found += [Recipe("dense", l2=l2) for l2 in sorted(LINEAR_L2, reverse=True)]
    if sum(labels_per_class) >= HIDDEN_FROM:
        found += [Recipe("dense", HIDDEN_WIDTH, dropout, HIDDEN_L2) for dropout in HIDDEN_DROPOUTS]
    return tuple(found)


def tried(
    recipe: Recipe, steps: int, logits: NDArray[np.float32], labels: NDArray[np.intp]
) -> Trial:
    """A trial from its out-of-fold logits. Its own temperature comes first: what counts is how
    well the classes are told apart, and how sure to be is settled later."""
    losses = log_losses(logits / temperature(logits, labels), labels)
    return Trial(recipe, steps, logits, losses.astype(np.float32))


def best(trials: Sequence[Trial]) -> Trial:
    """The lowest loss; a hidden layer must be better than the best without one beyond chance.

    Beyond chance: by more than one standard error of the paired difference.
    """
    ranked = sorted(trials, key=lambda trial: trial.loss)
    shallow = next(trial for trial in ranked if not trial.recipe.width)
    deep = next((trial for trial in ranked if trial.recipe.width), None)
    if deep is None:
        return shallow
    gain = shallow.losses - deep.losses
    error = float(gain.std()) / np.sqrt(len(gain))
    return deep if float(gain.mean()) > error else shallow
