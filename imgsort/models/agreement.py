"""Do two sets of embeddings of the same pictures lead to the same folders? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.intervals import wilson
from imgsort.records.verdict import Verdict

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over pictures that took no part in the calibration."""

    pictures: int
    same_decisions: int
    """Go to the same folder: filed under the same class, or unsure both times."""
    same_labels: int
    """Have the same best class, filed or not: top-1 agreement."""
    mean_cosine: float
    """Between a picture's two embeddings, 1 for parallel ones."""

    @property
    def decided_alike(self) -> float:
        """Share of ``same_decisions``, 0 to 1."""
        return self.same_decisions / self.pictures

    @property
    def labelled_alike(self) -> float:
        """Share of ``same_labels``, 0 to 1."""
        return self.same_labels / self.pictures

    @property
    def lower_bound(self) -> float:
        """Wilson's, 95 %, of the share of equal decisions."""
        return wilson(self.same_decisions, self.pictures).low


def agreement(
    before: Sequence[Verdict], after: Sequence[Verdict], embedded: tuple[Floats, Floats]
) -> Agreement:
    """Verdicts on N pictures, N above 0, and the embeddings [N, D] that led to either."""
    pairs = list(zip(before, after, strict=True))
    return Agreement(
        pictures=len(pairs),
        same_decisions=sum(one.folder == other.folder for one, other in pairs),
        same_labels=sum(one.label == other.label for one, other in pairs),
        mean_cosine=float(_cosines(*embedded).mean()),
    )


def _cosines(one: Floats, other: Floats) -> Floats:
    """[N]; 0 where either is the zero vector."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products: Floats = (one * other).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return products
