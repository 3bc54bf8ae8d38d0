"""Learned models as imgsort made them before ``learned_model``: they still load and serve.

A section of tensors is one head: ``classes`` (ids, in the order of its scores), ``temperature``,
and either the ``layers.N`` of a dense head or the ``weight``, ``bias`` and ``groups`` of an
ImageNet head. A dense head may ask an older one, the section ``old.``. Nothing writes such models
any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Head, ImagenetHead, softmax
from imgsort.models.heads.learned import DenseLayer, Novelty, unit
from imgsort.records.model_card import ModelCard
from imgsort.records.reasons import Reason
from imgsort.records.verdict import NOT_FILED_YET, UNLIKE

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[np.generic]]
OLD = "old."
_DOUBT = np.float32(1e-4)
_TINY = 1e-6


class DenseHead:
    """Dense layers with a ReLU between them, softmax over a temperature at the end.

    The nearest-mean head is one layer too: minus half the squared distance to a mean is linear but
    for a part that all classes share.
    """

    def __init__(
        self, classes: Sequence[str], layers: Sequence[DenseLayer], temperature: float = 1.0
    ) -> None:
        """Raises ValueError when the shapes don't fit each other or ``classes``."""
        widths = [layer.weight.shape for layer in layers]
        fit = all(layer.weight.shape[1:] == layer.bias.shape for layer in layers)
        chained = all(one[1] == two[0] for one, two in pairwise(widths))
        if not (layers and fit and chained and widths[-1][1] == len(classes)):
            raise ValueError(f"layers {widths} don't fit {len(classes)} classes")
        if not (0 < temperature < float("inf")):
            raise ValueError(f"a temperature can't be {temperature}")
        self.classes = tuple(classes)
        self.layers = tuple(
            DenseLayer(np.asarray(layer.weight, np.float32), np.asarray(layer.bias, np.float32))
            for layer in layers
        )
        self.temperature = temperature

    def logits(self, embeddings: Floats) -> Floats:
        """[N, D] -> [N, K], before the temperature."""
        values = np.asarray(embeddings, np.float32)[:, : len(self.layers[0].weight)]
        for number, layer in enumerate(self.layers):
            values = (np.maximum(values, 0) if number else values) @ layer.weight + layer.bias
        return values

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities that sum to 1."""
        return softmax(self.logits(embeddings) / self.temperature)


@dataclass(frozen=True, slots=True)
class KeptShare:
    """How much of the whole the kept classes get: sigmoid(slope * odds + offset).

    ``odds`` is the logarithm of what the old head gives the kept classes over what it gives the
    learned ones.
    """

    slope: float = 1.0
    offset: float = 0.0


class KeepingHead:
    """Learned classes beside those that have too few labels and keep their old score.

    The old head settles between the two kinds, the learned one among its own. Without this, every
    picture of a class without labels would be put under one that has them.
    """

    def __init__(
        self, learned: DenseHead, old: Head, kept: Sequence[str], share: KeptShare
    ) -> None:
        """``kept`` are classes of ``old`` that ``learned`` doesn't have; ValueError otherwise."""
        if not set(kept) <= set(old.classes) - set(learned.classes):
            raise ValueError(f"{sorted(kept)} can't all be kept from {old.classes}")
        self.learned, self.old, self.share = learned, old, share
        self.classes = (*learned.classes, *kept)
        self._kept = [old.classes.index(name) for name in kept]
        self._both = [old.classes.index(name) for name in learned.classes if name in old.classes]

    def odds(self, embeddings: Floats) -> Floats:
        """[N] log odds of the kept classes against the learned ones, by the old head alone."""
        old = self.old.scores(embeddings)
        kept, both = old[:, self._kept].sum(axis=1), old[:, self._both].sum(axis=1)
        odds: Floats = np.log(kept + _TINY) - np.log(both + _TINY)
        return odds

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities, learned classes first; a row sums to 1 unless nothing is kept."""
        strength = self.share.slope * self.odds(embeddings) + self.share.offset
        kept_share = (1 / (1 + np.exp(-np.clip(strength, -50, 50))))[:, None].astype(np.float32)
        old = self.old.scores(embeddings)[:, self._kept]
        among_kept = old / np.maximum(old.sum(axis=1, keepdims=True), _TINY)
        learned = self.learned.scores(embeddings)
        return np.concatenate([(1 - kept_share) * learned, kept_share * among_kept], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Ceded:
    """What an old head gives up to the newcomers: learned classes that it never heard of.

    Asked to settle between its own classes and those, it would always say: mine. What it says of
    the newcomers' own pictures tells how much of each of its classes is really theirs.
    """

    shares: Floats
    """[K]: of each old class."""
    reach: float
    """How much of the whole it may still claim, nearly, of a newcomer's picture; so much of what
    it leaves over speaks for a newcomer, and no more."""


class Introduced:
    """An old head that has been told of the newcomers, under one name for all of them."""

    def __init__(self, old: Head, name: str, ceded: Ceded) -> None:
        """Raises ValueError where ``ceded`` doesn't fit the old head."""
        if len(ceded.shares) != len(old.classes):
            raise ValueError(f"{len(ceded.shares)} shares for {len(old.classes)} old classes")
        self.classes = (*old.classes, name)
        self.old, self.ceded = old, ceded

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K + 1]"""
        own = self.old.scores(embeddings) * (1 - self.ceded.shares)
        rest = np.clip(1 - own.sum(axis=1, keepdims=True), 0, self.ceded.reach)
        return np.concatenate([own, rest], axis=1)


class Advised:
    """A dense head that listens to an old one on the classes both know.

    A few dozen labels don't outweigh the million pictures of an ImageNet head that happens to know
    these very classes; thousands do, and then the trust that is measured is none.
    """

    def __init__(self, learned: DenseHead, old: Head, trust: float) -> None:
        """Raises ValueError where the old head doesn't know every learned class."""
        self.classes = learned.classes
        self.learned, self.old, self.trust = learned, old, trust
        self._columns = [old.classes.index(name) for name in learned.classes]

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities that sum to 1."""
        advice = advice_of(self.old.scores(embeddings)[:, self._columns])
        logits = self.learned.logits(embeddings) + self.trust * advice
        return softmax(np.asarray(logits / self.learned.temperature, np.float32))


def advice_of(scores: Floats) -> Floats:
    """What an old head's scores add to the logits; even what it rules out is not impossible."""
    return np.asarray(np.log(scores + _DOUBT), np.float32)


