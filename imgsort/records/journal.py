"""What the filing protocol writes down before and after a file moves.

``Plan`` is an intention, ``Planned`` the same once it is committed to the database, ``Landed`` the
outcome. A crash between any two of them is undone or completed by ``filing.recover``.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.records.reasons import ReasonCode
from imgsort.records.verdict import Verdict

Mode = Literal["move", "copy"]
Decision = Literal["filed", "unsure", "rejected"]
Cause = Literal["file", "sidecar", "label", "import", "refile", "undo", "retention", "delete"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One drop into the inbox: what the log keeps of it beside the move itself."""

    name: bytes
    """The original file name, exactly as the file system gave it."""
    subfolder: bytes
    """Its folder below the inbox, ``b""`` for the inbox itself."""
    arrived_at: datetime
    decision: Decision
    reason: str | None
    facts: ImageFacts | None
    """None for a picture that could not be read."""
    verdict: Verdict | None
    model: int | None
    """Version of the model that gave the verdict."""

    @property
    def reason_code(self) -> ReasonCode | None:
        """A picture without a verdict could not be read, or a person said what it is."""
        if self.verdict is not None:
            return None if self.verdict.doubt is None else self.verdict.doubt.code
        rejected = self.decision == "rejected"
        return ReasonCode.UNREADABLE if rejected else ReasonCode.IMPORTED


@dataclass(frozen=True, slots=True)
class Plan:
    """One file that is to go from ``source`` to the reserved ``target`` (absolute paths)."""

    source: Path
    target: Path
    identity: Identity
    sha256: str
    mode: Mode
    cause: Cause
    arrival: Arrival | None = None
    """Given for a new arrival; None when ``arrival_id`` names the one that is moved again."""
    arrival_id: int | None = None
    model: int | None = None
    """Whose verdict moves an earlier arrival again (refile)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Plan):
    """A plan that is in the journal, where what it brings of an arrival is kept."""

    move_id: int

    @classmethod
    def of(cls, plan: Plan, move_id: int) -> Self:
        """``plan`` once it is written down under this id."""
        return cls(
            source=plan.source,
            target=plan.target,
            identity=plan.identity,
            sha256=plan.sha256,
            mode=plan.mode,
            cause=plan.cause,
            arrival_id=plan.arrival_id,
            move_id=move_id,
        )


@dataclass(frozen=True, slots=True)
class Landed:
    """The file of a journal row lies at its target; ``identity`` is that of the file there."""

    move_id: int
    target: Path
    identity: Identity
    landed_at: datetime
