"""How far may a share be trusted that was counted on few pictures? Wilson's score interval.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
"""

import math
from dataclasses import dataclass

Z_95_TWO_SIDED = 1.959964
"""95 of 100 such intervals hold the true share."""
Z_95_ONE_SIDED, Z_90_ONE_SIDED = 1.64, 1.28
"""The true share lies above 95, or 90, of 100 such lower bounds; and below such upper ones."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two shares, 0 to 1."""

    low: float
    high: float


def wilson(hits: int, of: int, z: float = Z_95_TWO_SIDED) -> Interval:
    """The two-sided interval for ``hits`` out of ``of``; of nothing, everything is possible.

    Raises ValueError unless 0 <= hits <= of.
    """
    return Interval(lower_bound(hits, of, z), 1 - lower_bound(of - hits, of, z))


def lower_bound(hits: int, of: int, z: float) -> float:
    """The one-sided bound: the true share lies above it, but for one case in a normal tail of z."""
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} out of {of} is no share")
    if hits == 0:
        return 0.0
    share, square = hits / of, z * z
    centre = share + square / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (centre - spread) / (1 + square / of))
