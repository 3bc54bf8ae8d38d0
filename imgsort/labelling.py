"""What a person said about a picture: the values that enter and leave the labels table."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

LabelKind = Literal["label", "withdrawn", "never_use"]
Source = Literal["move", "cli", "csv", "import", "confirm", "audit"]


@dataclass(frozen=True, slots=True)
class NewLabel:
    """One statement about one content; class_name is set exactly when kind is label."""

    sha256: str
    kind: LabelKind
    class_name: str | None
    source: Source
    representative: bool


@dataclass(frozen=True, slots=True)
class HumanLabel:
    """One stored statement; the newest one of a content is the one that holds."""

    sha256: str
    kind: LabelKind
    class_id: int | None
    class_name: str | None
    source: Source
    representative: bool
    labelled_at: datetime


def still_representative(label: NewLabel, before: HumanLabel | None) -> NewLabel:
    """A new word on a picture that was drawn without regard to its class: it still was.

    If a later correction took that away, every mistake found after a `confirm` or an audit would
    leave the test and flatter the model.
    """
    return replace(label, representative=True) if before and before.representative else label
