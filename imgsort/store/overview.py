"""The counts that `imgsort status` shows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, Select, Table, func, select

from imgsort.store.arrival_counts import ArrivalKind, counts
from imgsort.store.folder_counts import lying
from imgsort.store.standing_labels import is_here, newest_label_of_arrival, newest_labels, stands
from imgsort.store.tables import ARRIVALS, CLASSES, LABELS, MODELS, MOVES, RUNS
from imgsort.store.topic import Topic, reading, reading_paths

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
    tallies = counts(connection)
    rest = connection.execute(
        select(
            _of_today(today).label("today"),
            select(func.max(ARRIVALS.c.arrived_at)).scalar_subquery().label("last_arrival"),
            _corrected().label("corrected"),
            _labels_since_training().label("labels_since_training"),
            _unfinished().label("unfinished"),
        )
    ).one()
    return Overview(
        filed=_of_decision(tallies, "filed"),
        unsure=_of_decision(tallies, "unsure"),
        rejected=_of_decision(tallies, "rejected"),
        classes=_largest(connection, tallies),
        today=rest.today,
        last_arrival=rest.last_arrival,
        corrected=rest.corrected,
        labels_since_training=rest.labels_since_training,
        unfinished=rest.unfinished,
    )


def _of_decision(tallies: Counter[ArrivalKind], decision: str) -> int:
    return sum(number for kind, number in tallies.items() if kind.decision == decision)


def _largest(connection: Connection, tallies: Counter[ArrivalKind]) -> tuple[ClassCount, ...]:
    largest = [
        (kind.class_id, number)
        for kind, number in tallies.most_common()
        if kind.decision == "filed" and kind.class_id is not None and number > 0
    ][:_MOST]
    wanted = [class_id for class_id, _ in largest]
    rows = connection.execute(select(CLASSES.c.id, CLASSES.c.name).where(CLASSES.c.id.in_(wanted)))
    names = {row.id: row.name for row in rows}
    return tuple(ClassCount(names[class_id], number) for class_id, number in largest)


def _of_today(moment: datetime) -> ScalarSelect[int]:
    return _count(ARRIVALS).where(ARRIVALS.c.arrived_at >= moment).scalar_subquery()


def _corrected() -> ScalarSelect[int]:
    # Of an index alone, label by label; what is not filed yet (``decided``) is taken off.
    all_of_them = (
        _count(LABELS)
        .join(ARRIVALS, ARRIVALS.c.image_id == LABELS.c.image_id)
        .where(LABELS.c.id.in_(newest_labels()), LABELS.c.class_id != ARRIVALS.c.class_id)
    )
    said = newest_label_of_arrival(LABELS.c.class_id)
    decided = _count(ARRIVALS).where(ARRIVALS.c.state == "decided", ARRIVALS.c.class_id != said)
    return select(all_of_them.scalar_subquery() - decided.scalar_subquery()).scalar_subquery()


def _labels_since_training() -> ScalarSelect[int]:
    """Labels that the newest model trained here can't have learned from; v1 comes without training.

    Those are all that were given since its training began, but for what that one itself learned
    from moved files: what people say while it runs is for the next one.
    """
    learned = MODELS.c.kind != "imagenet"
    trained = select(func.coalesce(func.max(MODELS.c.created_at), "")).where(learned)
    ran = select(func.max(RUNS.c.id)).where(
        RUNS.c.kind == "retrain", RUNS.c.started_at <= trained.scalar_subquery()
    )
    began = select(RUNS.c.started_at).where(RUNS.c.id == ran.scalar_subquery())
    labels = _count(LABELS).where(
        LABELS.c.kind == "label",
        LABELS.c.labelled_at > func.coalesce(began.scalar_subquery(), trained.scalar_subquery()),
        func.coalesce(LABELS.c.run_id, 0) != func.coalesce(ran.scalar_subquery(), -1),
        stands(),
        is_here(),
    )
    return labels.scalar_subquery()


def _unfinished() -> ScalarSelect[int]:
    return _count(MOVES).where(MOVES.c.state == "planned").scalar_subquery()


def _count(table: Table) -> Select[int]:
    return select(func.count()).select_from(table)


@dataclass(frozen=True, slots=True)
class LogTally:
    """So little that it may be asked every second: told apart, two say what came meanwhile."""

    decisions: Mapping[str, int]
    """Arrivals whose file has landed, by decision."""
    filed: Mapping[str, int]
    """Of those filed, by class."""
    last_word: int
    """The newest label's id."""


def tally(connection: Connection) -> LogTally:
    tallies = counts(connection)
    names = {row.id: row.name for row in connection.execute(select(CLASSES.c.id, CLASSES.c.name))}
    decisions: Counter[str] = Counter()
    filed: Counter[str] = Counter()
    for kind, number in tallies.items():
        decisions[kind.decision] += number
        if kind.decision == "filed" and kind.class_id is not None:
            filed[names[kind.class_id]] += number
    last = connection.scalar(select(func.max(LABELS.c.id)))
    return LogTally(decisions, filed, last or 0)


class CountTopic(Topic):
    """The counts of `status`."""

    lying = reading_paths(lying)
    tally = reading(tally)

    def overview(self, today: datetime | None = None) -> Overview:
        """``today`` is when the day began (default: local midnight)."""
        midnight = today or datetime.now().astimezone().replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        with self.read() as connection:
            return overview(connection, midnight)
