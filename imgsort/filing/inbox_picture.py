"""What is known of a file of the inbox, from when it has settled until it is filed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imgsort.images.outcome import Picture, Refused
from imgsort.records.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that has stopped changing, to be decoded, judged and filed."""

    path: Path
    subfolder: bytes
    """Its folder below the inbox, ``b""`` for the inbox itself."""
    arrived_at: datetime
    """When it was seen to have settled, UTC."""
    taken_at: float
    """The same in monotonic seconds."""


@dataclass(frozen=True, slots=True)
class InboxPicture:
    """A candidate whose bytes have been read, on its way out of the inbox."""

    candidate: Candidate
    outcome: Picture | Refused
    verdict: Verdict | None = None
    """None until it is judged, and for a Refused one."""
    model: int | None = None
    """Version of the model that gave the verdict."""
