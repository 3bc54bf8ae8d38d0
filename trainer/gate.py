"""Is the challenger better than the champion? Pure: answers on the same pictures in, verdict out.

Macro F1 is averaged over the classes that some held-out picture truly is of: a class without one
bears no witness for either model. A picture whose class the champion doesn't know counts as the
champion's error, and is also shown apart.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FEWEST = 30
"""Representative held-out pictures below which nothing is promoted."""
FEW = 100
"""Below this the challenger must be truly ahead, and its promotion is provisional."""
NAMED_FROM, NAMED_LOSS = 20, 0.03
"""A class with so many held-out pictures is named when it loses more F1 than this."""
RESAMPLES = 2_000
LOWER = 0.10
"""The one-sided 90 % bound."""

ONE_SIDED = 1.64
"""Standard errors, 95 %."""

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contest:
    """One held-out picture under both models."""

    truth: str
    champion: str
    """Top-1 label, whatever its confidence."""
    challenger: str
    group: int
    """Near-duplicates and bursts share a group: they are drawn together, being no independent
    evidence."""


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """A class the challenger does worse on."""

    label: str
    images: int
    champion_f1: float
    challenger_f1: float


@dataclass(frozen=True, slots=True)
class NewToChampion:
    """Held-out pictures of classes that the champion doesn't know."""

    images: int
    challenger_right: int
    difference_without: float | None
    """Challenger's macro F1 minus the champion's over all others; None if there are none."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    promoted: bool
    provisional: bool
    images: int
    champion_f1: float
    challenger_f1: float
    lower_bound: float
    """90 % lower bound of the challenger's macro F1 minus the champion's; 0 when not computed."""
    losses: tuple[ClassLoss, ...]
    new_to_champion: NewToChampion | None
    sentence: str
    """The outcome, why, and what to do next."""


def decide(
    contests: Sequence[Contest],
    champion_classes: Collection[str],
    gate_margin: float,
    seed: int = 0,
) -> GateVerdict:
    """``gate_margin`` is a share of F1: 0.02 lets the bound fall two points below the champion."""
    if len(contests) < FEWEST:
        return GateVerdict(False, False, len(contests), 0, 0, 0, (), None, _too_few(len(contests)))
    labels, counts = _counts(contests)
    everything = np.ones((1, len(contests)))
    champion, challenger = (_f1(column, everything) for column in counts)
    difference = float(np.nanmean(challenger) - np.nanmean(champion))
    bound = _lower_bound(contests, counts, seed)
    few = len(contests) < FEW
    ahead = difference > 0 if few else difference >= 0
    promoted = ahead and bound > -gate_margin
    losses = _losses(labels, counts[0], champion[0], challenger[0])
    champion_f1, challenger_f1 = float(np.nanmean(champion)), float(np.nanmean(challenger))
    return GateVerdict(
        promoted=promoted,
        provisional=promoted and few,
        images=len(contests),
        champion_f1=champion_f1,
        challenger_f1=challenger_f1,
        lower_bound=bound,
        losses=losses,
        new_to_champion=_new_to_champion(contests, champion_classes),
        sentence=_sentence(
            f"macro F1 {challenger_f1:.3f} against {champion_f1:.3f} "
            f"on {len(contests)} held-out images",
            None if promoted else _shortfall(difference, bound, gate_margin, few=few),
            losses,
        ),
    )


def learned_something(
    labels: Sequence[int] | NDArray[np.intp], answers: Sequence[int] | NDArray[np.intp]
) -> bool:
    """Do ``answers``, each given without having seen the picture, agree with ``labels`` more than
    chance would?

    Cohen's (1960) chance agreement, by both sides' own frequencies, and the one-sided 95 % bound
    around it. A model whose labels fail this knows only what an older head tells it.
    """
    given, said = np.asarray(labels), np.asarray(answers)
    classes = np.unique(np.concatenate([given, said]))
    chance = float(sum((given == one).mean() * (said == one).mean() for one in classes))
    spread = (chance * (1 - chance) / len(given)) ** 0.5
    return bool((given == said).mean() > chance + ONE_SIDED * spread)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """One model's answers as indicators [N, K] over the true classes."""

    truth: Counts
    predicted: Counts


