"""Embeddings turned into the axes of their own spread: fewer columns, the same geometry.

Standardising and then rotating onto the principal axes changes no distance and no L2 penalty, but
with N labels there are at most N - 1 axes instead of 1,280 or 2,048 columns, and the spread along
each is known, which is what makes gradient descent converge in dozens of steps. Afterwards the
transformation is folded into the first layer, so that serving multiplies plain embeddings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_AXES = 512
_SAMPLED = 4_000
_FAINTEST = 1e-6

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """A change of axes learned from one set of embeddings."""

    mean: Floats
    """[D]"""
    basis: Floats
    """[D, R]: one axis a column, divided by each embedding column's standard deviation."""
    spread: Floats
    """[R]: variance along each axis, falling."""

    @classmethod
    def of(cls, embeddings: NDArray[np.floating]) -> "Coordinates":
        """The axes of [N, D] embeddings; of many, those of an evenly drawn part."""
        stride = max(1, len(embeddings) // _SAMPLED)
        sample = embeddings[::stride].astype(np.float32)
        mean, deviation = sample.mean(axis=0), sample.std(axis=0)
        # A column that never varies says nothing; divided by nearly nothing it would say anything.
        scale = np.where(deviation > _FAINTEST, 1 / np.maximum(deviation, _FAINTEST), 0)
        centred = (sample - mean) * scale
        spread, axes = _principal_axes(centred)
        return cls(mean, scale[:, None].astype(np.float32) * axes, spread)

    def of_embeddings(self, embeddings: NDArray[np.floating]) -> Floats:
        """[N, D] -> [N, R]."""
        centred = np.asarray(embeddings, np.float32) - self.mean
        return np.asarray(centred @ self.basis, np.float32)

    def folded(self, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """A layer [R, K] on these coordinates as a layer [D, K] on plain embeddings."""
        plain = self.basis @ weight
        return plain, bias - self.mean @ plain


def _principal_axes(centred: Floats) -> tuple[Floats, Floats]:
    """Variances [R], falling, and unit axes [D, R] of rows that are centred already.

    The smaller of the two Gram matrices has the same eigenvalues as the covariance.
    """
    from scipy.linalg import eigh

    rows, columns = centred.shape
    narrow = rows < columns
    gram = centred @ centred.T if narrow else centred.T @ centred
    size = len(gram)
    kept = (max(0, size - MOST_AXES), size - 1)
    values, vectors = eigh(gram / rows, subset_by_index=kept, check_finite=False)
    values, vectors = values[::-1], vectors[:, ::-1]
    real = values > max(float(values[0]), 0) * _FAINTEST
    values, vectors = values[real], vectors[:, real]
    axes = centred.T @ vectors / np.sqrt(values * rows) if narrow else vectors
    return values.astype(np.float32), np.ascontiguousarray(axes, np.float32)
