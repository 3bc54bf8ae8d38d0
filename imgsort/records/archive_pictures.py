"""What the log keeps of an archive that was classified where it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from imgsort.images import ImageFacts
from imgsort.records.reasons import Reason
from imgsort.records.verdict import Verdict

ArchiveDecision = Literal["filed", "unsure", "rejected", "changed", "unread"]


@dataclass(frozen=True, slots=True)
class ArchivePicture:
    """A picture, where it lay when it was judged."""

    path: bytes
    """Absolute, or an address with its scheme."""
    size: int | None
    mtime_ns: int | None
    etag: str | None
    sha256: str | None
    """None for one that was not read."""
    decision: ArchiveDecision
    reason: Reason | None
    facts: ImageFacts | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """The pictures of one unit, as its file has them."""

    job: str
    """The job's id."""
    unit: int
    sha256: str
    """Of the file."""
    judged_at: datetime
    model: int
    classes: Mapping[str, int]
    """Ids of the classes that verdicts name."""
    pictures: Sequence[ArchivePicture]
