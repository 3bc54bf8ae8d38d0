"""The prediction log: one select, both the view that users query and what `imgsort log` asks."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    case,
    func,
    select,
    type_coerce,
)

from imgsort.records.log import LogFilter, LogRow
from imgsort.store.chunks import parts
from imgsort.store.classes import live
from imgsort.store.standing_labels import newest_label_of_arrival, stands
from imgsort.store.tables import ARRIVALS, CLASS_CHANGES, CLASSES, IMAGES, LABELS, PREDICTIONS
from imgsort.store.topic import Topic, streaming
from imgsort.workspace.closest_name import closest

VIEW = "prediction_log"
_PAGE = 1000

_PREDICTED = CLASSES.alias("predicted")
_HUMAN = CLASSES.alias("human")
_WORD = LABELS.alias("word")
_INTO = CLASSES.alias("merged_into")
_IS_CORRECT = case((_HUMAN.c.id.is_not(None), _HUMAN.c.id == ARRIVALS.c.class_id))
_FINAL = case(
    (_WORD.c.id.is_not(None), _HUMAN.c.name),
    (ARRIVALS.c.decision == "filed", func.coalesce(_INTO.c.name, _PREDICTED.c.name)),
)
"""What holds in the end: a person's word, "it is none of these" among them, else the filing."""


def prediction_log() -> Select[*tuple[Any, ...]]:
    """One row for each arrival whose file has landed."""
    merged_into = (
        select(CLASS_CHANGES.c.merged_into)
        .where(CLASS_CHANGES.c.class_id == _PREDICTED.c.id, CLASS_CHANGES.c.kind == "retired")
        .order_by(CLASS_CHANGES.c.id.desc())
        .limit(1)
        .correlate(_PREDICTED)
        .scalar_subquery()
    )
    said = and_(
        PREDICTIONS.c.image_id == ARRIVALS.c.image_id, PREDICTIONS.c.model == ARRIVALS.c.model
    )
    return (
        select(
            ARRIVALS.c.id,
            ARRIVALS.c.name,
            ARRIVALS.c.path,
            IMAGES.c.sha256,
            _PREDICTED.c.name.label("label"),
            ARRIVALS.c.confidence,
            ARRIVALS.c.decision,
            ARRIVALS.c.reason,
            ARRIVALS.c.model,
            type_coerce(ARRIVALS.c.arrived_at, Text).label("arrived_at"),
            type_coerce(PREDICTIONS.c.predicted_at, Text).label("predicted_at"),
            type_coerce(ARRIVALS.c.filed_at, Text).label("filed_at"),
            _HUMAN.c.name.label("human_label"),
            _IS_CORRECT.label("is_correct"),
            ARRIVALS.c.subfolder,
            IMAGES.c.captured_at,
            IMAGES.c.camera,
            _FINAL.label("final_label"),
            type_coerce(ARRIVALS.c.missing_at, Text).label("missing_at"),
            ARRIVALS.c.reason_code,
            PREDICTIONS.c.precision,
        )
        .select_from(ARRIVALS)
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .outerjoin(_PREDICTED, _PREDICTED.c.id == ARRIVALS.c.class_id)
        .outerjoin(_INTO, and_(_PREDICTED.c.retired_at.is_not(None), _INTO.c.id == merged_into))
        .outerjoin(PREDICTIONS, said)
        .outerjoin(_WORD, _WORD.c.id == newest_label_of_arrival(LABELS.c.id))
        .outerjoin(_HUMAN, _HUMAN.c.id == _WORD.c.class_id)
        .where(ARRIVALS.c.state == "filed")
    )


def read_log(connection: Connection, filters: LogFilter) -> Iterator[LogRow]:
    """The rows that meet every condition, newest arrival first."""
    statement = (
        prediction_log()
        .where(*_conditions(connection, filters))
        .order_by(ARRIVALS.c.arrived_at.desc(), ARRIVALS.c.id.desc())
        .limit(filters.limit)
        .execution_options(yield_per=_PAGE)
    )
    for row in connection.execute(statement):
        yield _log_row(row)


def read_arrivals(connection: Connection, wanted: ColumnElement[bool]) -> list[LogRow]:
    """The rows of certain arrivals, newest first."""
    statement = prediction_log().where(wanted).order_by(ARRIVALS.c.id.desc())
    return [_log_row(row) for row in connection.execute(statement)]


def is_class(connection: Connection, name: str) -> bool:
    """Whether a class is, or once was, called so."""
    return connection.scalar(select(CLASSES.c.id).where(CLASSES.c.name == name)) is not None


def _log_row(row: Row[*tuple[Any, ...]]) -> LogRow:
    return LogRow(*row)


def _conditions(connection: Connection, filters: LogFilter) -> Iterator[ColumnElement[bool]]:
    """What the rows must meet. One condition picks the index: label, else unsure, else model.

    SQLite would rather take whichever it sees first, and walk through a million rows of it; so the
    others are put in a form that no index serves.
    """
    if filters.label is not None:
        # Ids, not names: the index is on class_id and arrived_at.
        ids = connection.scalars(select(CLASSES.c.id).where(CLASSES.c.name == filters.label)).all()
        yield ARRIVALS.c.class_id.in_(ids)
    if filters.unsure and filters.label is None:
        yield ARRIVALS.c.decision == "unsure"
    elif filters.unsure:
        yield ARRIVALS.c.decision.not_in(("filed", "rejected"))
    if filters.model is not None and filters.label is None and not filters.unsure:
        yield ARRIVALS.c.model == filters.model
    elif filters.model is not None:
        yield ARRIVALS.c.model + 0 == filters.model
    if filters.below is not None:
        yield ARRIVALS.c.confidence < filters.below
    if filters.since is not None:
        yield ARRIVALS.c.arrived_at >= filters.since
    if filters.corrected:
        labelled = select(LABELS.c.image_id).where(LABELS.c.class_id.is_not(None), stands())
        yield ARRIVALS.c.image_id.in_(labelled)
        yield _IS_CORRECT.is_(False)


class LogTopic(Topic):
    """The prediction log."""

    rows = streaming(read_log)

    def class_named(self, name: str) -> str | None:
        """None where there is such a class, retired or not; else the closest, or ``""``."""
        with self.read() as connection:
            if is_class(connection, name):
                return None
            return closest(name, live(connection).values()) or ""

    def arrival(self, arrival_id: int) -> LogRow | None:
        with self.read() as connection:
            return next(iter(read_arrivals(connection, ARRIVALS.c.id == arrival_id)), None)

    def arrivals(self, ids: Collection[int]) -> Iterator[LogRow]:
        """The rows of these arrivals, as far as their files have landed."""
        with self.read() as connection:
            for part in parts(sorted(ids)):
                yield from read_arrivals(connection, ARRIVALS.c.id.in_(part))