@dataclass(frozen=True, slots=True)
class Asked:
    """A class that is filed only where the old head gives it enough."""

    column: int
    old: int
    """Its column in the old head."""
    least: float
    doubt: Reason
    """Why not, otherwise."""


class Known:
    """What a model may file.

    Learned classes: what is like the pictures it was trained on. Where the old head is asked, only
    what that gives enough: alone, it leaves over what fits none of its classes.
    """

    def __init__(
        self, familiarity: Novelty, learned: int, old: Head | None, asked: Sequence[Asked]
    ) -> None:
        """``learned``: how many columns are; they come first."""
        self._familiarity, self._learned, self._old = familiarity, learned, old
        self._asked = {each.column: each for each in asked}

    def unlikeness(self, embeddings: Floats) -> Floats:
        """[N] in units of the limit."""
        return self._familiarity.unlikeness(embeddings)

    def doubts(
        self, embeddings: Floats, winners: NDArray[np.intp], unlikeness: Floats
    ) -> list[Reason | None]:
        """Per row, or None."""
        foreign = (unlikeness > 1) & (winners < self._learned)
        doubts: list[Reason | None] = [UNLIKE if strange else None for strange in foreign]
        rows = [row for row, winner in enumerate(winners) if int(winner) in self._asked]
        if self._old is None or not rows:
            return doubts
        for row, scores in zip(rows, self._old.scores(embeddings[rows]), strict=True):
            asked = self._asked[int(winners[row])]
            if doubts[row] is None and scores[asked.old] < asked.least:
                doubts[row] = asked.doubt
        return doubts


