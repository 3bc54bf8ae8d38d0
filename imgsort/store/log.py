"""The prediction log: one select, both the view that users query and what `imgsort log` asks."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    case,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from imgsort.logquery import LogFilter, LogRow
from imgsort.tables import ArrivalRow, ClassRow, ImageRow, LabelRow, PredictionRow

VIEW = "prediction_log"
_PAGE = 1000

_Predicted = aliased(ClassRow, name="predicted")
_Human = aliased(ClassRow, name="human")
_IS_CORRECT = case((_Human.id.is_not(None), _Human.id == ArrivalRow.class_id))


def prediction_log() -> Select[*tuple[Any, ...]]:
    """One row for each arrival whose file has landed."""
    newest_word = (
        select(LabelRow.class_id)
        .where(LabelRow.image_id == ArrivalRow.image_id)
        .order_by(LabelRow.id.desc())
        .limit(1)
        .correlate(ArrivalRow)
        .scalar_subquery()
    )
    said = and_(
        PredictionRow.image_id == ArrivalRow.image_id, PredictionRow.model == ArrivalRow.model
    )
    return (
        select(
            ArrivalRow.id,
            ArrivalRow.name,
            ArrivalRow.path,
            ImageRow.sha256,
            _Predicted.name.label("label"),
            ArrivalRow.confidence,
            ArrivalRow.decision,
            ArrivalRow.reason,
            ArrivalRow.model,
            type_coerce(ArrivalRow.arrived_at, Text).label("arrived_at"),
            type_coerce(PredictionRow.predicted_at, Text).label("predicted_at"),
            type_coerce(ArrivalRow.filed_at, Text).label("filed_at"),
            _Human.name.label("human_label"),
            _IS_CORRECT.label("is_correct"),
        )
        .select_from(ArrivalRow)
        .join(ImageRow, ImageRow.id == ArrivalRow.image_id)
        .outerjoin(_Predicted, _Predicted.id == ArrivalRow.class_id)
        .outerjoin(PredictionRow, said)
        .outerjoin(_Human, _Human.id == newest_word)
        .where(ArrivalRow.state == "filed")
    )


def read_log(connection: Connection, filters: LogFilter) -> Iterator[LogRow]:
    """The rows that meet every condition, newest arrival first."""
    statement = (
        prediction_log()
        .where(*_conditions(connection, filters))
        .order_by(ArrivalRow.arrived_at.desc(), ArrivalRow.id.desc())
        .limit(filters.limit)
        .execution_options(yield_per=_PAGE)
    )
    for row in connection.execute(statement):
        yield _log_row(row)


def read_arrivals(connection: Connection, wanted: ColumnElement[bool]) -> list[LogRow]:
    """The rows of certain arrivals, newest first."""
    statement = prediction_log().where(wanted).order_by(ArrivalRow.id.desc())
    return [_log_row(row) for row in connection.execute(statement)]


def _log_row(row: Row[*tuple[Any, ...]]) -> LogRow:
    return LogRow(*row)


def _conditions(connection: Connection, filters: LogFilter) -> Iterator[ColumnElement[bool]]:
    """What the rows must meet. One condition picks the index: label, else unsure, else model.

    SQLite would rather take whichever it sees first, and walk through a million rows of it; so the
    others are put in a form that no index serves.
    """
    if filters.label is not None:
        # Ids, not names: the index is on class_id and arrived_at.
        ids = connection.scalars(select(ClassRow.id).where(ClassRow.name == filters.label)).all()
        yield ArrivalRow.class_id.in_(ids)
    if filters.unsure and filters.label is None:
        yield ArrivalRow.decision == "unsure"
    elif filters.unsure:
        yield ArrivalRow.decision.not_in(("filed", "rejected"))
    if filters.model is not None and filters.label is None and not filters.unsure:
        yield ArrivalRow.model == filters.model
    elif filters.model is not None:
        yield ArrivalRow.model + 0 == filters.model
    if filters.below is not None:
        yield ArrivalRow.confidence < filters.below
    if filters.since is not None:
        yield ArrivalRow.arrived_at >= filters.since
    if filters.corrected:
        labelled = select(LabelRow.image_id).where(LabelRow.class_id.is_not(None))
        yield ArrivalRow.image_id.in_(labelled)
        yield _IS_CORRECT.is_(False)
