"""Who picked the pictures that judge? Labels weighted by how often their like arrives. Pure.

Somebody who confirms the class folders alone shows what the serving model dared to file, which is
what it is good at. So a label counts for all pictures that the model of the time treated alike
(filed under one class, or left unsure), and where nobody has looked, that is said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.intervals import wilson
from imgsort.store.training import Arrived, Stratum

FEWEST = 5
"""Labels of a class's filed pictures below which it is put together with others like it."""
MOST_WEIGHT = 10.0
ALL_OF_THEM = 0.9
"""Share of a stratum's pictures with a label from which on nobody can have picked among them."""
NOTABLE = 0.05
"""Of all arrivals: a smaller part that nobody looked at is not worth a word."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeightedShare:
    """A share of all pictures, and where it lies in 95 of 100 cases."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class SampleWeights:
    """How many pictures each judged one stands for."""

    each: Floats
    """[N], on average 1."""
    groups: NDArray[np.intp]
    """[N]: near-duplicates share one."""
    unknown_filed: float
    """Of all arrivals: filed, and none of their like was checked."""
    unknown_unsure: float
    expected_filed: float
    """What the models of the time expected to be right of the former."""
    expected_unsure: float

    @property
    def unknown(self) -> float:
        return self.unknown_filed + self.unknown_unsure

    def estimate(self, values: NDArray[np.bool_], *, imputed: bool = False) -> WeightedShare:
        """The weighted share of ``values`` [N].

        ``imputed``: right answers, of which also those pictures have a part that nobody checked:
        as many as the model expected, or none, or all of them.
        """
        if not len(values):
            return WeightedShare(0.0, 0.0, 1.0)
        share = float(np.average(values, weights=self.each))
        heavy = np.bincount(self.groups, self.each)
        effective = max(1, int(heavy.sum() ** 2 / np.square(heavy).sum()))
        around = wilson(round(share * effective), effective)
        low, high = min(around.low, share), max(around.high, share)
        if not imputed:
            return WeightedShare(share, low, high)
        known = 1 - self.unknown
        expected = (
            self.unknown_filed * self.expected_filed + self.unknown_unsure * self.expected_unsure
        )
        return WeightedShare(known * share + expected, known * low, known * high + self.unknown)


@dataclass(frozen=True, slots=True)
class Population:
    """What arrived, and where labelled pictures stand in it."""

    strata: Mapping[str, Stratum]
    """By sha256 of labelled pictures that a model had judged on arrival."""
    arrived: Mapping[Stratum, Arrived]


def weigh(
    of_picture: Sequence[Stratum | None],
    groups: Sequence[int],
    arrived: Mapping[Stratum, Arrived],
) -> SampleWeights:
    """``of_picture``: the stratum of each judged picture; None for an imported one, which stands
    for its like only. Strata nobody has judged a picture of are unknown."""
    judged = Counter(stratum for stratum in of_picture if stratum is not None)
    small = {
        stratum
        for stratum in arrived
        if stratum.decision == "filed" and 0 < judged[stratum] < FEWEST
    }
    images = _together({stratum: each.images for stratum, each in arrived.items()}, small)
    counts = _together(judged, small)
    known = sum(images[stratum] for stratum in counts)
    imported = sum(stratum is None for stratum in of_picture)
    per_image = counts.total() / known if known else 0.0
    each = np.ones(len(of_picture))
    for at, stratum in enumerate(of_picture):
        if stratum is not None:
            key = _pooled(stratum, small)
            each[at] = images[key] * per_image / counts[key]
    each = _capped(each)
    lost = {s: a for s, a in arrived.items() if not judged[s]}
    everything = sum(a.images for a in arrived.values()) + imported
    return SampleWeights(
        each,
        np.unique(groups, return_inverse=True)[1] if len(groups) else np.zeros(0, np.intp),
        *(_share(lost, decision, everything) for decision in ("filed", "unsure")),
        *(_expected(lost, decision) for decision in ("filed", "unsure")),
    )


def looked_through(
    of_labelled: Mapping[str, Stratum], arrived: Mapping[Stratum, Arrived]
) -> set[Stratum]:
    """Strata of which (nearly) every picture has a label: those speak for it, however given."""
    counts = Counter(of_labelled.values())
    return {
        stratum
        for stratum, count in counts.items()
        if stratum in arrived and count >= ALL_OF_THEM * arrived[stratum].images
    }


def _capped(weights: Floats) -> Floats:
    """On average 1, and none above ``MOST_WEIGHT``: what is taken of one makes the others more."""
    for _ in range(len(weights)):
        weights = weights / weights.mean()
        if weights.max() <= MOST_WEIGHT * 1.001:
            break
        weights = np.minimum(weights, MOST_WEIGHT)
    return weights


_REST = Stratum("filed", None)
"""Filed under classes of which few pictures were checked."""


def _pooled(stratum: Stratum, small: set[Stratum]) -> Stratum:
    return _REST if stratum in small else stratum


def _together(numbers: Mapping[Stratum, int], small: set[Stratum]) -> Counter[Stratum]:
    found: Counter[Stratum] = Counter()
    for stratum, number in numbers.items():
        found[_pooled(stratum, small)] += number
    return found


def _share(lost: Mapping[Stratum, Arrived], decision: str, everything: int) -> float:
    images = sum(each.images for stratum, each in lost.items() if stratum.decision == decision)
    return images / everything if everything else 0.0


def _expected(lost: Mapping[Stratum, Arrived], decision: str) -> float:
    own = [each for stratum, each in lost.items() if stratum.decision == decision]
    images = sum(each.images for each in own)
    return sum(each.images * each.confidence for each in own) / images if images else 0.0
