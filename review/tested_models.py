"""Models, and what their tests said."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imgsort.errors import ImgsortError
from imgsort.models.registry import Registry
from imgsort.review.asked import Asked, not_there
from imgsort.review.call_refused import CallRefused
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.review.host import Host

_PAGE, _METRICS, _JUDGED = "index.html", "metrics.json", "judged.jsonl"
_KEYS = ("sha256", "truth", "said", "confidence", "before")


def models(host: "Host", asked: Asked) -> Any:
    """GET /api/models: every version, the newest first."""
    del asked
    registry = Registry(host.workspace.models)
    active, needed = registry.active(), registry.needed()
    whole = [
        {
            **card.summary(),
            "active": card.version == active,
            "has_report": (registry.report(card.version) / _PAGE).is_file(),
            "sentence": card.training.gate.sentence or None,
            "damaged": None,
        }
        for card in registry.versions()
    ]
    broken = [
        {"version": version, "active": version == active, "damaged": str(problem)}
        for version, problem in registry.damaged().items()
    ]
    return {
        "models": sorted([*whole, *broken], key=lambda one: -one["version"]),
        "active": active,
        "can_roll_back": bool(needed - {active}),
    }


def activate(host: "Host", asked: Asked) -> Any:
    """POST /api/models/{version}/activate, as `imgsort models activate`."""
    from imgsort.models.backbones import InstalledBackbone

    version, registry = asked.version(), Registry(host.workspace.models)
    InstalledBackbone.open(host.workspace.backbones, registry.card(version).backbone_id)
    registry.activate(version)
    host.wake.set()
    return {"active": version}


def roll_back(host: "Host", asked: Asked) -> Any:
    """POST /api/models/rollback, as `imgsort models rollback`."""
    del asked
    version = Registry(host.workspace.models).rollback()
    host.wake.set()
    return {"active": version}


def report(host: "Host", asked: Asked) -> Any:
    """GET /api/reports/{version}: its figures, and the matrix of its test."""
    version = asked.version()
    metrics = metrics_of(host.workspace, version)
    judged = judged_of(host.workspace, version)
    return {
        "version": version,
        "summary": metrics.get("summary", []),
        "metrics": metrics,
        "matrix": matrix(metrics),
        "cells_open": bool(judged),
    }


def cell(host: "Host", asked: Asked) -> Any:
    """GET /api/reports/{version}/cell?truth=&said=: the surest first."""
    wanted = (asked.query.get("truth"), asked.query.get("said"))
    if None in wanted:
        raise CallRefused("truth and said name the cell.")
    judged = judged_of(host.workspace, asked.version())
    pictures = [one for one in judged if (one["truth"], one["said"]) == wanted]
    return {"pictures": sorted(pictures, key=lambda one: -one["confidence"])}


def matrix(metrics: Mapping[str, Any]) -> Any:
    """Rows are what you say, columns what the model says; the fullest rows first."""
    try:
        confusion = metrics["evaluation"]["confusion"]
        names, counts = list(confusion["labels"]), list(confusion["counts"])
        order = sorted(range(len(names)), key=lambda at: (-sum(counts[at]), names[at]))
        rows = [[int(counts[row][column]) for column in order] for row in order]
    except (KeyError, IndexError, TypeError, ValueError):
        return {"classes": [], "counts": []}
    return {"classes": [names[at] for at in order], "counts": rows}


def metrics_of(workspace: Workspace, version: int) -> dict[str, Any]:
    """Raises CallRefused where it has none."""
    path = Registry(workspace.models).report(version) / _METRICS
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise not_there(f"report of v{version}") from None
    except (OSError, ValueError):
        metrics = None
    if not isinstance(metrics, dict):
        raise ImgsortError(f"The figures of v{version} can't be read; its page may still open.")
    return metrics


def judged_of(workspace: Workspace, version: int) -> list[dict[str, Any]]:
    """Every picture of its test; none of a version that kept none."""
    path = Registry(workspace.models).report(version) / _JUDGED
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            one = json.loads(line)
            found.append({key: one[key] for key in _KEYS})
        except (ValueError, KeyError, TypeError):
            continue
    return found


def suspects_of_newest(workspace: Workspace) -> int:
    """Labels that the newest report found doubtful; 0 without one."""
    registry = Registry(workspace.models)
    for card in reversed(registry.versions()):
        if (registry.report(card.version) / _METRICS).is_file():
            try:
                return len(metrics_of(workspace, card.version).get("suspects", []))
            except (ImgsortError, CallRefused):
                return 0
    return 0