def _counts(contests: Sequence[Contest]) -> tuple[tuple[str, ...], tuple[_Column, _Column]]:
    labels = tuple(sorted({contest.truth for contest in contests}))
    truth = _indicators([contest.truth for contest in contests], labels)
    return labels, (
        _Column(truth, _indicators([contest.champion for contest in contests], labels)),
        _Column(truth, _indicators([contest.challenger for contest in contests], labels)),
    )


def _indicators(answers: Sequence[str], labels: Sequence[str]) -> Counts:
    return np.array([[answer == label for label in labels] for answer in answers], np.float64)


def _f1(column: _Column, drawn: Counts) -> Counts:
    """[B, K] F1 when each picture counts ``drawn`` [B, N] times; NaN for a class not drawn."""
    hits = drawn @ (column.truth * column.predicted)
    true, predicted = drawn @ column.truth, drawn @ column.predicted
    return np.where(true > 0, 2 * hits / np.maximum(true + predicted, 1), np.nan)


def _lower_bound(contests: Sequence[Contest], counts: tuple[_Column, _Column], seed: int) -> float:
    """Paired bootstrap: the same groups are drawn with replacement for both models."""
    groups, of_picture = np.unique([contest.group for contest in contests], return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), RESAMPLES)
    weights = drawn[:, of_picture].astype(np.float64)
    champion, challenger = (_f1(column, weights) for column in counts)
    differences = np.nanmean(challenger, axis=1) - np.nanmean(champion, axis=1)
    return float(np.quantile(differences, LOWER))


def _losses(
    labels: Sequence[str], column: _Column, champion: Counts, challenger: Counts
) -> tuple[ClassLoss, ...]:
    images = column.truth.sum(axis=0)
    found = [
        ClassLoss(label, int(images[at]), float(champion[at]), float(challenger[at]))
        for at, label in enumerate(labels)
        if images[at] >= NAMED_FROM and champion[at] - challenger[at] > NAMED_LOSS
    ]
    return tuple(sorted(found, key=lambda loss: loss.challenger_f1 - loss.champion_f1))


def _new_to_champion(
    contests: Sequence[Contest], champion_classes: Collection[str]
) -> NewToChampion | None:
    new = [contest for contest in contests if contest.truth not in champion_classes]
    if not new:
        return None
    rest = [contest for contest in contests if contest.truth in champion_classes]
    without = None
    if rest:
        _, counts = _counts(rest)
        champion, challenger = (_f1(column, np.ones((1, len(rest)))) for column in counts)
        without = float(challenger.mean() - champion.mean())
    return NewToChampion(len(new), sum(each.challenger == each.truth for each in new), without)


def _too_few(images: int) -> str:
    return (
        f"The serving model stays: only {images} held-out images have labels that speak for all "
        f"your images, {FEWEST} are needed; look through a class folder and `imgsort confirm` it, "
        f"or label images drawn at random with `imgsort audit`."
    )


def _shortfall(difference: float, bound: float, margin: float, *, few: bool) -> str:
    """Which rule wasn't met, and by how much."""
    if difference < 0:
        return f"{_points(-difference)} points lower"
    if few and difference == 0:
        return f"not higher, as it must be on fewer than {FEW}"
    return (
        f"{_points(difference)} points higher, but by chance it may be {_points(-bound)} points "
        f"lower, and {_points(margin)} are allowed"
    )


def _points(share: float) -> str:
    """Points of F1. One that is not nothing never looks like nothing."""
    points = 100 * share
    return f"{points:.1f}" if abs(points) >= 0.1 or points == 0 else f"{points:.2g}"  # noqa: PLR2004


def _sentence(numbers: str, shortfall: str | None, losses: Sequence[ClassLoss]) -> str:
    named = ", ".join(
        f"{loss.label} ({loss.champion_f1:.3f} to {loss.challenger_f1:.3f})" for loss in losses
    )
    if shortfall is None:
        worse = f"; it does worse on {named}, whose labels deserve a look" if losses else ""
        return f"The new model serves: {numbers}{worse}."
    worse = f", worst on {named}" if losses else ""
    return (
        f"The serving model stays: the new one has {numbers}, {shortfall}{worse}; "
        f"label more images, or see in `imgsort report` what it gets wrong."
    )
