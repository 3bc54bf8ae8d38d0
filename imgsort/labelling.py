"""What a person said about a picture: the values that enter and leave the labels table."""

from dataclasses import dataclass
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
    """One stored statement; the newest one of a content that stands is the one that holds."""

    sha256: str
    kind: LabelKind
    class_id: int | None
    class_name: str | None
    source: Source
    representative: bool
    labelled_at: datetime
    taken_back: bool = False
