"""What is kept of what somebody did on the review page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["written", "left", "conflict", "gone", "other", "refused", "skipped"]
"""``left``: written down, and its file stays where it is. The last five: nothing was written."""


@dataclass(frozen=True, slots=True)
class ActOn:
    """One content of an act."""

    sha256: str
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act on its way into the log."""

    act: str
    """The page's own number for it."""
    say: str
    """What was said, for people: ``cat``, ``none``."""
    pictures: tuple[ActOn, ...]
    audit: int | None = None
    """The run of the audit that it answers."""


@dataclass(frozen=True, slots=True)
class Act:
    """One that is in the log."""

    act: str
    run_id: int
    at: datetime
    say: str
    pictures: tuple[ActOn, ...]
    audit: int | None
    undone: bool
    """Nothing of it stands: words and moves were taken back."""

    @property
    def wrote(self) -> bool:
        """Is there anything to take back? A sheet that was looked through names no pictures."""
        return not self.pictures or any(one.outcome == "written" for one in self.pictures)
