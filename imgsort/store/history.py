"""What the journal tells of pictures: every move they made, and which of them may move again.

Every function takes an open connection: the caller owns the transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, or_, select, update

from imgsort.disk.identity import Identity
from imgsort.records.history import Move, PictureHistory, Run, SpokenWord, Standing, standing
from imgsort.records.reasons import PUT_HERE
from imgsort.store.chunks import parts, rows_in
from imgsort.store.classes import runs_that_changed
from imgsort.store.file_columns import identity_columns, identity_if_known, identity_of
from imgsort.store.listing import gathered, lying
from imgsort.store.paths import Anchor
from imgsort.store.reasons import reason_columns
from imgsort.store.standing_labels import RETRACTED, spoken_of
from imgsort.store.tables import ARRIVALS, IMAGES, LABELS, MOVES, PREDICTIONS, RUNS
from imgsort.store.topic import Topic, reading, reading_paths


@dataclass(frozen=True, slots=True)
class MoveFilter:
    """Which moves are meant; conditions that are given must all hold."""

    run: int | None = None
    since: datetime | None = None
    model: int | None = None


def moved_arrivals(connection: Connection, moved: MoveFilter) -> list[int]:
    """The arrivals whose file made such a move, oldest first."""
    conditions: list[ColumnElement[bool]] = [MOVES.c.state == "done", MOVES.c.cause != "sidecar"]
    if moved.run is not None:
        conditions.append(MOVES.c.run_id == moved.run)
    if moved.since is not None:
        conditions.append(MOVES.c.done_at >= moved.since)
    if moved.model is not None:
        conditions.append(MOVES.c.model == moved.model)
    ids = connection.scalars(select(MOVES.c.arrival_id).where(*conditions).distinct())
    return sorted(one for one in ids if one is not None)


def spoken_arrivals(connection: Connection, moved: MoveFilter) -> list[int]:
    """The arrivals of whose content something was said then, other than by moving its file."""
    if moved.model is not None:
        return []  # no model says a word
    conditions: list[ColumnElement[bool]] = [LABELS.c.kind != RETRACTED, LABELS.c.source != "move"]
    if moved.run is not None:
        conditions.append(_of_run(moved.run))
    if moved.since is not None:
        conditions.append(LABELS.c.labelled_at >= moved.since)
    images = select(LABELS.c.image_id).where(*conditions)
    return list(connection.scalars(select(ARRIVALS.c.id).where(ARRIVALS.c.image_id.in_(images))))


def _of_run(run_id: int) -> ColumnElement[bool]:
    """Words said in a run, or taken back in it."""
    taken_back = select(LABELS.c.retracts).where(
        LABELS.c.run_id == run_id, LABELS.c.kind == RETRACTED
    )
    return or_(LABELS.c.run_id == run_id, LABELS.c.id.in_(taken_back))


def runs_that_acted(connection: Connection) -> list[int]:
    """Runs with a done move or a word, newest first."""
    moved = exists().where(
        MOVES.c.run_id == RUNS.c.id, MOVES.c.state == "done", MOVES.c.cause != "sidecar"
    )
    spoke = exists().where(
        LABELS.c.run_id == RUNS.c.id, LABELS.c.kind != RETRACTED, LABELS.c.source != "move"
    )
    return list(
        connection.scalars(select(RUNS.c.id).where(moved | spoke).order_by(RUNS.c.id.desc()))
    )


def run(connection: Connection, run_id: int) -> Run | None:
    row = connection.execute(
        select(RUNS.c.id, RUNS.c.kind, RUNS.c.started_at).where(RUNS.c.id == run_id)
    ).one_or_none()
    return None if row is None else Run(row.id, row.kind, row.started_at)


def unconfirmed(connection: Connection) -> list[int]:
    """Arrivals in sorted/ or unsure/ of which nobody says now what they are, newest first."""
    statement = select(ARRIVALS.c.id).where(
        *lying(), ARRIVALS.c.decision != "rejected", ARRIVALS.c.image_id.not_in(spoken_of())
    )
    return sorted(gathered(connection, statement), reverse=True)


def histories(
    connection: Connection, anchor: Anchor, arrival_ids: Collection[int]
) -> list[PictureHistory]:
    """Of these arrivals, in the order of their ids, also of those that an undo has unfiled."""
    found: list[PictureHistory] = []
    for chunk in parts(sorted(arrival_ids)):
        moves = _moves(connection, anchor, chunk)
        words = _words(connection, chunk)
        rows = connection.execute(
            select(
                *(ARRIVALS.c.id, ARRIVALS.c.image_id, IMAGES.c.sha256, ARRIVALS.c.path_bytes),
                *(*identity_columns(ARRIVALS), ARRIVALS.c.missing_at),
            )
            .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
            .where(ARRIVALS.c.id.in_(chunk))
            .order_by(ARRIVALS.c.id)
        )
        found += [
            PictureHistory(
                arrival_id=row.id,
                sha256=row.sha256,
                path=anchor.absolute(row.path_bytes),
                identity=identity_if_known(row),
                missing=row.missing_at is not None,
                moves=tuple(moves[row.id]),
                words=words.get(row.image_id, ()),
            )
            for row in rows
        ]
    return found


def _moves(
    connection: Connection, anchor: Anchor, arrival_ids: Sequence[int]
) -> defaultdict[int, list[Move]]:
    rows = connection.execute(
        select(
            *(MOVES.c.arrival_id, MOVES.c.id, MOVES.c.run_id, RUNS.c.kind, MOVES.c.cause),
            *(MOVES.c.mode, MOVES.c.model, MOVES.c.source_bytes, MOVES.c.target_bytes),
            MOVES.c.done_at,
        )
        .join(RUNS, RUNS.c.id == MOVES.c.run_id)
        .where(
            MOVES.c.arrival_id.in_(arrival_ids),
            MOVES.c.state == "done",
            MOVES.c.cause != "sidecar",
        )
        .order_by(MOVES.c.id)
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


def _words(connection: Connection, arrival_ids: Sequence[int]) -> dict[int, tuple[SpokenWord, ...]]:
    """By image."""
    images = select(ARRIVALS.c.image_id).where(ARRIVALS.c.id.in_(arrival_ids))
    columns = (LABELS.c.id, LABELS.c.image_id, LABELS.c.kind, LABELS.c.source, LABELS.c.run_id)
    rows = connection.execute(
        select(*columns, LABELS.c.labelled_at, LABELS.c.retracts)
        .where(LABELS.c.image_id.in_(images))
        .order_by(LABELS.c.id)
    ).all()
    by_id = {row.id: row for row in rows}
    retractions = {row.retracts: row for row in rows if row.kind == RETRACTED}
    found: defaultdict[int, list[SpokenWord]] = defaultdict(list)
    for row in rows:
        if row.kind == RETRACTED:
            continue
        retraction = retractions.get(row.id)
        found[row.image_id].append(
            SpokenWord(
                id=row.id,
                runs=frozenset(_runs(by_id, row)),
                by_hand=row.source == "move",
                said_at=row.labelled_at,
                taken_back=None if retraction is None else retraction.id,
                taken_back_in=None if retraction is None else retraction.run_id,
            )
        )
    return {image_id: tuple(words) for image_id, words in found.items()}


def _runs(by_id: Mapping[int, Row[*tuple[Any, ...]]], row: Row[*tuple[Any, ...]]) -> Iterator[int]:
    """Of a word, and of the words that it repeats: it names the retraction of the one before."""
    word: Row[*tuple[Any, ...]] | None = row
    while word is not None:
        if word.run_id is not None:
            yield word.run_id
        retraction = by_id.get(word.retracts)
        word = None if retraction is None else by_id.get(retraction.retracts)


def restate(connection: Connection, anchor: Anchor, arrival_ids: Collection[int]) -> None:
    """Let the log say of these arrivals what the moves that still stand say.

    Called when a refile or an undo has landed, in the same transaction: whatever move explains
    where a file is now, the model and decision of that move are the arrival's.
    """
    for history in histories(connection, anchor, arrival_ids):
        state = standing(history.moves)
        arrival = update(ARRIVALS).where(ARRIVALS.c.id == history.arrival_id)
        if not state.live and state.undone and state.undone[0].cause == "file":
            # Back in the inbox, as if it had never been filed; filed_at tells it from a new one.
            connection.execute(arrival.values(state="decided"))
            continue
        model = _model_of(state)
        said = model and connection.execute(_prediction(history.arrival_id, model)).one_or_none()
        if said:
            connection.execute(arrival.values(said._asdict() | {"model": model}))
        elif model is None:
            # Somebody put it there; only into unsure/ without saying what it is.
            nothing = {"model": None, "class_id": None, "confidence": None}
            put_here = {"decision": "unsure", **reason_columns(PUT_HERE)}
            connection.execute(arrival.values(nothing | put_here))


def _model_of(state: Standing) -> int | None:
    models = [move.model for move in state.live if move.model is not None]
    return models[-1] if models else None


def _prediction(arrival_id: int, model: int) -> Any:
    return (
        select(
            *(PREDICTIONS.c.class_id, PREDICTIONS.c.confidence, PREDICTIONS.c.decision),
            *(PREDICTIONS.c.reason, PREDICTIONS.c.reason_code),
        )
        .join(ARRIVALS, ARRIVALS.c.image_id == PREDICTIONS.c.image_id)
        .where(ARRIVALS.c.id == arrival_id, PREDICTIONS.c.model == model)
    )


_PUT_BACK = select(ARRIVALS.c.id, *identity_columns(ARRIVALS)).where(
    ARRIVALS.c.state == "decided", ARRIVALS.c.filed_at.is_not(None)
)


def unfiled(connection: Connection, identities: Collection[Identity]) -> dict[Identity, int]:
    """Arrivals that an undo has put back into the inbox, by the file that lies there."""
    numbers = sorted({identity.ino for identity in identities})
    rows = rows_in(connection, _PUT_BACK, ARRIVALS.c.ino, numbers)
    found = {identity_of(row): row.id for row in rows}
    return {identity: found[identity] for identity in identities if identity in found}


class HistoryTopic(Topic):
    """What was done, and what may be done again."""

    unconfirmed = reading(unconfirmed)
    moved_arrivals = reading(moved_arrivals)
    spoken_arrivals = reading(spoken_arrivals)
    run = reading(run)
    of = reading_paths(histories)

    def runs_that_acted(self) -> list[int]:
        """Runs with a done move, a word, or a change of classes that stands, newest first."""
        with self.read() as connection:
            acted = runs_that_acted(connection)
            return sorted({*acted, *runs_that_changed(connection)}, reverse=True)
