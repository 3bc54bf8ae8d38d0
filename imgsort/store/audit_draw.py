"""Audits: the draws of pictures that a person was to judge.

Every function takes an open connection: the caller owns the transaction.
"""

import json

from sqlalchemy import Connection, Row, insert, select

from imgsort.records.audit_draw import AuditDraw
from imgsort.store.tables import AUDITS
from imgsort.store.topic import Topic, reading, writing


def record(connection: Connection, draw: AuditDraw) -> None:
    values = {
        "run_id": draw.run_id,
        "seed": str(draw.seed),
        "candidates": draw.candidates,
        "drawn": json.dumps(draw.arrival_ids),
    }
    connection.execute(insert(AUDITS).values(values))


def audit_of(connection: Connection, run_id: int) -> AuditDraw | None:
    """The draw of this run, if it made one."""
    row = connection.execute(select(AUDITS).where(AUDITS.c.run_id == run_id)).one_or_none()
    return None if row is None else _draw(row)


def all_audits(connection: Connection) -> list[AuditDraw]:
    """Oldest first."""
    return [_draw(row) for row in connection.execute(select(AUDITS).order_by(AUDITS.c.run_id))]


def _draw(row: Row[*tuple[object, ...]]) -> AuditDraw:
    drawn = tuple(int(one) for one in json.loads(row.drawn))
    return AuditDraw(row.run_id, int(row.seed), row.candidates, drawn)


class AuditTopic(Topic):
    """Audits: draws of pictures that a person was to judge."""

    add = writing(record)
    of = reading(audit_of)
    all = reading(all_audits)
