"""What a head is fitted to: labelled pictures, their views, and those that are only assumed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.dataset import Labelled
from imgsort.trainer.fit import Examples
from imgsort.trainer.groups import Grouping
from imgsort.trainer.material import Material

LEAST = 5
"""Labels to train on that a class needs to be learned; with fewer it keeps its old score."""
ASSUMED = 0.3
"""What a picture weighs that nobody spoke of. From 0.1 to 1 it made no difference on two sets."""


def learnable(training: Sequence[Labelled]) -> tuple[int, ...]:
    """Ids of the classes with enough labels to train on."""
    counts = Counter(picture.label for picture in training)
    return tuple(sorted(number for number, count in counts.items() if count >= LEAST))


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What the head is fitted to."""

    examples: Examples
    """The labelled pictures as they are, then their other views, then the assumed ones."""
    pictures: NDArray[np.intp]
    """[rows]: which labelled picture it shows; -1 for an assumed one."""
    taught: tuple[Labelled, ...]
    """The labelled pictures."""
    learned: tuple[int, ...]
    """Class ids, in the order of the columns."""


def lessons(
    material: Material,
    training: Sequence[Labelled],
    assumed: Sequence[Labelled],
    grouping: Grouping,
) -> Lessons:
    """A labelled picture weighs 1 with all its views, the assumed ones of a class at most as much
    as the labelled ones."""
    learned = learnable(training)
    taught = tuple(picture for picture in training if picture.label in learned)
    believed = [picture for picture in assumed if picture.label in learned]
    of_picture = {name: at for at, group in enumerate(grouping.groups) for name in group}
    stacked = np.stack([material.vectors[picture.sha256] for picture in taught], axis=1)
    views, rows = len(stacked), [*taught * len(stacked), *believed]
    counts, doubted = (Counter(each.label for each in part) for part in (taught, believed))
    weights = [1 / views] * views * len(taught)
    weights += [min(ASSUMED, counts[each.label] / doubted[each.label]) for each in believed]
    embeddings = stacked.reshape(-1, stacked.shape[2])
    if believed:
        embeddings = np.concatenate([embeddings, material.rows(believed)])
    return Lessons(
        Examples(
            embeddings=embeddings,
            labels=np.array([learned.index(each.label) for each in rows], np.intp),
            groups=np.array([of_picture[each.sha256] for each in rows], np.intp),
            weights=np.array(weights, np.float32),
        ),
        pictures=np.array([*list(range(len(taught))) * views, *[-1] * len(believed)], np.intp),
        taught=taught,
        learned=learned,
    )
