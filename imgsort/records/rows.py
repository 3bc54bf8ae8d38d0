"""A picture as somebody sees it on a sheet: where it lies, what the model and people say of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from imgsort.records.journal import Decision
from imgsort.records.labels import LabelKind

FileState = Literal["here", "gone", "unreadable", "inbox"]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One arrival. Names and paths are in their display form."""

    id: int
    sha256: str
    name: str
    where: str
    """From the workspace, where it lies below that."""
    guess: str | None
    confidence: float | None
    decision: Decision
    model: int | None
    said: str | None
    """The class that somebody calls it."""
    kind: LabelKind | None
    """Of the word that holds; None where nobody has said anything."""
    source: str | None
    word: int | None
    """The id of that word."""
    state: FileState
    arrived_at: datetime
    reason: str | None
