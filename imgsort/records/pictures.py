"""What the log knows of one picture file: enough to name it, to label it and to move it again."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imgsort.disk.identity import Identity
from imgsort.records.journal import Decision


@dataclass(frozen=True, slots=True)
class LoggedPicture:
    """One arrival whose file has landed."""

    arrival_id: int
    sha256: str
    path: Path
    """Absolute; where the file was last known to be."""
    identity: Identity | None
    name: bytes
    """As it came in."""
    given_name: bytes | None
    """The name under which imgsort last put it down; None if it never moved it."""
    subfolder: bytes
    decision: Decision
    guess: str | None
    """The model's best class, even when it was unsure."""
    confidence: float | None
    model: int | None
    arrived_at: datetime
    readable: bool
    """False for what was rejected because it is no picture that can be used."""
    captured_at: str | None
    camera: str | None
    missing: bool

    @property
    def own_name(self) -> str:
        """What to call it in another folder: as it came in, unless a person has renamed it."""
        if self.given_name is not None and os.fsencode(self.path.name) != self.given_name:
            return self.path.name
        return os.fsdecode(self.name)
