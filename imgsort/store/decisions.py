"""TX1 of the filing protocol: everything known of a batch, written down before a file moves.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.records.journal import Arrival, Plan, Planned
from imgsort.store.file_columns import identity_numbers
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
        (
            images[plan.sha256],
            _class_id(plan.arrival, classes),
            *_arrival(anchor, plan, plan.arrival),
        )
        for plan in plans
        if plan.arrival
    ]
    files = [plan.identity for plan in plans if plan.arrival]
    numbered = _numbered(plans, _write_arrivals(connection, rows, files))
    moves = [(run_id, now, *_move(anchor, plan)) for plan in numbered]
    ids = insert_numbered(connection, MOVES, _MOVE, moves)
    return [Planned.of(plan, move_id) for move_id, plan in zip(ids, numbered, strict=True)]


def _class_id(arrival: Arrival, classes: Mapping[str, int]) -> int | None:
    return classes.get(arrival.verdict.label) if arrival.verdict else None


def _write_arrivals(
    connection: Connection, rows: Sequence[tuple[Any, ...]], files: Sequence[Identity]
) -> Sequence[int]:
    """The ids of these arrivals. A file that an undo has put back is the same arrival again."""
    again = unfiled(connection, files)
    if not again:
        return insert_numbered(connection, ARRIVALS, _ARRIVAL, rows)
    ids: dict[int, int] = {}
    for position, (row, file) in enumerate(zip(rows, files, strict=True)):
        before = again.pop(file, None)
        if before is not None:
            values = dict(zip(_ARRIVAL, row, strict=True))
            del values["arrived_at"]
            connection.execute(update(ARRIVALS).where(ARRIVALS.c.id == before).values(values))
            ids[position] = before
    fresh = [position for position in range(len(rows)) if position not in ids]
    added = insert_numbered(connection, ARRIVALS, _ARRIVAL, [rows[one] for one in fresh])
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


_ARRIVAL = (
    *("image_id", "class_id", "name", "name_bytes", "subfolder", "subfolder_bytes"),
    *("path", "path_bytes", "decision", "reason", "reason_code", "state", "model", "confidence"),
    *("arrived_at", "src_dev", "src_ino", "src_size", "src_mtime_ns"),
)


def _arrival(anchor: Anchor, plan: Plan, arrival: Arrival) -> tuple[Any, ...]:
    """From the name on."""
    name, subfolder, path = arrival.name, arrival.subfolder, anchor.stored(plan.source)
    code = arrival.reason_code
    original = identity_numbers(plan.identity) if plan.mode == "copy" else _NO_NUMBERS
    return (
        *(display(name), name, display(subfolder), subfolder, display(path), path),
        *(arrival.decision, arrival.reason, None if code is None else code.value, "decided"),
        *(arrival.model, arrival.verdict.confidence if arrival.verdict else None),
        *(arrival.arrived_at, *original),
    )


_MOVE = (
    *("run_id", "planned_at", "arrival_id", "cause", "model", "mode", "state"),
    *("source", "source_bytes", "target", "target_bytes", "sha256"),
    *("dev", "ino", "size", "mtime_ns"),
)


def _move(anchor: Anchor, plan: Plan) -> tuple[Any, ...]:
    """From the arrival on."""
    source, target = anchor.stored(plan.source), anchor.stored(plan.target)
    model = plan.arrival.model if plan.arrival else plan.model
    return (
        *(plan.arrival_id, plan.cause, model, plan.mode, "planned"),
        *(display(source), source, display(target), target, plan.sha256),
        *identity_numbers(plan.identity),
    )


_NO_NUMBERS = (None, None, None, None)
