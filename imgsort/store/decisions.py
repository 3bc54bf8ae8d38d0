"""TX1 of the filing protocol: everything known of a batch, written down before a file moves.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from imgsort.disk.identity import Identity
from imgsort.records.journal import Arrival, Plan, Planned
from imgsort.store.file_columns import identity_values, path_values
from imgsort.store.history import unfiled
from imgsort.store.images import ensure_images
from imgsort.store.numbered import insert_numbered
from imgsort.store.paths import Anchor
from imgsort.store.predictions import class_ids_of, ensure_predictions
from imgsort.store.tables import ARRIVALS, MOVES


def record_decided(
    connection: Connection, anchor: Anchor, run_id: int, plans: Sequence[Plan], now: datetime
) -> list[Planned]:
    """Add images, classes, predictions, arrivals and planned moves. The answers keep the order."""
    if not plans:
        return []
    images = ensure_images(connection, plans, now)
    said = [
        (images[plan.sha256], arrival.model, arrival.verdict)
        for plan in plans
        if (arrival := plan.arrival) and arrival.verdict is not None and arrival.model is not None
    ]
    classes = class_ids_of(connection, (verdict for _, _, verdict in said), now)
    verdicts = {(image_id, model): verdict for image_id, model, verdict in said}
    ensure_predictions(connection, verdicts, classes, now)
    rows = [
        _arrival_values(anchor, plan, plan.arrival)
        | {"image_id": images[plan.sha256], "class_id": _class_id(plan.arrival, classes)}
        for plan in plans
        if plan.arrival
    ]
    files = [plan.identity for plan in plans if plan.arrival]
    numbered = _numbered(plans, _write_arrivals(connection, rows, files))
    moves = [
        {"run_id": run_id, "planned_at": now, **_move_values(anchor, plan)} for plan in numbered
    ]
    ids = insert_numbered(connection, MOVES, moves)
    return [Planned.of(plan, move_id) for move_id, plan in zip(ids, numbered, strict=True)]


def _class_id(arrival: Arrival, classes: Mapping[str, int]) -> int | None:
    return classes.get(arrival.verdict.label) if arrival.verdict else None


def _write_arrivals(
    connection: Connection, rows: Sequence[dict[str, Any]], files: Sequence[Identity]
) -> list[int]:
    """The ids of these arrivals. A file that an undo has put back is the same arrival again."""
    again = unfiled(connection, files)
    ids: dict[int, int] = {}
    for position, (row, file) in enumerate(zip(rows, files, strict=True)):
        before = again.pop(file, None)
        if before is not None:
            values = {key: value for key, value in row.items() if key != "arrived_at"}
            connection.execute(update(ARRIVALS).where(ARRIVALS.c.id == before).values(values))
            ids[position] = before
    fresh = [position for position in range(len(rows)) if position not in ids]
    added = insert_numbered(connection, ARRIVALS, [rows[position] for position in fresh])
    ids |= dict(zip(fresh, added, strict=True))
    return [ids[position] for position in range(len(rows))]


def _numbered(plans: Sequence[Plan], fresh: Sequence[int]) -> list[Plan]:
    """The plans with the arrivals whose files they move.

    ``fresh``: the ids of the plans that bring an arrival, in their order. A sidecar that names no
    arrival belongs to the picture planned last before it.
    """
    ids = iter(fresh)
    numbered: list[Plan] = []
    latest: int | None = None
    for plan in plans:
        if plan.arrival is not None:
            latest = next(ids)
        follows = plan.arrival_id is None and plan.cause == "sidecar"
        its_own = plan.arrival is not None or follows
        numbered.append(replace(plan, arrival_id=latest) if its_own else plan)
    return numbered


def _arrival_values(anchor: Anchor, plan: Plan, arrival: Arrival) -> dict[str, Any]:
    copied = plan.identity if plan.mode == "copy" else None
    return {
        **path_values(arrival.name, "name"),
        **path_values(arrival.subfolder, "subfolder"),
        **path_values(anchor.stored(plan.source)),
        "decision": arrival.decision,
        "reason": arrival.reason,
        "reason_code": arrival.reason_code and arrival.reason_code.value,
        "state": "decided",
        "model": arrival.model,
        "confidence": arrival.verdict.confidence if arrival.verdict else None,
        "arrived_at": arrival.arrived_at,
        "src_dev": copied and copied.dev,
        "src_ino": copied and copied.ino,
        "src_size": copied and copied.size,
        "src_mtime_ns": copied and copied.mtime_ns,
    }


def _move_values(anchor: Anchor, plan: Plan) -> dict[str, Any]:
    return {
        "arrival_id": plan.arrival_id,
        "cause": plan.cause,
        "model": plan.arrival.model if plan.arrival else plan.model,
        "mode": plan.mode,
        "state": "planned",
        **path_values(anchor.stored(plan.source), "source"),
        **path_values(anchor.stored(plan.target), "target"),
        "sha256": plan.sha256,
        **identity_values(plan.identity),
    }
