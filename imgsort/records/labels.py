"""What a person said about a picture: the values that enter and leave the labels table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

LabelKind = Literal["label", "withdrawn", "never_use"]
Source = Literal["move", "cli", "csv", "import", "confirm", "audit", "review"]


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
    id: int = field(default=0, compare=False)
    """Of its row."""


@dataclass(frozen=True, slots=True)
class Retold:
    """Words, by id, that an undo takes back, and such as the undo of an undo says again."""

    taken_back: tuple[int, ...] = ()
    said_again: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.taken_back or self.said_again)

    def __len__(self) -> int:
        return len(self.taken_back) + len(self.said_again)


def combined(several: Iterable[Retold]) -> Retold:
    """All of it once, in the order in which it was said."""
    retold = list(several)
    return Retold(
        tuple(sorted({one for each in retold for one in each.taken_back})),
        tuple(sorted({one for each in retold for one in each.said_again})),
    )
