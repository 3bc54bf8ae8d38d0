"""Learned models as imgsort made them before ``learned_model``: they still load and serve.

A section of tensors is one head: ``classes`` (ids, in the order of its scores), ``temperature``,
and either the ``weight``, ``bias`` and ``groups`` of an ImageNet head, or dense ``layers.N``, which
may ask an older head, the section ``old.``:

- ``trust``: it advises. A few dozen labels don't outweigh the million pictures of an ImageNet head
  that happens to know these very classes; thousands do.
- ``kept`` and ``share``: classes with too few labels keep their old score. The old head settles
  between them and the learned ones: they get sigmoid(slope * odds + offset), or every picture of a
  class without labels would be put under one that has them.
- ``ceded`` and ``reach``: it has been told of learned classes it never heard of, under one name for
  all of them, or it would always say: mine. ``ceded`` is how much of each of its classes is really
  theirs, and what it leaves over speaks for them, up to ``reach``.

Nothing writes such models any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, Head, ImagenetHead, softmax
from imgsort.models.heads.learned import Novelty, Taught, unit
from imgsort.models.heads.learned_model import Tensors, layers_of, number_of
from imgsort.records.model_card import ModelCard
from imgsort.records.reasons import Reason
from imgsort.records.verdict import NOT_FILED_YET, UNLIKE

Floats = NDArray[np.float32]
OLD = "old."
_DOUBT = np.float32(1e-4)
"""What even a class that the old head rules out is given when it advises."""
_TINY = 1e-6


class EarlierHead:
    """Dense layers with a ReLU between them, softmax over a temperature, and an old head's say."""

    def __init__(self, section: Tensors, named: Callable[[int], str]) -> None:
        """Raises KeyError or ValueError where the section is no such head."""
        learned, before = [named(int(each)) for each in section["classes"]], below(OLD, section)
        self.temperature = number_of(section["temperature"])
        self._taught = Taught(1.0, layers_of(section))
        if self._taught.outputs() != len(learned):
            raise ValueError(f"{self._taught.outputs()} outputs don't fit {len(learned)} classes")
        if not (0 < self.temperature < float("inf")):
            raise ValueError(f"a temperature can't be {self.temperature}")
        self.classes = tuple(learned)
        self.old = head_of(before, named) if before else None
        self._trust = 0.0
        self._share: NDArray[np.float64] | None = None
        self._ceded: Floats | None = None
        if self.old is None:
            return
        if "trust" in section:
            self._trust = number_of(section["trust"])
            self._advising = [self.old.classes.index(name) for name in learned]
        if "kept" in section:
            self._keep(self.old, section, [named(int(each)) for each in section["kept"]])

    def _keep(self, old: Head, section: Tensors, kept: Sequence[str]) -> None:
        places = {name: at for at, name in enumerate(old.classes)}
        self._share = np.asarray(section["share"], np.float64).reshape(2)
        if "ceded" in section:
            self._ceded = ceded = np.asarray(section["ceded"], np.float32)
            self._reach = number_of(section["reach"])
            strange = [name for name in self.classes if name not in places]
            if not strange:
                raise ValueError("its old head knows every class already")
            if len(ceded) != len(places):
                raise ValueError(f"{len(ceded)} shares for {len(places)} old classes")
            places[strange[0]] = len(places)
        if not set(kept) <= places.keys() - set(self.classes):
            raise ValueError(f"{sorted(kept)} can't all be kept from {old.classes}")
        self._both = [places[name] for name in self.classes if name in places]
        self._kept = [places[name] for name in kept]
        self.classes = (*self.classes, *kept)

    def scores(self, embeddings: Floats) -> Floats:
        """[N, K] probabilities, learned classes first; a row sums to 1 unless nothing is kept."""
        logits = self._taught.logits(embeddings)
        asked = self.old is not None and (self._trust or self._share is not None)
        old = self.old.scores(embeddings) if self.old and asked else logits
        if self._trust:
            logits = logits + self._trust * np.log(old[:, self._advising] + _DOUBT)
        learned = softmax(np.asarray(logits / self.temperature, np.float32))
        return learned if self._share is None else self._beside_kept(learned, old, self._share)

    def _beside_kept(self, learned: Floats, old: Floats, share: NDArray[np.float64]) -> Floats:
        if self._ceded is not None:
            own = old * (1 - self._ceded)
            rest = np.clip(1 - own.sum(axis=1, keepdims=True), 0, self._reach)
            old = np.concatenate([own, rest], axis=1)
        kept, both = old[:, self._kept], old[:, self._both].sum(axis=1)
        odds = np.log(kept.sum(axis=1) + _TINY) - np.log(both + _TINY)
        strength = np.clip(float(share[0]) * odds + float(share[1]), -50, 50)
        of_kept = (1 / (1 + np.exp(-strength)))[:, None].astype(np.float32)
        among = kept / np.maximum(kept.sum(axis=1, keepdims=True), _TINY)
        return np.concatenate([(1 - of_kept) * learned, of_kept * among], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class AskingNovelty(Novelty):
    """Learned classes: what is like the pictures trained on. Where the old head is asked, only what
    that gives enough: alone, it leaves over what fits none of its classes."""

    old: Head
    asked: Mapping[int, tuple[int, float, Reason]]
    """Column -> the old head's column, what that must give at least, why not otherwise."""

    def doubts(
        self, embeddings: Floats, winners: NDArray[np.intp], unlikeness: Floats
    ) -> list[Reason | None]:
        """Per row, or None."""
        doubts = Novelty.doubts(self, embeddings, winners, unlikeness)
        rows = [row for row, winner in enumerate(winners) if int(winner) in self.asked]
        if rows:
            for row, scores in zip(rows, self.old.scores(embeddings[rows]), strict=True):
                column, least, reason = self.asked[int(winners[row])]
                if doubts[row] is None and scores[column] < least:
                    doubts[row] = reason
        return doubts


def known_of(section: Tensors, thresholds: Sequence[float]) -> Novelty | None:
    """What the model of these tensors may file; None for one that doesn't tell."""
    if "familiarity.references" not in section:
        return None
    references = unit(np.asarray(section["familiarity.references"], np.float32))
    known = (
        *(references, np.zeros(len(references), np.uint8)),
        int(number_of(section["familiarity.neighbours"])),
        number_of(section["familiarity.limit"]),
        len(section["classes"]),
    )
    before = below(OLD, section)
    if not before:
        return Novelty(*known)
    columns, olds = classes_of(section), classes_of(before)
    floors = np.asarray(section.get("floors", ()), np.float64)
    wanted = [(at, float(floor), UNLIKE) for at, floor in enumerate(floors) if floor > 0]
    for name, reason in (("kept", UNLIKE), ("unproven", NOT_FILED_YET)):
        places = [columns.index(int(number)) for number in section.get(name, ())]
        wanted += [(at, thresholds[at], reason) for at in places]
    asked = {at: (olds.index(columns[at]), least, reason) for at, least, reason in wanted}
    return AskingNovelty(*known, head_of(before, lambda number: f"/{number}"), asked)


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
    if "groups" not in section:
        return EarlierHead(section, named)
    return ImagenetHead(
        [named(int(number)) for number in section["classes"]],
        np.asarray(section["weight"], np.float32),
        np.asarray(section["bias"], np.float32),
        np.asarray(section["groups"], np.bool_),
        number_of(section["temperature"]),
    )


def earlier(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Classifier:
    """The classifier of a model of kind dense, its classes under their present names."""
    present = {entry.id: label for entry, label in zip(card.classes, labels, strict=True)}
    # An old head may have classes that are gone by now. No class can be called that.
    head = head_of(tensors, lambda number: present.get(number, f"/{number}"))
    if head.classes != labels:
        raise ValueError("its classes are not those of its card")
    return Classifier(head, card.thresholds, known_of(tensors, card.thresholds))
