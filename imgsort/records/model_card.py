"""What a model version is: its card (model.json) and the draft it is published from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import ConfigDict, JsonValue, TypeAdapter, ValidationError

from imgsort.errors import BadLabel
from imgsort.records.training_metrics import TrainingMetrics
from imgsort.records.verdict import NEVER
from imgsort.workspace.class_names import checked_label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = 1
"""Of model.json; a file with a higher one was written by a newer imgsort."""
DEFAULT_CONFIDENCE = 0.7


class CardError(Exception):
    """A model.json that isn't what was published; ``str()`` says why, as part of a sentence."""


@dataclass(frozen=True)
class ClassEntry:
    """A class as a model refers to it: a rename changes the table, never the model."""

    id: int
    """Of the ``classes`` table."""
    name: str
    """What it was called when the model was published."""


@dataclass(frozen=True)
class ModelCard:
    """model.json: everything about a version but its numbers."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    version: int
    kind: str
    backbone: str
    backbone_id: str
    precision: str
    classes: tuple[ClassEntry, ...]
    temperature: float
    thresholds: tuple[float, ...]
    metrics: dict[str, JsonValue]
    """As the version wrote them that made it; ``training`` has them typed."""
    parent: int | None
    created_at: str
    """ISO 8601, UTC."""
    checksums: dict[str, str]
    """File name in the version's folder -> hex SHA-256."""

    def __post_init__(self) -> None:
        """Raise ValueError where fields contradict each other."""
        if len(self.thresholds) != len(self.classes):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.classes)} classes")
        if len({entry.id for entry in self.classes}) != len(self.classes):
            raise ValueError("a class is listed twice")
        if any(entry.id < 1 for entry in self.classes):
            raise ValueError("a class has no id")
        for entry in self.classes:  # it becomes a folder, and is shown in terminals
            if checked_label(entry.name) != entry.name:
                raise ValueError(f"{entry.name!r} can't be a class name")
        if datetime.fromisoformat(self.created_at).tzinfo is None:
            raise ValueError("created_at has no time zone")

    @property
    def training(self) -> TrainingMetrics:
        return TrainingMetrics.of(self.metrics)

    def summary(self) -> dict[str, JsonValue]:
        """The line `models list` shows."""
        return {
            "version": self.version,
            "kind": self.kind,
            "backbone": self.backbone,
            "precision": self.precision,
            "classes": len(self.classes),
            "parent": self.parent,
            "created_at": self.created_at,
        }

    def detail(self) -> dict[str, JsonValue]:
        """What `models show` says beyond the summary."""
        return {
            "backbone_id": self.backbone_id,
            "temperature": self.temperature,
            "thresholds": {
                entry.name: None if threshold == NEVER else threshold
                for entry, threshold in zip(self.classes, self.thresholds, strict=True)
            },
            "metrics": self.metrics,
            "checksums": dict(self.checksums),
        }


@dataclass(frozen=True, eq=False)
class ModelDraft:
    """A model to be published; the registry adds version, time and checksums."""

    kind: str
    backbone: str
    backbone_id: str
    precision: str
    classes: tuple[ClassEntry, ...]
    thresholds: tuple[float, ...]
    tensors: "Mapping[str, NDArray[Any]]"
    temperature: float = 1.0
    metrics: dict[str, JsonValue] = field(default_factory=dict)
    parent: int | None = None

    @classmethod
    def imagenet(
        cls,
        backbone: str,
        backbone_id: str,
        classes: Sequence[ClassEntry],
        head: "tuple[NDArray[np.float32], NDArray[np.float32]] | None",
        groups: "NDArray[np.bool_] | None" = None,
    ) -> Self:
        """The model that works without a label.

        ``head`` is weight [D, 1000] and bias [1000]; None (weights without the classification top)
        makes a model that knows no class. ``groups`` [K, 1000] None means one class each.
        """
        import numpy as np

        if head is None:
            return cls("imagenet", backbone, backbone_id, "float32", (), (), {})
        weight, bias = head
        table = np.eye(len(bias), dtype=np.bool_) if groups is None else groups
        return cls(
            "imagenet",
            backbone,
            backbone_id,
            "float32",
            tuple(classes),
            (DEFAULT_CONFIDENCE,) * len(classes),
            {"weight": weight, "bias": bias, "groups": table},
        )


def rendered(card: ModelCard) -> bytes:
    """model.json. The seal is the SHA-256 of the same text without it."""
    body = {"schema": SCHEMA, **asdict(card)}
    seal = hashlib.sha256(_text(body)).hexdigest()
    return _text({**body, "seal": seal})


def parsed(text: bytes) -> ModelCard:
    """The card in a model.json. Raises CardError unless it is byte for byte what was published."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise CardError("model.json is no JSON") from None
    if not isinstance(content, dict):
        raise CardError("model.json holds no table")
    schema = content.pop("schema", None)
    content.pop("seal", None)  # compared below, with everything else
    if isinstance(schema, int) and schema > SCHEMA:
        raise CardError(f"model.json has schema {schema}, of a newer imgsort")
    try:
        card = TypeAdapter(ModelCard).validate_json(json.dumps(content))
    except BadLabel as problem:
        raise CardError(f"model.json: {str(problem).rstrip('.')}") from None
    except ValidationError as problems:
        first = problems.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CardError(f"model.json: {where or 'fields'}: {first['msg']}") from None
    if rendered(card) != text:
        raise CardError("model.json was changed after it was published")
    return card


def _text(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