def known_of(section: Tensors, thresholds: Sequence[float]) -> Known | None:
    """What the model of these tensors may file; None for one that doesn't tell."""
    familiarity = familiarity_of(section)
    if familiarity is None:
        return None
    before = below(OLD, section)
    old = head_of(before, lambda number: f"/{number}") if before else None
    columns, known = classes_of(section), classes_of(before)
    asked = [
        Asked(at, known.index(columns[at]), float(floor), UNLIKE)
        for at, floor in enumerate(np.asarray(section.get("floors", ()), np.float64))
        if floor > 0
    ]
    for name, doubt in (("kept", UNLIKE), ("unproven", NOT_FILED_YET)):
        at_each = [columns.index(int(number)) for number in section.get(name, ())]
        asked += [Asked(at, known.index(columns[at]), thresholds[at], doubt) for at in at_each]
    return Known(familiarity, len(section["classes"]), old, asked)


def below(prefix: str, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
    """The section that ``prefix`` leads to."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def classes_of(section: Tensors) -> tuple[int, ...]:
    """The ids of every class a section's head scores, kept ones last."""
    return tuple(int(number) for name in ("classes", "kept") for number in section.get(name, ()))


def head_of(section: Tensors, named: Callable[[int], str]) -> Head:
    """The head of a section. Raises KeyError or ValueError where it is none."""
    names = [named(int(number)) for number in section["classes"]]
    temperature = _number(section["temperature"])
    if "groups" in section:
        return ImagenetHead(
            names,
            np.asarray(section["weight"], np.float32),
            np.asarray(section["bias"], np.float32),
            np.asarray(section["groups"], np.bool_),
            temperature,
        )
    learned: DenseHead | Advised = DenseHead(names, _layers(section), temperature)
    before = below(OLD, section)
    if not before:
        return learned
    old = head_of(before, named)
    if "trust" in section and isinstance(learned, DenseHead):
        learned = Advised(learned, old, _number(section["trust"]))
    if "kept" not in section:
        return learned
    slope, offset = (float(number) for number in np.asarray(section["share"], np.float64))
    kept = [named(int(number)) for number in section["kept"]]
    if "ceded" in section:
        shares = np.asarray(section["ceded"], np.float32)
        ceded = Ceded(shares, _number(section["reach"]))
        old = introduced(old, learned.classes, ceded)
    # KeepingHead asks of the learned head what Advised has as well: its classes and scores.
    return KeepingHead(cast(DenseHead, learned), old, kept, KeptShare(slope, offset))


def introduced(old: Head, learned: Sequence[str], ceded: Ceded) -> Introduced:
    """Raises ValueError where the old head knows every learned class."""
    strange = [name for name in learned if name not in old.classes]
    if not strange:
        raise ValueError("its old head knows every class already")
    return Introduced(old, strange[0], ceded)


def dense(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Head:
    """The head of a model of kind dense, its classes under their present names."""
    present = {entry.id: label for entry, label in zip(card.classes, labels, strict=True)}
    # An old head may have classes that are gone by now. No class can be called that.
    head = head_of(tensors, lambda number: present.get(number, f"/{number}"))
    if head.classes != labels:
        raise ValueError("its classes are not those of its card")
    return head


def familiarity_of(tensors: Tensors) -> Novelty | None:
    """What the model was trained on; None for one that doesn't tell."""
    if "familiarity.references" not in tensors:
        return None
    references = unit(np.asarray(tensors["familiarity.references"], np.float32))
    return Novelty(
        references,
        np.zeros(len(references), np.uint8),
        int(_number(tensors["familiarity.neighbours"])),
        _number(tensors["familiarity.limit"]),
        len(tensors["classes"]),
    )


def _layers(section: Tensors) -> list[DenseLayer]:
    found: list[DenseLayer] = []
    while (weight := section.get(f"layers.{len(found)}.weight")) is not None:
        bias = np.asarray(section[f"layers.{len(found)}.bias"], np.float32)
        found.append(DenseLayer(np.asarray(weight, np.float32), bias))
    return found


def _number(tensor: NDArray[np.generic]) -> float:
    """The one number of a tensor [1]. Raises ValueError where it holds another count."""
    return float(np.asarray(tensor, np.float64).item())
