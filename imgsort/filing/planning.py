"""What is to become of a judged picture: which folder, which name it should get, who comes along.

Pure: names are reserved, and files touched, elsewhere.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imgsort.disk.identity import Identity
from imgsort.filing.sidecars import renamed, tail
from imgsort.images.outcome import Picture, Refused
from imgsort.records.journal import Arrival, Decision, Mode, Plan
from imgsort.records.labels import HumanLabel
from imgsort.records.verdict import Verdict
from imgsort.workspace.template import Template, plain_name
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """A picture on its way out of the inbox."""

    outcome: Picture | Refused
    verdict: Verdict | None
    """None exactly for a Refused one."""
    model: int | None
    subfolder: bytes
    """Its folder below the inbox, ``b""`` for the inbox itself."""
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file that travels with a picture."""

    path: Path
    identity: Identity
    sha256: str


@dataclass(frozen=True, slots=True)
class Item:
    """A judged picture with its sidecars, the decision, and the place it would like best."""

    judged: JudgedPicture
    decision: Decision
    reason: str | None
    wanted: Path
    sidecars: tuple[Sidecar, ...]

    @property
    def source(self) -> Path:
        return self.judged.outcome.path

    def tails(self) -> list[str]:
        """What the sidecars' names have after the stem."""
        return [tail(sidecar.path.name, self.source.name) for sidecar in self.sidecars]

    def plans(self, name: str, mode: Mode) -> list[Plan]:
        """The picture's plan and then its sidecars', once it has got ``name``."""
        outcome, folder = self.judged.outcome, self.wanted.parent
        plans = [
            Plan(
                source=outcome.path,
                target=folder / name,
                identity=outcome.identity,
                sha256=outcome.sha256,
                mode=mode,
                cause="file",
                arrival=self._arrival(),
            )
        ]
        plans += (
            Plan(
                source=sidecar.path,
                target=folder / renamed(sidecar.path.name, self.source.name, name),
                identity=sidecar.identity,
                sha256=sidecar.sha256,
                mode=mode,
                cause="sidecar",
                arrival=None,
            )
            for sidecar in self.sidecars
        )
        return plans

    def _arrival(self) -> Arrival:
        judged = self.judged
        return Arrival(
            name=os.fsencode(self.source.name),
            subfolder=judged.subfolder,
            arrived_at=judged.arrived_at,
            decision=self.decision,
            reason=self.reason,
            facts=judged.outcome.facts if isinstance(judged.outcome, Picture) else None,
            verdict=judged.verdict,
            model=judged.model,
        )


class Planner:
    """Where the pictures of one workspace go."""

    def __init__(self, workspace: Workspace) -> None:
        self._template = Template.parse(workspace.config.filing.template)
        self._sorted = workspace.sorted
        self._unsure = workspace.unsure
        self._rejected = workspace.rejected

    def item(
        self, judged: JudgedPicture, sidecars: Sequence[Sidecar], word: HumanLabel | None = None
    ) -> Item:
        """``word``: what a person has said of this content, which decides where a copy goes; the
        log keeps what the model says."""
        outcome, verdict = judged.outcome, judged.verdict
        if isinstance(outcome, Refused):
            wanted = self._rejected / plain_name(outcome.path.name)
            return Item(judged, "rejected", outcome.reason, wanted, tuple(sidecars))
        if verdict is None:
            raise ValueError(f"{outcome.path} was decoded but not judged")
        if word is not None and word.kind == "never_use":
            wanted = self._rejected / plain_name(outcome.path.name)
        elif word is not None and word.class_name is not None:
            wanted = self._filed(outcome, word.class_name, 1.0, judged)
        else:
            wanted = self._wanted(outcome, verdict, judged)
        return Item(judged, verdict.decision, verdict.reason, wanted, tuple(sidecars))

    def _wanted(self, picture: Picture, verdict: Verdict, judged: JudgedPicture) -> Path:
        if verdict.decision == "unsure":
            return self._unsure / plain_name(picture.path.name)
        return self._filed(picture, verdict.label, verdict.confidence, judged)

    def _filed(
        self, picture: Picture, class_name: str, confidence: float, judged: JudgedPicture
    ) -> Path:
        return self._sorted / self._template.render(
            label=class_name,
            name=picture.path.name,
            arrived_at=judged.arrived_at.astimezone(),  # the user's days, not Greenwich's
            captured_at=picture.facts.captured_at,
            camera=picture.facts.camera,
            confidence=confidence,
            subfolder=judged.subfolder,
        )
