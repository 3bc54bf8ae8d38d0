"""Is the challenger better than the champion? Pure: answers on the same pictures in, verdict out.

Three questions in turn, each with its bound: is it not worse on the classes that both know (where
there are new ones, it may lose less there than it surely gains), is it at least as good over all,
and is what it files not worse? Pictures count as often as their like
arrives (``imgsort.trainer.dataset.population``), and near-duplicates are one piece of evidence.

Every night another challenger knocks, and one that is worse gets in by chance if only it may try
often enough. So a champion has one budget of error for all its challengers: the first may use
``FIRST`` of it, each later one less than the one before, and together never more than ``BUDGET``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from imgsort.intervals import Z_90_ONE_SIDED, wilson

FEWEST = 20
"""Judged pictures below which nothing is promoted."""
FEW = 100
"""Below this a promotion is provisional."""
BUDGET, FIRST, SPENT = 0.10, 0.04, 0.15
"""Of a champion's challengers that are truly worse by more than the margin so many go live."""
FILED_LESS = 0.05
"""Pictures that may be filed rightly less, while the champion reaches the target."""
NAMED_FROM, NAMED_LOSS = 20, 0.03
"""A class with so many judged pictures is named when so many fewer of them are right."""
BEYOND_CHANCE = 3.0
"""Standard errors: one set of shuffled labels in 700. At 1.64 one in twenty passed, and some of
those passed the gate as well, whose pictures had the same labels."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What one model says of a picture."""

    label: str
    filed: bool


@dataclass(frozen=True, slots=True)
class Contest:
    """One picture under both models, neither of which has seen it."""

    truth: str
    champion: ModelAnswer
    challenger: ModelAnswer
    group: int
    """Near-duplicates and bursts share a group, being no independent evidence."""
    weight: float = 1.0
    """How many arrivals it stands for, on average 1."""


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """A class the challenger does worse on."""

    label: str
    images: int
    champion_right: int
    challenger_right: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A share under the challenger minus that under the champion."""

    estimate: float
    bound: float
    """The true difference lies above it, but for the error that this try may spend."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    promoted: bool
    provisional: bool
    images: int
    champion_right: int
    challenger_right: int
    tries: int
    """Challengers of this champion before, on much the same pictures."""
    common: Difference | None
    """Of right answers on the classes both know, as a share of all pictures; None where no picture
    is of one, so that nothing can be lost on them."""
    overall: Difference | None
    filed: Difference | None
    """Of pictures filed rightly."""
    losses: tuple[ClassLoss, ...]
    sentence: str
    """The outcome, why, and what to do next."""


def decide(
    contests: Sequence[Contest],
    champion_classes: frozenset[str],
    gate_margin: float,
    target_precision: float,
    tries: int = 0,
) -> GateVerdict:
    """``gate_margin`` is a share of pictures: 0.02 lets the bound fall two points below the
    champion. ``tries``: how many challengers of this champion there were before."""
    if len(contests) < FEWEST:
        return GateVerdict(
            False, False, len(contests), 0, 0, tries, None, None, None, (), _too_few(len(contests))
        )
    z = NormalDist().inv_cdf(1 - allowed_error(tries))
    before, after = (
        np.array([getattr(c, side).label == c.truth for c in contests], np.float64)
        for side in ("champion", "challenger")
    )
    both = np.array([contest.truth in champion_classes for contest in contests])
    common = difference(contests, (after - before) * both, z, both) if both.any() else None
    overall = difference(contests, after - before, z)
    filed_before, filed_after = (_filed(contests, side) for side in ("champion", "challenger"))
    filed = difference(contests, filed_after * after - filed_before * before, z)
    shortfall = (
        (_worse_on_common(common, overall, gate_margin) if common else None)
        or _worse_over_all(overall, gate_margin)
        or _files_worse(
            _Filed.of(filed_before, before), _Filed.of(filed_after, after), filed, target_precision
        )
        or _no_better(overall, filed)
    )
    verdict = GateVerdict(
        promoted=shortfall is None,
        provisional=shortfall is None and len(contests) < FEW,
        images=len(contests),
        champion_right=int(before.sum()),
        challenger_right=int(after.sum()),
        tries=tries,
        common=common,
        overall=overall,
        filed=filed,
        losses=_losses(contests, before, after),
        sentence="",
    )
    return replace(verdict, sentence=_sentence(verdict, shortfall))


def allowed_error(tries: int) -> float:
    """The share of worse challengers that may pass at this try: all of them sum up to BUDGET."""
    if not tries:
        return FIRST
    return (BUDGET - FIRST) * SPENT * (1 - SPENT) ** (tries - 1)


def difference(
    contests: Sequence[Contest],
    changes: Floats,
    z: float,
    possible: NDArray[np.bool_] | None = None,
) -> Difference:
    """The weighted mean of ``changes`` [N], each -1 to 1, and its lower bound at ``z`` errors.

    Groups vary, not pictures. One picture gained and one lost is added, as Agresti and Min (2005)
    do for paired shares: where nothing changed on few pictures, something might all the same.
    ``possible``: where anything could change at all; as much less is added.
    """
    weights = np.array([contest.weight for contest in contests], np.float64)
    groups = np.unique([contest.group for contest in contests], return_inverse=True)[1]
    total = weights.sum()
    mean = float((weights * changes).sum() / total)
    of_group = np.bincount(groups, weights * (changes - mean))
    effective = total**2 / float(np.square(np.bincount(groups, weights)).sum())
    variance = float(np.square(of_group).sum()) / total**2
    part = 1.0 if possible is None else float(np.average(possible, weights=weights))
    error = (variance + part / effective**2) ** 0.5
    return Difference(mean, mean * effective / (effective + 2) - z * error)


