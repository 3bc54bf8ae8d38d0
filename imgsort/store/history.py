"""What the journal tells of pictures: every move they made, and which of them may move again.

Every function takes an open connection: the caller owns the transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from imgsort.history import Move, PictureHistory, Run, Standing, Word, standing
from imgsort.identity import Identity
from imgsort.store.paths import Anchor
from imgsort.store.tree import PUT_HERE
from imgsort.tables import ArrivalRow, ImageRow, LabelRow, MoveRow, PredictionRow, RunRow

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """Which moves are meant; conditions that are given must all hold."""

    run: int | None = None
    since: datetime | None = None
    model: int | None = None


def moved_arrivals(connection: Connection, moved: Moved) -> list[int]:
    """The arrivals whose file made such a move, oldest first."""
    conditions: list[ColumnElement[bool]] = [MoveRow.state == "done", MoveRow.cause != "sidecar"]
    if moved.run is not None:
        conditions.append(MoveRow.run_id == moved.run)
    if moved.since is not None:
        conditions.append(MoveRow.done_at >= moved.since)
    if moved.model is not None:
        conditions.append(MoveRow.model == moved.model)
    ids = connection.scalars(select(MoveRow.arrival_id).where(*conditions).distinct())
    return sorted(one for one in ids if one is not None)


def runs_that_moved(connection: Connection) -> Iterator[int]:
    """Runs with a done move, newest first."""
    yield from connection.scalars(
        select(MoveRow.run_id)
        .where(MoveRow.state == "done", MoveRow.cause != "sidecar")
        .distinct()
        .order_by(MoveRow.run_id.desc())
    )


def run(connection: Connection, run_id: int) -> Run | None:
    row = connection.execute(
        select(RunRow.id, RunRow.kind, RunRow.started_at).where(RunRow.id == run_id)
    ).one_or_none()
    return None if row is None else Run(row.id, row.kind, row.started_at)


def unconfirmed(connection: Connection) -> list[int]:
    """Arrivals in sorted/ or unsure/ of which nobody says now what they are, newest first."""
    newest_word = (
        select(LabelRow.kind)
        .where(LabelRow.image_id == ArrivalRow.image_id)
        .order_by(LabelRow.id.desc())
        .limit(1)
        .correlate(ArrivalRow)
        .scalar_subquery()
    )
    return list(
        connection.scalars(
            select(ArrivalRow.id)
            .where(
                ArrivalRow.state == "filed",
                ArrivalRow.decision.in_(("filed", "unsure")),
                ArrivalRow.missing_at.is_(None),
                or_(newest_word.is_(None), newest_word == "withdrawn"),
            )
            .order_by(ArrivalRow.id.desc())
        )
    )


def histories(
    connection: Connection, anchor: Anchor, arrival_ids: Collection[int]
) -> list[PictureHistory]:
    """Of these arrivals, in the order of their ids, also of those that an undo has unfiled."""
    wanted = sorted(arrival_ids)
    found: list[PictureHistory] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        moves = _moves(connection, anchor, chunk)
        words = _words(connection, chunk)
        rows = connection.execute(
            select(
                *(ArrivalRow.id, ArrivalRow.image_id, ImageRow.sha256, ArrivalRow.path_bytes),
                *(ArrivalRow.dev, ArrivalRow.ino, ArrivalRow.size, ArrivalRow.mtime_ns),
                ArrivalRow.missing_at,
            )
            .join(ImageRow, ImageRow.id == ArrivalRow.image_id)
            .where(ArrivalRow.id.in_(chunk))
            .order_by(ArrivalRow.id)
        )
        found += [
            PictureHistory(
                arrival_id=row.id,
                sha256=row.sha256,
                path=anchor.absolute(row.path_bytes),
                identity=_identity(row),
                missing=row.missing_at is not None,
                moves=tuple(moves[row.id]),
                words=tuple(words[row.image_id]),
            )
            for row in rows
        ]
    return found


def _identity(row: Row[*tuple[Any, ...]]) -> Identity | None:
    known = row.ino is not None
    return Identity(row.dev, row.ino, row.size, row.mtime_ns) if known else None


def _moves(
    connection: Connection, anchor: Anchor, arrival_ids: Sequence[int]
) -> defaultdict[int, list[Move]]:
    rows = connection.execute(
        select(
            *(MoveRow.arrival_id, MoveRow.id, MoveRow.run_id, RunRow.kind, MoveRow.cause),
            *(MoveRow.mode, MoveRow.model, MoveRow.source_bytes, MoveRow.target_bytes),
            MoveRow.done_at,
        )
        .join(RunRow, RunRow.id == MoveRow.run_id)
        .where(
            MoveRow.arrival_id.in_(arrival_ids),
            MoveRow.state == "done",
            MoveRow.cause != "sidecar",
        )
        .order_by(MoveRow.id)
    )
    found: defaultdict[int, list[Move]] = defaultdict(list)
    for row in rows:
        found[row.arrival_id].append(
            Move(
                id=row.id,
                run_id=row.run_id,
                run_kind=row.kind,
                cause=row.cause,
                mode=row.mode,
                model=row.model,
                source=anchor.absolute(row.source_bytes),
                target=anchor.absolute(row.target_bytes),
                done_at=row.done_at,
            )
        )
    return found


def _words(connection: Connection, arrival_ids: Sequence[int]) -> defaultdict[int, list[Word]]:
    images = select(ArrivalRow.image_id).where(ArrivalRow.id.in_(arrival_ids))
    rows = connection.execute(
        select(LabelRow.image_id, LabelRow.run_id, LabelRow.labelled_at)
        .where(LabelRow.image_id.in_(images))
        .order_by(LabelRow.id)
    )
    found: defaultdict[int, list[Word]] = defaultdict(list)
    for row in rows:
        found[row.image_id].append(Word(row.run_id, row.labelled_at))
    return found


def restate(connection: Connection, anchor: Anchor, arrival_ids: Collection[int]) -> None:
    """Let the log say of these arrivals what the moves that still stand say.

    Called when a refile or an undo has landed, in the same transaction: whatever move explains
    where a file is now, the model and decision of that move are the arrival's.
    """
    for history in histories(connection, anchor, arrival_ids):
        state = standing(history.moves)
        arrival = update(ArrivalRow).where(ArrivalRow.id == history.arrival_id)
        if not state.live and state.undone and state.undone[0].cause == "file":
            # Back in the inbox, as if it had never been filed; filed_at tells it from a new one.
            connection.execute(arrival.values(state="decided"))
            continue
        model = _model_of(state)
        said = model and connection.execute(_prediction(history.arrival_id, model)).one_or_none()
        if said:
            values = {
                "model": model,
                "class_id": said.class_id,
                "confidence": said.confidence,
                "decision": said.decision,
                "reason": said.reason,
            }
            connection.execute(arrival.values(values))
        elif model is None:
            # Somebody put it there; only into unsure/ without saying what it is.
            nothing = {"model": None, "class_id": None, "confidence": None}
            connection.execute(arrival.values(nothing | {"decision": "unsure", "reason": PUT_HERE}))


def _model_of(state: Standing) -> int | None:
    models = [move.model for move in state.live if move.model is not None]
    return models[-1] if models else None


def _prediction(arrival_id: int, model: int) -> Any:
    return (
        select(
            PredictionRow.class_id,
            PredictionRow.confidence,
            PredictionRow.decision,
            PredictionRow.reason,
        )
        .join(ArrivalRow, ArrivalRow.image_id == PredictionRow.image_id)
        .where(ArrivalRow.id == arrival_id, PredictionRow.model == model)
    )


def unfiled(connection: Connection, identities: Collection[Identity]) -> dict[Identity, int]:
    """Arrivals that an undo has put back into the inbox, by the file that lies there."""
    found: dict[Identity, int] = {}
    numbers = sorted({identity.ino for identity in identities})
    for start in range(0, len(numbers), _CHUNK):
        rows = connection.execute(
            select(
                *(ArrivalRow.id, ArrivalRow.dev, ArrivalRow.ino, ArrivalRow.size),
                ArrivalRow.mtime_ns,
            ).where(
                ArrivalRow.ino.in_(numbers[start : start + _CHUNK]),
                ArrivalRow.state == "decided",
                ArrivalRow.filed_at.is_not(None),
            )
        )
        found |= {identity: row.id for row in rows if (identity := _identity(row)) is not None}
    return {identity: found[identity] for identity in identities if identity in found}
