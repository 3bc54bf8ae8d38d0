"""What drift and the metrics are counted from."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, func, select

from imgsort.store.standing_labels import is_here, newest_labels
from imgsort.store.tables import ARRIVALS, CLASSES, LABELS, MODELS, MOVES, PREDICTIONS, RUNS
from imgsort.store.topic import Topic, reading

_NEWEST = (ARRIVALS.c.arrived_at.desc(), ARRIVALS.c.id.desc())


@dataclass(frozen=True, slots=True)
class Period:
    """Arrivals that one model judged, from ``since`` to before ``until``; None leaves it open."""

    model: int
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        # What a person had judged anew says nothing about what came: it was the unsure, say.
        refiled = exists().where(MOVES.c.arrival_id == ARRIVALS.c.id, MOVES.c.cause == "refile")
        found: list[ColumnElement[bool]] = [ARRIVALS.c.model == self.model, ~refiled]
        if self.since is not None:
            found.append(ARRIVALS.c.arrived_at >= self.since)
        if self.until is not None:
            found.append(ARRIVALS.c.arrived_at < self.until)
        return found


@dataclass(frozen=True, slots=True)
class Judgements:
    """What was decided about arrivals."""

    filed: Counter[str]
    """By the class they were filed into, under its present name."""
    unsure: int

    @property
    def total(self) -> int:
        return self.filed.total() + self.unsure


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Figures of the whole log."""

    last_training: datetime | None
    """When the newest model that was trained here was made."""
    starts: int
    """How often `imgsort run` began its work."""


def judgements(connection: Connection, period: Period, most: int) -> Judgements:
    """Of the newest ``most`` arrivals of a period."""
    kind = (ARRIVALS.c.decision, ARRIVALS.c.class_id)
    part = select(*kind).where(*period.conditions()).order_by(*_NEWEST).limit(most).subquery()
    kinds = (part.c.decision, part.c.class_id)
    names, filed, unsure = _names(connection), Counter[str](), 0
    for decision, class_id, number in connection.execute(
        select(*kinds, func.count()).group_by(*kinds)
    ):
        if decision == "unsure":
            unsure += number
        elif class_id in names:
            filed[names[class_id]] += number
    return Judgements(filed, unsure)


def unlikeness(connection: Connection, period: Period, most: int) -> list[float]:
    """Of the images of the newest ``most`` arrivals of a period, where the model has told it."""
    part = (
        select(ARRIVALS.c.image_id).where(*period.conditions()).order_by(*_NEWEST).limit(most)
    ).subquery()
    told = select(PREDICTIONS.c.unlikeness).where(
        PREDICTIONS.c.image_id.in_(select(part.c.image_id)),
        PREDICTIONS.c.model == period.model,
        PREDICTIONS.c.unlikeness.is_not(None),
    )
    return [one for one in connection.scalars(told) if one is not None]


def labels_until(connection: Connection, moment: datetime) -> Counter[str]:
    """What people had called images by then, the newest word on each, by class."""
    newest = newest_labels(LABELS.c.labelled_at <= moment, is_here())
    rows = connection.execute(
        select(LABELS.c.class_id, func.count())
        .where(LABELS.c.id.in_(newest), LABELS.c.kind == "label")
        .group_by(LABELS.c.class_id)
    )
    names = _names(connection)
    return Counter({names[row[0]]: int(row[1]) for row in rows if row[0] in names})


def landmarks(connection: Connection) -> Landmarks:
    trained = select(func.max(MODELS.c.created_at)).where(MODELS.c.kind != "imagenet")
    starts = select(func.count()).select_from(RUNS).where(RUNS.c.kind == "run")
    return Landmarks(connection.scalar(trained), connection.execute(starts).scalar_one())


def _names(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(CLASSES.c.id, CLASSES.c.name))}


class DriftTopic(Topic):
    """What drift and the metrics are counted from."""

    judgements = reading(judgements)
    unlikeness = reading(unlikeness)
    labels_until = reading(labels_until)
    landmarks = reading(landmarks)