def learned_something(
    labels: Sequence[int] | NDArray[np.intp], answers: Sequence[int] | NDArray[np.intp]
) -> bool:
    """Do ``answers``, each given without having seen the picture, agree with ``labels`` more than
    chance would?

    Cohen's (1960) chance agreement, by both sides' own frequencies, and a one-sided bound around
    it. A model whose labels fail this knows only what the first one tells it.
    """
    given, said = np.asarray(labels), np.asarray(answers)
    classes = np.unique(np.concatenate([given, said]))
    chance = float(sum((given == one).mean() * (said == one).mean() for one in classes))
    spread = (chance * (1 - chance) / len(given)) ** 0.5
    return bool((given == said).mean() > chance + BEYOND_CHANCE * spread)


def unlearned(verdict: GateVerdict, images: int) -> GateVerdict:
    """The verdict on a model whose ``images`` labels taught it nothing: it never serves."""
    return replace(
        verdict,
        promoted=False,
        provisional=False,
        sentence=(
            f"The serving model stays: what the {images} labelled images look like says no more "
            f"about their labels than chance would; look through the suspected labels in `imgsort "
            f"report`, and correct them with `imgsort label`."
        ),
    )


@dataclass(frozen=True, slots=True)
class _Filed:
    """Pictures that a model files, and how many of them rightly."""

    images: int
    right: int

    @classmethod
    def of(cls, filed: Floats, right: Floats) -> "_Filed":
        return cls(int(filed.sum()), int((filed * right).sum()))

    @property
    def precision(self) -> float:
        return self.right / self.images if self.images else 0.0


def _filed(contests: Sequence[Contest], side: str) -> Floats:
    return np.array([getattr(contest, side).filed for contest in contests], np.float64)


def _worse_on_common(common: Difference, overall: Difference, margin: float) -> str | None:
    """A picture lost here may be made up for by a new class, ten of them may not."""
    return _worse("on the classes that both know", common, -margin, max(margin, overall.bound))


def _worse_over_all(overall: Difference, margin: float) -> str | None:
    return _worse("over all", overall, 0, margin)


def _worse(where: str, found: Difference, least: float, margin: float) -> str | None:
    if found.estimate < least:
        return f"{where} it is right on {_points(-found.estimate)} of 100 images fewer"
    if found.bound <= -margin:
        return (
            f"{where} it may by chance be right on {_points(-found.bound)} of 100 images fewer, "
            f"and {_points(margin)} are allowed"
        )
    return None


def _files_worse(before: _Filed, after: _Filed, found: Difference, target: float) -> str | None:
    wanted = min(target, before.precision)
    if after.images and wilson(after.right, after.images, Z_90_ONE_SIDED).high < wanted:
        return f"of what it files {after.precision:.0%} is right, and {wanted:.0%} were before"
    reached = wilson(before.right, before.images, Z_90_ONE_SIDED).high >= target
    if reached and found.estimate < -FILED_LESS:
        return f"it would file {_points(-found.estimate)} of 100 images fewer rightly"
    return None


def _no_better(overall: Difference, filed: Difference) -> str | None:
    if overall.estimate > 0 or filed.estimate > 0:
        return None
    return "it is right on as many images and files no more of them"


def _losses(contests: Sequence[Contest], before: Floats, after: Floats) -> tuple[ClassLoss, ...]:
    truths = np.array([contest.truth for contest in contests])
    found = []
    for label in sorted(set(truths.tolist())):
        own = truths == label
        images, was, now = int(own.sum()), int(before[own].sum()), int(after[own].sum())
        if images >= NAMED_FROM and was - now > NAMED_LOSS * images:
            found.append(ClassLoss(label, images, was, now))
    return tuple(sorted(found, key=lambda loss: loss.challenger_right - loss.champion_right))


def _too_few(images: int) -> str:
    return (
        f"The serving model stays: only {images} images have labels that speak for all your "
        f"images, {FEWEST} are needed; look through a class folder and `imgsort confirm` it, "
        f"or label images drawn at random with `imgsort audit`."
    )


def _points(share: float) -> str:
    """Of 100 images. What is not nothing never looks like nothing."""
    points = 100 * share
    return f"{points:.1f}" if abs(points) >= 0.1 or points == 0 else f"{points:.2g}"  # noqa: PLR2004


def _sentence(verdict: GateVerdict, shortfall: str | None) -> str:
    named = ", ".join(
        f"{loss.label} ({loss.challenger_right} of {loss.images} instead of {loss.champion_right})"
        for loss in verdict.losses
    )
    numbers = (
        f"right on {verdict.challenger_right} of {verdict.images} images that it hadn't seen, "
        f"the old one on {verdict.champion_right}"
    )
    if shortfall is None:
        worse = f"; it does worse on {named}, whose labels deserve a look" if named else ""
        return f"The new model serves: {numbers}{worse}."
    worse = f", worst for {named}" if named else ""
    return (
        f"The serving model stays: the new one is {numbers}, but {shortfall}{worse}; "
        f"label more images, or look in its report at what it gets wrong."
    )
