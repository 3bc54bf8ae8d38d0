"""What training needs to know of labelled pictures, and how many like them arrive."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, case, func, select

from imgsort.store.paths import Anchor
from imgsort.store.standing_labels import stands
from imgsort.store.tables import ARRIVALS, IMAGES, LABELS, PREDICTIONS
from imgsort.store.topic import Topic, reading, reading_paths

Side = Literal["train", "holdout"]


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One labelled content."""

    sha256: str
    dhash: int | None
    """64-bit unsigned; None for a picture that could not be read."""
    camera: str | None
    captured_at: str | None
    subfolder: str
    """Of the inbox, where its newest file came from."""
    side: Side | None
    """Of the split that earlier programs drew for good; what they kept for the test they never
    trained on."""
    path: Path | None
    """Where a file of it was last known to lie; None for content without a file."""
    there: bool
    """Whether it still lay there when imgsort looked last."""


class Stratum(NamedTuple):
    """Pictures that the model of the time treated alike: filed under one class, or left unsure."""

    decision: str
    class_id: int | None
    """None for unsure."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived of one stratum."""

    images: int
    confidence: float
    """Mean, as the models of the time told it."""


def records(connection: Connection, anchor: Anchor) -> dict[str, TrainingRecord]:
    """By sha256. Of several files that are there the newest tells."""
    rows = connection.execute(
        _facts()
        .where(IMAGES.c.id.in_(_LABELLED))
        .order_by(ARRIVALS.c.missing_at.is_(None), ARRIVALS.c.id)
    )
    return {row.sha256: _record(anchor, row) for row in rows}


def arrived(connection: Connection) -> dict[Stratum, Arrived]:
    """All that models have judged on arrival, by what they made of it."""
    rows = connection.execute(
        select(
            *_STRATUM,
            func.count().label("images"),
            func.avg(PREDICTIONS.c.confidence).label("mean"),
        )
        .select_from(ARRIVALS)
        .join(PREDICTIONS, _AT_ARRIVAL)
        .group_by(PREDICTIONS.c.decision, _FILED_AS)
    )
    return {Stratum(row.decision, row.filed_as): Arrived(row.images, row.mean) for row in rows}


def strata_of_labelled(connection: Connection) -> dict[str, Stratum]:
    """By sha256, of pictures that somebody has spoken of and a model had judged on arrival."""
    rows = connection.execute(
        select(IMAGES.c.sha256, *_STRATUM)
        .join(ARRIVALS, ARRIVALS.c.image_id == IMAGES.c.id)
        .join(PREDICTIONS, _AT_ARRIVAL)
        .where(IMAGES.c.id.in_(_LABELLED))
        .order_by(ARRIVALS.c.id)
    )
    return {row.sha256: Stratum(row.decision, row.filed_as) for row in rows}


_LABELLED = select(LABELS.c.image_id).where(stands()).distinct()
_AT_ARRIVAL = and_(
    PREDICTIONS.c.image_id == ARRIVALS.c.image_id, PREDICTIONS.c.model == ARRIVALS.c.model
)
_FILED_AS = case((PREDICTIONS.c.decision == "filed", PREDICTIONS.c.class_id), else_=None)
_STRATUM = (PREDICTIONS.c.decision, _FILED_AS.label("filed_as"))


def _facts() -> Select[*tuple[Any, ...]]:
    return select(
        *(IMAGES.c.sha256, IMAGES.c.dhash, IMAGES.c.camera, IMAGES.c.captured_at, IMAGES.c.split),
        *(ARRIVALS.c.subfolder, ARRIVALS.c.path_bytes, ARRIVALS.c.missing_at, ARRIVALS.c.class_id),
    ).outerjoin(ARRIVALS, ARRIVALS.c.image_id == IMAGES.c.id)


def _record(anchor: Anchor, row: Row[Any]) -> TrainingRecord:
    return TrainingRecord(
        sha256=row.sha256,
        dhash=None if row.dhash is None else int(row.dhash, 16),
        camera=row.camera,
        captured_at=row.captured_at,
        subfolder=row.subfolder or "",
        side=row.split,
        path=None if row.path_bytes is None else anchor.absolute(row.path_bytes),
        there=row.path_bytes is not None and row.missing_at is None,
    )


class TrainingTopic(Topic):
    """What training wants to know."""

    records = reading_paths(records)
    arrived = reading(arrived)
    strata_of_labelled = reading(strata_of_labelled)
