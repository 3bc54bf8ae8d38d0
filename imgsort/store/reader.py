"""imgsort.db as `log`, `status` and drift ask it: the part of ``Store`` that loads quickly."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from imgsort.disk.closing import Closing
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import classes, log
from imgsort.store import drift as watching
from imgsort.store.engine import Database, write_ahead
from imgsort.store.folder_counts import FolderCounts, lying
from imgsort.store.overview import Overview, overview
from imgsort.store.paths import Anchor
from imgsort.store.revision import require_current
from imgsort.store.tables import ARRIVALS
from imgsort.workspace.closest_name import closest


class Reader(Closing):
    """Open with ``open``. Threads may share one; each call is one transaction.

    Any call may raise StoreFull, StoreBusy (both pass by themselves: try again later), StoreBroken,
    or DatabaseProblem when the file turns out to be damaged.
    """

    def __init__(self, database: Database, anchor: Anchor) -> None:
        self._database = database
        self._anchor = anchor

    @classmethod
    def open(cls, database: Path, *, root: Path, checkpointer: bool = False) -> Self:
        """Open a database at this program's revision; paths below ``root`` are kept relative to it.

        Only the one process that holds ``state/lock`` may be the ``checkpointer``. Raises
        DatabaseProblem for a file that is missing, damaged, of another revision or not writable.
        """
        require_current(database)
        if checkpointer:
            write_ahead(database)
        return cls(Database(database, checkpointer=checkpointer), Anchor.at(root))

    def close(self) -> None:
        self._database.close()

    def log(self, filters: LogFilter) -> Iterator[LogRow]:
        """Matching rows, newest arrival first, read as they are asked for."""
        with self._database.reading() as connection:
            yield from log.read_log(connection, filters)

    def class_named(self, name: str) -> str | None:
        """None where there is such a class, retired or not; else the closest, or ``""``."""
        with self._database.reading() as connection:
            if log.is_class(connection, name):
                return None
            return closest(name, classes.live(connection).values()) or ""

    def arrival(self, arrival_id: int) -> LogRow | None:
        with self._database.reading() as connection:
            return next(iter(log.read_arrivals(connection, ARRIVALS.c.id == arrival_id)), None)

    def arrivals(self, ids: Collection[int]) -> Iterator[LogRow]:
        """The rows of these arrivals, as far as their files have landed."""
        wanted = sorted(ids)
        with self._database.reading() as connection:
            for start in range(0, len(wanted), 500):
                part = ARRIVALS.c.id.in_(wanted[start : start + 500])
                yield from log.read_arrivals(connection, part)

    def arrivals_at(self, path: Path) -> list[LogRow]:
        """Arrivals whose file was last known at this absolute path, newest first."""
        lying_there = ARRIVALS.c.path_bytes == self._anchor.stored(path)
        with self._database.reading() as connection:
            return log.read_arrivals(connection, lying_there)

    def judgements(self, period: watching.Period, most: int) -> watching.Judgements:
        """What was decided about the newest ``most`` arrivals of a period."""
        with self._database.reading() as connection:
            return watching.judgements(connection, period, most)

    def unlikeness_in(self, period: watching.Period, most: int) -> list[float]:
        """How unlike its training the model found the newest ``most`` arrivals of a period."""
        with self._database.reading() as connection:
            return watching.unlikeness(connection, period, most)

    def labels_until(self, moment: datetime) -> Mapping[str, int]:
        """How many images people had put into each class by then."""
        with self._database.reading() as connection:
            return watching.labels_until(connection, moment)

    def landmarks(self) -> watching.Landmarks:
        with self._database.reading() as connection:
            return watching.landmarks(connection)

    def lying(self, folders: Sequence[Path]) -> FolderCounts:
        """How many pictures lie in sorted/, unsure/ and rejected/ (absolute), and what is gone."""
        with self._database.reading() as connection:
            return lying(connection, self._anchor, folders)

    def overview(self, today: datetime | None = None) -> Overview:
        """The counts for `status`; ``today`` is when the day began (default: local midnight)."""
        midnight = today or datetime.now().astimezone().replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        with self._database.reading() as connection:
            return overview(connection, midnight)
