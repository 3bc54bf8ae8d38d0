"""The model that serves, as the one to be beaten: what it says of pictures it hasn't seen."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier
from imgsort.models.heads.learned_model import FOLDS, FirstModel, LearnedModel, Tensors
from imgsort.records.model_card import ModelCard
from imgsort.records.verdict import Verdict
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.split import LabelledImage, blind_fold

_BY_EVERY_HEAD = FOLDS
"""The "fold" of what a model of an earlier program was trained on: none of its heads is blind."""


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """The model that serves."""

    card: ModelCard
    classifier: Classifier
    blind: tuple[Classifier, ...]
    """One for each fold, which hasn't seen it; none where the model has no such heads."""
    seen: Mapping[str, int]
    """sha256 of what it was trained on -> the fold."""
    first: FirstModel | None
    """The model without labels under it all."""
    confidence: float
    """From which on that one files in this workspace."""
    floor: float = 0.0
    """Below it no model files anything in this workspace."""

    @classmethod
    def of(
        cls,
        card: ModelCard,
        tensors: Tensors,
        classifier: Classifier,
        confidence: float,
        first: FirstModel | None,
    ) -> Self:
        """``first`` is looked at only where the model doesn't hold it itself."""
        if card.kind != "learned":
            own = FirstModel.of(card, tensors) if card.kind == "imagenet" else first
            return cls(card, classifier, (), {}, own, confidence)
        model, cuts = LearnedModel.opened(tensors), classifier.thresholds.tolist()
        blind = tuple(model.classifier(classifier.classes, cuts, fold) for fold in range(FOLDS))
        return cls(card, classifier, blind, model.seen, model.first, confidence)

    def having_seen(self, sha256s: Collection[str]) -> Self:
        """The same, if it is of an earlier program and was trained on these."""
        if self.card.kind in {"learned", "imagenet"}:
            return self
        return replace(self, seen=dict.fromkeys(sha256s, _BY_EVERY_HEAD))

    def unlabelled(self, labelled: Collection[int], names: Mapping[int, str]) -> tuple[int, ...]:
        """Ids of its classes that still exist, have no label, and are known to the first model."""
        known = set() if self.first is None else set(self.first.known)
        return tuple(
            entry.id
            for entry in self.card.classes
            if entry.id in names and entry.id in known and entry.id not in labelled
        )

    def judge(
        self, material: Material, pictures: Sequence[LabelledImage], near: Mapping[str, set[str]]
    ) -> list[Verdict | None]:
        """What it says of each picture without having seen it or one ``near`` it; None where all
        its heads have."""
        folds = [blind_fold(near[picture.sha256], self.seen) for picture in pictures]
        rows = material.rows(pictures)
        verdicts: list[Verdict | None] = [None] * len(pictures)
        for fold, judge in self._judges():
            own = [at for at, met in enumerate(folds) if met == fold]
            for at, verdict in zip(own, _judged(judge, rows[own]), strict=True):
                verdicts[at] = verdict
        return verdicts

    def _judges(self) -> Iterator[tuple[int, Classifier]]:
        yield -1, self.classifier
        yield from enumerate(self.blind)


def _judged(classifier: Classifier, rows: NDArray[np.float32]) -> list[Verdict]:
    return classifier.judge(rows, 1) if len(rows) else []
