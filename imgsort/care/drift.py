"""Are the pictures of the last week still like those that the model knows?

Three signs: how many it is unsure of, which classes it files, how far the pictures are from its
training. Each says something only where chance and a small difference are both ruled out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from imgsort.intervals import Interval, wilson
from imgsort.records.model_card import ModelCard
from imgsort.store import Store
from imgsort.store.drift import Period

WEEK = timedelta(days=7)
MOST = 10_000
"""Arrivals that are looked at, the newest of a period."""
Z = 2.575829
"""One in a hundred calm weeks is called notable by each sign, at most."""
LEAST = 100
"""Pictures in either group, below which nothing is said."""
LEAST_MEASURED = 50
MEASURED = 1_000
"""Arrivals whose distance from training is looked at, the newest."""
UNSURE_POINTS = 0.05
MIX_DISTANCE = 0.2
"""Jensen-Shannon distance, base 2: from 0 (the same mix) to 1 (no class in common)."""
FOREIGN_EXPECTED, FOREIGN_NOTABLE = 0.01, 0.05
"""Of the training pictures a hundredth lies beyond the limit, by its construction."""

Before = Literal["holdout", "earlier", "labels"]
"""What the week is compared with: the pictures the model was tested on, what it judged before this
week, or the labels it was trained on."""
_IN_WORDS = {
    "holdout": "among the pictures it was tested on",
    "earlier": "before",
    "labels": "among the labels it was trained on",
}


@dataclass(frozen=True, slots=True)
class UnsureRate:
    """Pictures that the model was unsure of, this week and before."""

    unsure: int
    of: int
    before_unsure: int
    before_of: int
    before: Before

    @property
    def rate(self) -> float:
        return self.unsure / self.of

    @property
    def rise(self) -> Interval:
        """How much the rate has grown, with its interval; Newcombe 1998, method 10."""
        now, then = wilson(self.unsure, self.of, Z), wilson(self.before_unsure, self.before_of, Z)
        old = self.before_unsure / self.before_of
        rise = self.rate - old
        return Interval(
            rise - math.hypot(self.rate - now.low, then.high - old),
            rise + math.hypot(now.high - self.rate, old - then.low),
        )

    def sentence(self) -> str | None:
        if min(self.of, self.before_of) < LEAST or self.rise.low <= UNSURE_POINTS:
            return None
        return (
            f"The model is unsure of {self.rate:.0%} of this week's pictures, "
            f"{self.before_unsure / self.before_of:.0%} {_IN_WORDS[self.before]}; label some of "
            f"`imgsort next`, then retrain."
        )


@dataclass(frozen=True, slots=True)
class ClassMix:
    """Pictures by class, this week and before."""

    now: Mapping[str, int]
    then: Mapping[str, int]
    before: Before

    @property
    def distance(self) -> float:
        """Jensen-Shannon distance of the two mixes, 0 to 1."""
        return math.sqrt(max(0.0, _divergence(self.now, self.then, 0.5)))

    @property
    def is_chance(self) -> bool:
        """Could both be drawn from one mix? The G-test of homogeneity."""
        here, there = sum(self.now.values()), sum(self.then.values())
        together = here + there
        g = 2 * together * math.log(2) * _divergence(self.now, self.then, here / together)
        freedom = len({*self.now, *self.then}) - 1
        return freedom < 1 or _chi_square_z(g, freedom) <= Z

    def sentence(self) -> str | None:
        here, there = sum(self.now.values()), sum(self.then.values())
        if min(here, there) < LEAST or self.distance <= MIX_DISTANCE or self.is_chance:
            return None
        shares = {
            name: (self.now.get(name, 0) / here, self.then.get(name, 0) / there)
            for name in {*self.now, *self.then}
        }
        name, (share, old) = max(shares.items(), key=lambda one: (abs(one[1][0] - one[1][1]), one))
        return (
            f"This week's mix of classes is another one: {name} {share:.0%}, {old:.0%} "
            f"{_IN_WORDS[self.before]}; look through {name} and confirm what is right."
        )


@dataclass(frozen=True, slots=True)
class Distance:
    """How far this week's pictures are from the training pictures, in units of the limit beyond
    which a picture is unlike anything known."""

    median: float
    beyond: int
    of: int

    def sentence(self) -> str | None:
        if self.of < LEAST_MEASURED or wilson(self.beyond, self.of, Z).low <= FOREIGN_NOTABLE:
            return None
        return (
            f"{self.beyond / self.of:.0%} of this week's pictures are unlike anything the model "
            f"was trained on, {FOREIGN_EXPECTED:.0%} is usual; label some of `imgsort next`, then "
            f"retrain."
        )


@dataclass(frozen=True, slots=True)
class Drift:
    """The last seven days of one model; None where there is nothing to compare."""

    model: int
    judged: int
    unsure: UnsureRate | None
    mix: ClassMix | None
    distance: Distance | None

    @property
    def notable(self) -> tuple[str, ...]:
        """A sentence for each sign that can't be chance."""
        said = (sign.sentence() for sign in (self.unsure, self.mix, self.distance) if sign)
        return tuple(sentence for sentence in said if sentence)

    def as_dict(self) -> dict[str, Any]:
        unsure, mix, distance = self.unsure, self.mix, self.distance
        return {
            "model": self.model,
            "days": WEEK.days,
            "judged": self.judged,
            "unsure_rate": unsure and {
                "now": round(unsure.rate, 4),
                "before": round(unsure.before_unsure / unsure.before_of, 4),
                "rise_low": round(unsure.rise.low, 4),
                "rise_high": round(unsure.rise.high, 4),
                "compared_with": unsure.before,
            },
            "class_mix": mix and {
                "distance": round(mix.distance, 4),
                "now": dict(mix.now),
                "before": dict(mix.then),
                "compared_with": mix.before,
            },
            "embedding_distance": distance and {
                "median": round(distance.median, 4),
                "beyond_limit": distance.beyond,
                "of": distance.of,
            },
            "notable": list(self.notable),
        }  # fmt: skip

    def line(self) -> str:
        """The figures in one line, for people."""
        if self.unsure is None and self.mix is None and self.distance is None:
            return f"{self.judged:,} pictures judged this week: too few to compare"
        parts = []
        if self.unsure is not None:
            old = self.unsure.before_unsure / self.unsure.before_of
            when = "before" if self.unsure.before == "earlier" else "in its test"
            parts.append(f"unsure {self.unsure.rate:.0%} this week, {old:.0%} {when}")
        if self.mix is not None:
            alike = self.mix.is_chance or self.mix.distance <= MIX_DISTANCE
            parts.append(f"the mix of classes is {'much the same' if alike else 'another one'}")
        if self.distance is not None:
            parts.append(f"{self.distance.beyond / self.distance.of:.0%} unlike training")
        return ", ".join(parts)


