"""What is to become of a judged picture: which folder, which name it should get, who comes along.

Pure: names are reserved, and files touched, elsewhere.
"""

import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from imgsort.filing.errand import Errand
from imgsort.filing.inbox_picture import InboxPicture
from imgsort.filing.sidecar_listing import Sidecar
from imgsort.images.outcome import Picture, Refused
from imgsort.records.journal import Arrival, Decision
from imgsort.records.labels import HumanLabel
from imgsort.workspace.template import Template, plain_name
from imgsort.workspace.workspace import Workspace

_template = lru_cache(maxsize=4)(Template.parse)


def errand(
    workspace: Workspace,
    picture: InboxPicture,
    sidecars: tuple[Sidecar, ...] = (),
    label: HumanLabel | None = None,
) -> Errand:
    """``label``: what a person has said of this content, which decides where a copy goes; the log
    keeps what the model says."""
    outcome, verdict = picture.outcome, picture.verdict
    if isinstance(outcome, Refused):
        arrival = _arrival(picture, "rejected", outcome.reason)
    elif verdict is not None:
        arrival = _arrival(picture, verdict.decision, verdict.reason)
    else:
        raise ValueError(f"{outcome.path} was decoded but not judged")
    return Errand(
        arrival_id=None,
        source=outcome.path,
        identity=outcome.identity,
        sha256=outcome.sha256,
        wanted=_wanted(workspace, picture, label),
        cause="file",
        mode=workspace.config.filing.mode,
        arrival=arrival,
        sidecars=sidecars,
    )


def _arrival(picture: InboxPicture, decision: Decision, reason: str | None) -> Arrival:
    return Arrival(
        name=os.fsencode(picture.outcome.path.name),
        subfolder=picture.candidate.subfolder,
        arrived_at=picture.candidate.arrived_at,
        decision=decision,
        reason=reason,
        facts=picture.outcome.facts if isinstance(picture.outcome, Picture) else None,
        verdict=picture.verdict,
        model=picture.model,
    )


def _wanted(workspace: Workspace, picture: InboxPicture, label: HumanLabel | None) -> Path:
    outcome, verdict = picture.outcome, picture.verdict
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
        arrived_at=picture.candidate.arrived_at,
        captured_at=outcome.facts.captured_at,
        camera=outcome.facts.camera,
        confidence=confidence,
        subfolder=picture.candidate.subfolder,
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
