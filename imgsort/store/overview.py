"""The counts that `imgsort status` shows."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, func, select

from imgsort.tables import ArrivalRow, ClassRow, LabelRow, ModelRow, MoveRow

_MOST = 10


@dataclass(frozen=True, slots=True)
class ClassCount:
    name: str
    images: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What the log holds. Unless said otherwise, counts are of arrivals whose file has landed."""

    filed: int
    unsure: int
    rejected: int
    classes: tuple[ClassCount, ...]
    """The ten classes with most files filed into them, most first."""
    today: int
    """Arrivals since the moment that was asked about."""
    last_arrival: datetime | None
    corrected: int
    """Arrivals whose image a human has since called something else."""
    labels_since_training: int
    unfinished: int
    """Moves that are planned and not done: none but while a batch is being filed."""

    @property
    def total(self) -> int:
        return self.filed + self.unsure + self.rejected


def overview(connection: Connection, today: datetime) -> Overview:
    """``today`` is when the day began."""
    tallies = _tallies(connection)
    return Overview(
        filed=_of_decision(tallies, "filed"),
        unsure=_of_decision(tallies, "unsure"),
        rejected=_of_decision(tallies, "rejected"),
        classes=_largest(connection, tallies),
        today=_since(connection, today),
        last_arrival=connection.scalar(select(func.max(ArrivalRow.arrived_at))),
        corrected=_corrected(connection),
        labels_since_training=_labels_since_training(connection),
        unfinished=_unfinished(connection),
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What arrivals are counted by."""

    class_id: int | None
    decision: str


def _tallies(connection: Connection) -> Counter[_Kind]:
    # Without a condition, so that a narrow index is all that is read (75 ms at 1,000,000 rows);
    # the few rows that are not filed yet are taken off one by one.
    kind = (ArrivalRow.class_id, ArrivalRow.decision)
    every = connection.execute(select(*kind, func.count()).group_by(*kind))
    tallies = Counter({_Kind(row[0], row[1]): int(row[2]) for row in every})
    decided = connection.execute(select(*kind).where(ArrivalRow.state == "decided"))
    tallies.subtract(_Kind(row[0], row[1]) for row in decided)
    return tallies


def _of_decision(tallies: Counter[_Kind], decision: str) -> int:
    return sum(number for kind, number in tallies.items() if kind.decision == decision)


def _largest(connection: Connection, tallies: Counter[_Kind]) -> tuple[ClassCount, ...]:
    largest = [
        (kind.class_id, number)
        for kind, number in tallies.most_common()
        if kind.decision == "filed" and kind.class_id is not None and number > 0
    ][:_MOST]
    wanted = [class_id for class_id, _ in largest]
    rows = connection.execute(select(ClassRow.id, ClassRow.name).where(ClassRow.id.in_(wanted)))
    names = {row.id: row.name for row in rows}
    return tuple(ClassCount(names[class_id], number) for class_id, number in largest)


def _since(connection: Connection, moment: datetime) -> int:
    return _number(
        connection,
        select(func.count()).select_from(ArrivalRow).where(ArrivalRow.arrived_at >= moment),
    )


def _corrected(connection: Connection) -> int:
    newest = (
        select(LabelRow.image_id, func.max(LabelRow.id).label("id"))
        .group_by(LabelRow.image_id)
        .subquery()
    )
    statement = (
        select(func.count())
        .select_from(newest)
        .join(LabelRow, LabelRow.id == newest.c.id)
        .join(ArrivalRow, ArrivalRow.image_id == newest.c.image_id)
        .where(LabelRow.class_id != ArrivalRow.class_id, ArrivalRow.state == "filed")
    )
    return _number(connection, statement)


def _labels_since_training(connection: Connection) -> int:
    """Labels given since the newest model that was trained here; v1 comes without training."""
    trained = select(func.max(ModelRow.created_at)).where(ModelRow.kind != "imagenet")
    latest = connection.scalar(trained)
    labels = select(func.count()).select_from(LabelRow).where(LabelRow.kind == "label")
    return _number(
        connection, labels if latest is None else labels.where(LabelRow.labelled_at > latest)
    )


def _unfinished(connection: Connection) -> int:
    return _number(
        connection, select(func.count()).select_from(MoveRow).where(MoveRow.state == "planned")
    )


def _number(connection: Connection, statement: Executable) -> int:
    return int(connection.execute(statement).scalar_one())
