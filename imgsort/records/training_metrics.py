"""What a training says of the model it made: the ``metrics`` of its model.json."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from imgsort.records.tolerant import read_as

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What one model did with the pictures of the test; None where a version didn't say."""

    accuracy: float | None = None
    """Of all that arrives; the rest is counted on the judged pictures."""
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    right: int | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    ece: float | None = None
    filed: int | None = None
    filed_right: int | None = None


@dataclass(frozen=True, slots=True)
class GateWord:
    """Whether the model may serve, and why."""

    promoted: bool = False
    provisional: bool = False
    forced: bool = False
    lower_bound: float | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class TrainingMetrics:
    """All None for a model that no training made."""

    trained_on: str | None = None
    """A hash of labels and settings: the same again would come to the same."""
    labels: int | None = None
    labels_of: Mapping[int, int] = field(default_factory=dict)
    """By class id."""
    held_out: int | None = None
    """Pictures of the test."""
    augmented_views: int | None = None
    recipe: str | None = None
    target_precision: float | None = None
    judged_on: str | None = None
    new: ModelFigures = ModelFigures()
    before: ModelFigures = ModelFigures()
    gate: GateWord = GateWord()

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Self:
        """Of a card of whichever version."""
        return read_as(cls, metrics)

    def as_json(self) -> "dict[str, JsonValue]":
        labels_of = {str(number): self.labels_of[number] for number in sorted(self.labels_of)}
        return {**asdict(self), "labels_of": labels_of}
