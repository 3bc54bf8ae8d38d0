"""What the page is answered: values in, JSON out."""

from collections.abc import Iterable, Mapping
from typing import Any

from imgsort.records.acts import Act, ActOn
from imgsort.records.rows import SheetRow
from imgsort.store.tables import iso_utc


def row_json(row: SheetRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "sha256": row.sha256,
        "name": row.name,
        "where": row.where,
        "guess": row.guess,
        "confidence": row.confidence,
        "decision": row.decision,
        "model": row.model,
        "said": row.said,
        "kind": row.kind,
        "source": row.source,
        "word": row.word,
        "state": row.state,
        "arrived_at": iso_utc(row.arrived_at),
        "reason": row.reason,
    }


def act_json(
    act: Act, pictures: Iterable[ActOn], rows: Mapping[str, SheetRow], *, undone: bool
) -> dict[str, Any]:
    """``pictures``: what became of each; ``rows``: how they are now, by content."""
    return {
        "act": act.act,
        "run": act.run_id or None,
        "at": iso_utc(act.at),
        "say": act.say,
        "audit": act.audit,
        "undone": undone,
        "pictures": [_picture_json(one, rows.get(one.sha256)) for one in pictures],
    }


def _picture_json(one: ActOn, row: SheetRow | None) -> dict[str, Any]:
    return {
        "sha256": one.sha256,
        "outcome": one.outcome,
        "reason": one.reason,
        "moved_to": row.where if row is not None and one.outcome == "written" else None,
        "row": None if row is None else row_json(row),
    }


def told_act(act: Act) -> dict[str, Any]:
    """One line of what was done last."""
    return {
        "act": act.act,
        "run": act.run_id,
        "at": iso_utc(act.at),
        "say": act.say,
        "audit": act.audit,
        "pictures": sum(one.outcome == "written" for one in act.pictures),
        "undone": act.undone,
    }
