"""The model that serves, as the one to be beaten and to be learned from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from imgsort.classifier import Classifier
from imgsort.dense_model import OLD, Tensors, below, classes_of, head_section
from imgsort.modelcard import ModelCard


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """The model that serves."""

    card: ModelCard
    section: Tensors
    """Its head (``imgsort.dense_model``)."""
    classifier: Classifier
    confidence: float
    """From which on an ImageNet head files in this workspace."""

    @classmethod
    def of(
        cls, card: ModelCard, tensors: Tensors, classifier: Classifier, confidence: float
    ) -> Self:
        return cls(card, head_section(card, tensors), classifier, confidence)

    def keepable(self, learned: Collection[int], names: Mapping[int, str]) -> tuple[int, ...]:
        """Ids of the classes it knows that aren't learned anew and that still exist."""
        known = (entry.id for entry in self.card.classes)
        return tuple(number for number in known if number not in learned and number in names)

    def old(self, kept: Collection[int]) -> Tensors:
        """The head that knows the kept classes, and perhaps learned ones: the champion's own old
        one where that suffices, so that heads don't pile up from training to training."""
        old = below(OLD, self.section)
        return old if old and set(kept) <= set(classes_of(old)) else self.section

    def is_first_to_know(self, class_id: int) -> bool:
        """Whether the head that came with the backbone, under it all, knows a class."""
        first = below(OLD, self.section) or self.section
        return "groups" in first and class_id in classes_of(first)

    def threshold(self, class_id: int) -> float:
        """From which confidence on it files under a class."""
        if self.card.kind == "imagenet":
            return self.confidence
        ids = [entry.id for entry in self.card.classes]
        return self.card.thresholds[ids.index(class_id)]
