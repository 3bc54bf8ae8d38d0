"""``Store``: the database as the rest of imgsort sees it, values in and values out."""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import insert, update

from imgsort.classifier import Verdict
from imgsort.identity import Identity
from imgsort.journal import Landed, Plan, Planned
from imgsort.logquery import LogFilter, LogRow
from imgsort.store import attempts, journal, log, predictions
from imgsort.store.deciding import record_decided
from imgsort.store.engine import Database
from imgsort.store.overview import Overview, overview
from imgsort.store.paths import Anchor
from imgsort.store.revision import require_current
from imgsort.tables import ArrivalRow, RunRow

if TYPE_CHECKING:
    from imgsort.modelcard import ModelCard


class Store:
    """Open with ``Store.open``. Threads may share one; each call is one transaction.

    Besides what a method names, any may raise StoreFull, StoreBusy (both pass by themselves: try
    again later), StoreBroken, or DatabaseProblem when the file turns out to be damaged.
    """

    def __init__(self, database: Database, anchor: Anchor) -> None:
        self._database = database
        self._anchor = anchor
        self._tries: dict[Identity, int] | None = None
        self._tries_lock = threading.Lock()

    @classmethod
    def open(cls, database: Path, *, root: Path, checkpointer: bool = False) -> Self:
        """Open a database at this program's revision; paths below ``root`` are kept relative to it.

        Only the one process that holds ``state/lock`` may be the ``checkpointer``. Raises
        DatabaseProblem for a file that is missing, damaged, of another revision or not writable.
        """
        require_current(database)
        return cls(Database(database, checkpointer=checkpointer), Anchor.at(root))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def integrity(self) -> list[str]:
        """What is wrong with the database file, in SQLite's words; empty when it is sound."""
        return self._database.integrity()

    # Runs, classes and models

    def begin_run(self, kind: str) -> int:
        with self._database.writing() as connection:
            statement = insert(RunRow).values(kind=kind, started_at=_now()).returning(RunRow.id)
            return connection.execute(statement).scalar_one()

    def end_run(self, run_id: int, summary: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(RunRow).where(RunRow.id == run_id).values(ended_at=_now(), summary=summary)
            )

    def ensure_classes(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of these classes, which are made if they don't exist."""
        with self._database.writing() as connection:
            return predictions.ensure_classes(connection, names, _now())

    def class_names(self) -> dict[int, str]:
        """The classes there are now, by id."""
        with self._database.reading() as connection:
            return predictions.live_classes(connection)

    def add_model(self, card: "ModelCard") -> None:
        """Make a registry version known, so that predictions can refer to it. May be repeated.

        Raises ModelProblem where another model has had this version's number.
        """
        with self._database.writing() as connection:
            predictions.ensure_model(connection, card)

    def predictions_for(self, sha256s: Collection[str], model: int) -> dict[str, Verdict]:
        """What ``model`` has said before of images with this content; the unknown are left out."""
        with self._database.reading() as connection:
            return predictions.predictions_for(connection, sha256s, model)

    # The filing protocol

    def record_decided(self, run_id: int, plans: Sequence[Plan]) -> list[Planned]:
        """TX1: write a batch down before any of its files moves. The answers keep the order.

        A sidecar plan that names no arrival belongs to the picture planned last before it.
        """
        with self._database.writing() as connection:
            return record_decided(connection, self._anchor, run_id, plans, _now())

    def retarget(self, move_id: int, target: Path) -> None:
        """Aim a planned move at another unused name."""
        with self._database.writing() as connection:
            journal.retarget(connection, self._anchor, move_id, target)

    def mark_landed(self, landed: Sequence[Landed]) -> None:
        """TX2: these files lie at their targets. May be repeated."""
        with self._database.writing() as connection:
            journal.mark_landed(connection, self._anchor, landed)
        if self._tries:  # some may have been forgotten with this
            self._tries = None

    def drop(self, move_ids: Sequence[int]) -> None:
        """These planned moves won't happen: forget them, and arrivals that were only decided."""
        with self._database.writing() as connection:
            journal.drop(connection, move_ids)

    def unfinished(self) -> list[Planned]:
        """Planned moves that nobody has marked landed, oldest first."""
        with self._database.reading() as connection:
            return journal.unfinished(connection, self._anchor)

    def reserved_targets(self) -> set[Path]:
        """Targets of planned moves: names that are taken although no file bears them yet."""
        with self._database.reading() as connection:
            return journal.reserved_targets(connection, self._anchor)

    def known_copies(self, identities: Iterable[Identity]) -> set[Identity]:
        """Which of these inbox files have been copied out before (mode copy)."""
        with self._database.reading() as connection:
            return journal.known_copies(connection, identities)

    # decoder.Attempts

    def count(self, identity: Identity) -> int:
        """How often decoding this file has crashed or hung; kept at hand, every image asks."""
        with self._tries_lock:
            if self._tries is None:
                with self._database.reading() as connection:
                    self._tries = attempts.counts(connection)
            return self._tries.get(identity, 0)

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        """Count one more crash or hang; on disk when this returns. Forgotten once it is filed."""
        with self._tries_lock:
            with self._database.writing() as connection:
                stored = self._anchor.stored(path)
                attempts.record(connection, identity, stored, reason, _now())
            self._tries = None

    # The log

    def log(self, filters: LogFilter) -> Iterator[LogRow]:
        """Matching rows, newest arrival first, read as they are asked for."""
        with self._database.reading() as connection:
            yield from log.read_log(connection, filters)

    def arrival(self, arrival_id: int) -> LogRow | None:
        with self._database.reading() as connection:
            return next(iter(log.read_arrivals(connection, ArrivalRow.id == arrival_id)), None)

    def arrivals_at(self, path: Path) -> list[LogRow]:
        """Arrivals whose file was last known at this absolute path, newest first."""
        lying_there = ArrivalRow.path_bytes == self._anchor.stored(path)
        with self._database.reading() as connection:
            return log.read_arrivals(connection, lying_there)

    def overview(self, today: datetime | None = None) -> Overview:
        """The counts for `status`; ``today`` is when the day began (default: local midnight)."""
        midnight = today or datetime.now().astimezone().replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        with self._database.reading() as connection:
            return overview(connection, midnight)


def _now() -> datetime:
    return datetime.now(UTC)
