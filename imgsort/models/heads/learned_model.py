"""A learned model as tensors in a file: written by the trainer, opened by the registry.

Classes are ids throughout, so that a rename touches no model. Besides the head that serves there
are ``fold.0.`` to ``fold.4.``, each trained without one fold of the labelled pictures, and
``seen.*``, which says in which fold each of them was: so any picture can be judged by a head that
hasn't seen it, today and against a later model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.models.heads.learned import DenseLayer, LearnedHead, Novelty, Prior, Taught, unit
from imgsort.records.model_card import ModelCard

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class FirstModel:
    """The ImageNet head that came with the backbone, as part of a learned model."""

    ids: tuple[int, ...]
    """Its classes."""
    weight: Floats
    """[D, 1000]"""
    bias: Floats
    """[1000]"""
    groups: NDArray[np.bool_]
    """[K, 1000]"""
    temperature: float

    @classmethod
    def of(cls, card: ModelCard, tensors: Tensors) -> Self | None:
        """From a published model without labels; None for one that knows nothing."""
        if not card.classes:
            return None
        return cls._opened(tensors, "", [entry.id for entry in card.classes], card.temperature)

    @classmethod
    def within(cls, tensors: Tensors, prefix: str) -> Self | None:
        """From a learned model; None where that has none."""
        if f"{prefix}groups" not in tensors:
            return None
        ids = [int(number) for number in tensors[f"{prefix}classes"]]
        return cls._opened(tensors, prefix, ids, number_of(tensors[f"{prefix}temperature"]))

    @classmethod
    def _opened(cls, tensors: Tensors, prefix: str, ids: Sequence[int], temperature: float) -> Self:
        return cls(
            tuple(ids),
            np.asarray(tensors[f"{prefix}weight"], np.float32),
            np.asarray(tensors[f"{prefix}bias"], np.float32),
            np.asarray(tensors[f"{prefix}groups"], np.bool_),
            temperature,
        )

    @property
    def known(self) -> tuple[int, ...]:
        """Its classes that stand for something; a word may stand for nothing yet."""
        return tuple(number for number, own in zip(self.ids, self.groups, strict=True) if own.any())

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        return {
            "prior.classes": np.array(self.ids, np.int64),
            "prior.weight": self.weight,
            "prior.bias": self.bias,
            "prior.groups": self.groups,
            "prior.temperature": np.array([self.temperature], np.float64),
        }


def prior_of(first: FirstModel | None, class_ids: Sequence[int]) -> Prior:
    """What the first model says of these classes."""
    if first is None:
        return Prior(None, [None] * len(class_ids))
    place = {number: at for at, number in enumerate(first.ids)}
    known = set(first.known)
    wanted = [number for number in class_ids if number in known]
    head = ImagenetHead(
        [f"/{number}" for number in wanted],
        first.weight,
        first.bias,
        first.groups[[place[number] for number in wanted]],
        first.temperature,
    )
    columns = {number: at for at, number in enumerate(wanted)}
    return Prior(head, [columns.get(number) for number in class_ids])


@dataclass(frozen=True, slots=True, eq=False)
class LearnedModel:
    """A trained model: the head that serves, those that judge, and what they were trained on."""

    class_ids: tuple[int, ...]
    """In the order of the scores, the labelled ones first."""
    first: FirstModel | None
    taught: Taught
    folds: tuple[Taught, ...]
    """Each trained without one fold."""
    temperature: float
    novelty: Novelty
    seen: Mapping[str, int]
    """sha256 of every picture trained on -> its fold."""

    def head(self, names: Sequence[str], fold: int | None = None) -> LearnedHead:
        """The head that serves, or the one that hasn't seen a fold. ``names`` are the classes'."""
        taught = self.taught if fold is None else self.folds[fold]
        return LearnedHead(names, prior_of(self.first, self.class_ids), taught, self.temperature)

    def classifier(
        self, names: Sequence[str], thresholds: Sequence[float], fold: int | None = None
    ) -> Classifier:
        """The whole model, or what it is to a picture of a fold."""
        novelty = self.novelty if fold is None else self.novelty.without(fold)
        return Classifier(self.head(names, fold), thresholds, novelty)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Folds and references are rounded to float16: scores change in the third decimal."""
        tensors: dict[str, NDArray[np.generic]] = {
            "classes": np.array(self.class_ids, np.int64),
            "temperature": np.array([self.temperature], np.float64),
            **_taught_tensors("", self.taught, np.float32),
            "novelty.references": self.novelty.references.astype(np.float16),
            "novelty.folds": self.novelty.folds.astype(np.uint8),
            "novelty.neighbours": np.array([self.novelty.neighbours], np.int64),
            "novelty.limit": np.array([self.novelty.limit], np.float64),
            "seen.sha256": np.frombuffer(
                b"".join(bytes.fromhex(sha256) for sha256 in self.seen), np.uint8
            ).reshape(-1, 32),
            "seen.folds": np.array(list(self.seen.values()), np.uint8),
        }
        for number, taught in enumerate(self.folds):
            tensors |= _taught_tensors(f"fold.{number}.", taught, np.float16)
        return tensors | ({} if self.first is None else self.first.tensors())

    @classmethod
    def opened(cls, tensors: Tensors) -> Self:
        """Raises KeyError or ValueError where the tensors are no such model."""
        class_ids = tuple(int(number) for number in tensors["classes"])
        taught = _taught("", tensors)
        folds = tuple(_taught(f"fold.{number}.", tensors) for number in range(FOLDS))
        labelled = taught.layers[-1].weight.shape[1]
        seen = np.asarray(tensors["seen.sha256"], np.uint8)
        in_fold = np.asarray(tensors["seen.folds"], np.uint8)
        references = np.asarray(tensors["novelty.references"], np.float32)
        of_reference = np.asarray(tensors["novelty.folds"], np.uint8)
        if len(references) != len(of_reference) or not len(references) or len(seen) != len(in_fold):
            raise ValueError("its references or pictures and their folds don't match")
        return cls(
            class_ids=class_ids,
            first=FirstModel.within(tensors, "prior."),
            taught=taught,
            folds=folds,
            temperature=number_of(tensors["temperature"]),
            novelty=Novelty(
                unit(references),
                of_reference,
                int(number_of(tensors["novelty.neighbours"])),
                number_of(tensors["novelty.limit"]),
                labelled,
            ),
            seen={row.tobytes().hex(): int(k) for row, k in zip(seen, in_fold, strict=True)},
        )


