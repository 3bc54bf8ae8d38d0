"""Acts of the review page: written with the words they say, so that one sent twice is done once.

Every function takes an open connection: the caller owns the transaction.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select

from imgsort.records.acts import Act, ActOn, NewAct
from imgsort.records.history import UNDO
from imgsort.store.chunks import parts
from imgsort.store.standing_labels import RETRACTED
from imgsort.store.tables import ACTS, LABELS, MOVES, RUNS
from imgsort.store.topic import Topic, reading


def write(connection: Connection, run_id: int, new: NewAct) -> None:
    said = {
        "say": new.say,
        "audit": new.audit,
        "pictures": [[one.sha256, one.outcome, one.reason] for one in new.pictures],
    }
    text = json.dumps(said, ensure_ascii=False)
    connection.execute(insert(ACTS).values(act=new.act, run_id=run_id, said=text))


def act_of(connection: Connection, act: str) -> Act | None:
    return next(iter(_told(connection, _ACTS.where(ACTS.c.act == act))), None)


def newest(connection: Connection, count: int) -> list[Act]:
    """Newest first."""
    return _told(connection, _ACTS.order_by(ACTS.c.run_id.desc()).limit(count))


def skipped_in(connection: Connection, audit: int) -> set[str]:
    """The contents of an audit that somebody couldn't tell."""
    return {
        one.sha256
        for act in _told(connection, _ACTS.where(ACTS.c.run_id > audit))
        if act.audit == audit
        for one in act.pictures
        if one.outcome == "skipped"
    }


_ACTS = select(ACTS, RUNS.c.started_at)


def _undone(connection: Connection, run_ids: Collection[int]) -> set[int]:
    """Those of these runs that said something, of which nothing stands, nor was said again."""
    statement = select(LABELS.c.id, LABELS.c.run_id)
    rows = connection.execute(
        statement.where(LABELS.c.run_id.in_(run_ids), LABELS.c.kind != RETRACTED)
    )
    said = {row.id: row.run_id for row in rows}
    undone = set(said.values())
    while said:
        taken = _retracting(connection, said, LABELS.c.kind == RETRACTED)
        undone -= {run for word, run in said.items() if word not in taken}
        retractions = {taken[word]: run for word, run in said.items() if word in taken}
        again = _retracting(connection, retractions, LABELS.c.kind != RETRACTED)
        said = {again[one]: run for one, run in retractions.items() if one in again}
    return {run for run in undone if run is not None}


def _put_back(connection: Connection, run_ids: Collection[int]) -> set[int]:
    """Those that only moved files, as their words held before, of which none was moved for good."""
    spoke = connection.scalars(
        select(LABELS.c.run_id).where(LABELS.c.run_id.in_(run_ids)).distinct()
    )
    moved = select(MOVES.c.arrival_id, MOVES.c.run_id).where(
        MOVES.c.run_id.in_({*run_ids}.difference(spoke)), MOVES.c.state == "done"
    )
    of_run = {row.arrival_id: row.run_id for row in connection.execute(moved)}
    last = select(func.max(MOVES.c.id)).where(
        MOVES.c.arrival_id.in_(of_run), MOVES.c.state == "done", MOVES.c.cause != "sidecar"
    )
    kinds = connection.execute(
        select(MOVES.c.arrival_id, RUNS.c.kind)
        .join(RUNS, RUNS.c.id == MOVES.c.run_id)
        .where(MOVES.c.id.in_(last.group_by(MOVES.c.arrival_id)))
    )
    stays = {of_run[row.arrival_id] for row in kinds if row.kind != UNDO}
    return {run for run in of_run.values() if run not in stays}


def _retracting(
    connection: Connection, ids: Collection[int], kind: ColumnElement[bool]
) -> dict[int, int]:
    """The row that names each of these, if there is one."""
    return {
        row.retracts: row.id
        for part in parts(ids)
        for row in connection.execute(
            select(LABELS.c.retracts, LABELS.c.id).where(LABELS.c.retracts.in_(part), kind)
        )
    }


def _told(connection: Connection, statement: Select[*tuple[Any, ...]]) -> list[Act]:
    rows = connection.execute(statement.join(RUNS, RUNS.c.id == ACTS.c.run_id)).all()
    run_ids = {row.run_id for row in rows}
    undone = _undone(connection, run_ids) | _put_back(connection, run_ids)
    return [_act(row, undone=row.run_id in undone) for row in rows]


def _act(row: Row[*tuple[Any, ...]], *, undone: bool) -> Act:
    said = json.loads(row.said)
    return Act(
        act=row.act,
        run_id=row.run_id,
        at=row.started_at,
        say=said["say"],
        pictures=tuple(ActOn(*each) for each in said["pictures"]),
        audit=said["audit"],
        undone=undone,
    )


class ActTopic(Topic):
    """What was done on the review page."""

    of = reading(act_of)
    newest = reading(newest)
    skipped_in = reading(skipped_in)