def drift_of(store: Store, card: ModelCard, now: datetime | None = None) -> Drift:
    """Look at the last week. Raises what the store raises."""
    since = (now or datetime.now(UTC)) - WEEK
    this_week = Period(card.version, since=since)
    week = store.drift.judgements(this_week, MOST)
    if not week.total:
        return Drift(card.version, 0, None, None, None)
    earlier = store.drift.judgements(Period(card.version, until=since), MOST)
    unsure = mix = None
    if (tested := _holdout(card)) is not None:
        unsure = UnsureRate(week.unsure, week.total, *tested, "holdout")
    elif earlier.total >= LEAST:
        unsure = UnsureRate(week.unsure, week.total, earlier.unsure, earlier.total, "earlier")
    before: Before = "earlier"
    then: Mapping[str, int] = earlier.filed
    if sum(then.values()) < LEAST and card.kind != "imagenet":
        before = "labels"
        then = store.drift.labels_until(datetime.fromisoformat(card.created_at))
    if week.filed and sum(then.values()) >= LEAST:
        mix = ClassMix(week.filed, then, before)
    return Drift(card.version, week.total, unsure, mix, _distance(store, this_week))


def _holdout(card: ModelCard) -> tuple[int, int] | None:
    """How many pictures of its test the model was unsure of, and of how many."""
    training = card.training
    held_out, filed = training.held_out, training.new.filed
    if training.judged_on not in {"held-out", "representative"}:
        return None
    if held_out is None or filed is None:
        return None
    return (held_out - filed, held_out) if 0 <= filed <= held_out and held_out else None


def _distance(store: Store, week: Period) -> Distance | None:
    """None for a model that has seen no training here, and where it wasn't kept."""
    told = sorted(store.drift.unlikeness(week, MEASURED))
    if not told:
        return None
    middle = len(told) // 2
    return Distance((told[middle] + told[~middle]) / 2, sum(one > 1 for one in told), len(told))


def _divergence(one: Mapping[str, int], other: Mapping[str, int], weight: float) -> float:
    """Jensen-Shannon divergence in bits, ``one`` weighted ``weight``."""
    here, there = sum(one.values()), sum(other.values())
    bits = 0.0
    for name in {*one, *other}:
        p, q = one.get(name, 0) / here, other.get(name, 0) / there
        middle = weight * p + (1 - weight) * q
        bits += weight * p * math.log2(p / middle) if p else 0.0
        bits += (1 - weight) * q * math.log2(q / middle) if q else 0.0
    return bits


def _chi_square_z(statistic: float, freedom: int) -> float:
    """The normal deviate of a chi-square value; Wilson and Hilferty 1931."""
    spread = 2 / (9 * freedom)
    return float(((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))