def learned(card: ModelCard, labels: tuple[str, ...], tensors: Tensors) -> Classifier:
    """The classifier of a model of kind learned, its classes under their present names."""
    model = LearnedModel.opened(tensors)
    if model.class_ids != tuple(entry.id for entry in card.classes):
        raise ValueError("its classes are not those of its card")
    return model.classifier(labels, card.thresholds)


def _taught_tensors(
    prefix: str, taught: Taught, kind: type[np.float16] | type[np.float32]
) -> dict[str, NDArray[np.generic]]:
    tensors: dict[str, NDArray[np.generic]] = {
        f"{prefix}strength": np.array([taught.strength], np.float64)
    }
    for number, layer in enumerate(taught.layers):
        tensors[f"{prefix}layers.{number}.weight"] = np.asarray(layer.weight, kind)
        tensors[f"{prefix}layers.{number}.bias"] = np.asarray(layer.bias, kind)
    return tensors


def _taught(prefix: str, tensors: Tensors) -> Taught:
    return Taught(number_of(tensors[f"{prefix}strength"]), layers_of(tensors, prefix))


def layers_of(tensors: Tensors, prefix: str = "") -> tuple[DenseLayer, ...]:
    """The first to the last. Raises ValueError for none, KeyError for a layer without bias."""
    found: list[DenseLayer] = []
    while (weight := tensors.get(f"{prefix}layers.{len(found)}.weight")) is not None:
        bias = np.asarray(tensors[f"{prefix}layers.{len(found)}.bias"], np.float32)
        found.append(DenseLayer(np.asarray(weight, np.float32), bias))
    if not found:
        raise ValueError("it has no layers")
    return tuple(found)


def number_of(tensor: NDArray[np.generic]) -> float:
    """The one number of a tensor [1]. Raises ValueError where it holds another count."""
    return float(np.asarray(tensor, np.float64).item())
