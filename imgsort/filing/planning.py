"""What is to become of a judged picture: which folder, which name it should get, who comes along.

Pure: names are reserved, and files touched, elsewhere.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from imgsort.filing.errand import Errand
from imgsort.filing.sidecar_listing import Sidecar
from imgsort.images.outcome import Picture, Refused
from imgsort.records.journal import Arrival, Decision
from imgsort.records.labels import HumanLabel
from imgsort.records.verdict import Verdict
from imgsort.workspace.template import Template, plain_name
from imgsort.workspace.workspace import Workspace

_template = lru_cache(maxsize=4)(Template.parse)


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


def errand(
    workspace: Workspace,
    judged: JudgedPicture,
    sidecars: tuple[Sidecar, ...] = (),
    label: HumanLabel | None = None,
) -> Errand:
    """``label``: what a person has said of this content, which decides where a copy goes; the log
    keeps what the model says."""
    outcome, verdict = judged.outcome, judged.verdict
    if isinstance(outcome, Refused):
        arrival = _arrival(judged, "rejected", outcome.reason)
    elif verdict is not None:
        arrival = _arrival(judged, verdict.decision, verdict.reason)
    else:
        raise ValueError(f"{outcome.path} was decoded but not judged")
    return Errand(
        arrival_id=None,
        source=outcome.path,
        identity=outcome.identity,
        sha256=outcome.sha256,
        wanted=_wanted(workspace, judged, label),
        cause="file",
        mode=workspace.config.filing.mode,
        arrival=arrival,
        sidecars=sidecars,
    )


def _arrival(judged: JudgedPicture, decision: Decision, reason: str | None) -> Arrival:
    return Arrival(
        name=os.fsencode(judged.outcome.path.name),
        subfolder=judged.subfolder,
        arrived_at=judged.arrived_at,
        decision=decision,
        reason=reason,
        facts=judged.outcome.facts if isinstance(judged.outcome, Picture) else None,
        verdict=judged.verdict,
        model=judged.model,
    )


def _wanted(workspace: Workspace, judged: JudgedPicture, label: HumanLabel | None) -> Path:
    outcome, verdict = judged.outcome, judged.verdict
    name = outcome.path.name
    if isinstance(outcome, Refused) or verdict is None or (label and label.kind == "never_use"):
        return workspace.rejected / plain_name(name)
    if label is not None and label.class_name is not None:
        class_name, confidence = label.class_name, 1.0
    elif verdict.decision == "unsure":
        return workspace.unsure / plain_name(name)
    else:
        class_name, confidence = verdict.label, verdict.confidence
    return class_place(
        workspace,
        class_name,
        name=name,
        arrived_at=judged.arrived_at,
        captured_at=outcome.facts.captured_at,
        camera=outcome.facts.camera,
        confidence=confidence,
        subfolder=judged.subfolder,
    )


def class_place(  # noqa: PLR0913 - every one of them can be a token
    workspace: Workspace,
    class_name: str,
    *,
    name: str,
    arrived_at: datetime,
    captured_at: str | None,
    camera: str | None,
    confidence: float = 1.0,
    subfolder: bytes = b"",
) -> Path:
    """Where the template puts a picture of ``class_name``; full confidence: a person said so."""
    return workspace.sorted / _template(workspace.config.filing.template).render(
        label=class_name,
        name=name,
        arrived_at=arrived_at.astimezone(),  # the user's days, not Greenwich's
        captured_at=captured_at,
        camera=camera,
        confidence=confidence,
        subfolder=subfolder,
    )
