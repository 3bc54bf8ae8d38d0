"""``Store``: the database as the rest of imgsort sees it, a topic at a time."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from imgsort.disk.closing import Closing
from imgsort.store.engine import Database, write_ahead
from imgsort.store.paths import Anchor
from imgsort.store.revision import require_current

if TYPE_CHECKING:
    from imgsort.store.acts import ActTopic
    from imgsort.store.archive_parts import ArchiveTopic
    from imgsort.store.audit_draw import AuditTopic
    from imgsort.store.classes import ClassTopic
    from imgsort.store.decode_attempts import AttemptTopic
    from imgsort.store.drift import DriftTopic
    from imgsort.store.files import FileTopic
    from imgsort.store.history import HistoryTopic
    from imgsort.store.journal import JournalTopic
    from imgsort.store.labels import LabelTopic
    from imgsort.store.layouts import LayoutTopic
    from imgsort.store.listing import ListTopic
    from imgsort.store.log import LogTopic
    from imgsort.store.overview import CountTopic
    from imgsort.store.pictures import PictureTopic
    from imgsort.store.predictions import PredictionTopic
    from imgsort.store.run_log import RunTopic
    from imgsort.store.training import TrainingTopic


class Store(Closing):
    """Open with ``Store.open``. Threads may share one; each call of a topic is one transaction.

    Besides what a method names, any may raise StoreFull, StoreBusy (both pass by themselves: try
    again later), StoreBroken, or DatabaseProblem when the file turns out to be damaged. A topic is
    imported when it is first asked for: `log` and `status` want few of them.
    """

    def __init__(self, database: Database, anchor: Anchor) -> None:
        self._database, self._anchor = database, anchor

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

    def integrity(self) -> list[str]:
        """What is wrong with the database file, in SQLite's words; empty when it is sound."""
        return self._database.integrity()

    @cached_property
    def runs(self) -> "RunTopic":
        from imgsort.store.run_log import RunTopic

        return RunTopic(self._database, self._anchor)

    @cached_property
    def labels(self) -> "LabelTopic":
        from imgsort.store.labels import LabelTopic

        return LabelTopic(self._database, self._anchor)

    @cached_property
    def classes(self) -> "ClassTopic":
        from imgsort.store.classes import ClassTopic

        return ClassTopic(self._database, self._anchor)

    @cached_property
    def predictions(self) -> "PredictionTopic":
        from imgsort.store.predictions import PredictionTopic

        return PredictionTopic(self._database, self._anchor)

    @cached_property
    def journal(self) -> "JournalTopic":
        from imgsort.store.journal import JournalTopic

        return JournalTopic(self._database, self._anchor)

    @cached_property
    def files(self) -> "FileTopic":
        from imgsort.store.files import FileTopic

        return FileTopic(self._database, self._anchor)

    @cached_property
    def training(self) -> "TrainingTopic":
        from imgsort.store.training import TrainingTopic

        return TrainingTopic(self._database, self._anchor)

    @cached_property
    def pictures(self) -> "PictureTopic":
        from imgsort.store.pictures import PictureTopic

        return PictureTopic(self._database, self._anchor)

    @cached_property
    def history(self) -> "HistoryTopic":
        from imgsort.store.history import HistoryTopic

        return HistoryTopic(self._database, self._anchor)

    @cached_property
    def layouts(self) -> "LayoutTopic":
        from imgsort.store.layouts import LayoutTopic

        return LayoutTopic(self._database, self._anchor)

    @cached_property
    def log(self) -> "LogTopic":
        from imgsort.store.log import LogTopic

        return LogTopic(self._database, self._anchor)

    @cached_property
    def archives(self) -> "ArchiveTopic":
        from imgsort.store.archive_parts import ArchiveTopic

        return ArchiveTopic(self._database, self._anchor)

    @cached_property
    def audits(self) -> "AuditTopic":
        from imgsort.store.audit_draw import AuditTopic

        return AuditTopic(self._database, self._anchor)

    @cached_property
    def drift(self) -> "DriftTopic":
        from imgsort.store.drift import DriftTopic

        return DriftTopic(self._database, self._anchor)

    @cached_property
    def counts(self) -> "CountTopic":
        from imgsort.store.overview import CountTopic

        return CountTopic(self._database, self._anchor)

    @cached_property
    def attempts(self) -> "AttemptTopic":
        from imgsort.store.decode_attempts import AttemptTopic

        return AttemptTopic(self._database, self._anchor)

    @cached_property
    def lists(self) -> "ListTopic":
        from imgsort.store.listing import ListTopic

        return ListTopic(self._database, self._anchor)

    @cached_property
    def acts(self) -> "ActTopic":
        from imgsort.store.acts import ActTopic

        return ActTopic(self._database, self._anchor)
