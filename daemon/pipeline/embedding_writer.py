"""Stores the embeddings that inference makes, beside it: they are welcome, never waited for."""

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.daemon.log_output import Notices
from imgsort.disk.closing import Closing
from imgsort.errors import ImgsortError
from imgsort.models.embedding_cache import EmbeddingStore

QUEUED_BATCHES = 64
CLOSE_SECONDS = 5.0
_TOGETHER = 8
"""Batches that one transaction takes at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    backbone_id: str
    precision: str
    vectors: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _NoMore:
    """No more will come."""


class EmbeddingKeeper(Closing):
    """A queue in memory and a thread that empties it into embeddings.db.

    When the disk can't keep up, or is full, embeddings are dropped: they can be computed again.
    """

    def __init__(
        self,
        path: Path,
        max_gb: float,
        labelled: Callable[[], Collection[str]],
        notices: Notices,
    ) -> None:
        """``labelled``: the content hashes that are dropped last once the file outgrows its
        limit."""
        self.max_gb = max_gb
        """1e9 bytes; may be changed at any time. 0: nothing is stored."""
        self._path = path
        self._labelled = labelled
        self._notices = notices
        self._queue: queue.Queue[_Batch | _NoMore] = queue.Queue(QUEUED_BATCHES)
        self._thread = threading.Thread(target=self._run, name="embeddings", daemon=True)
        self._thread.start()

    def keep(
        self, backbone_id: str, precision: str, vectors: Mapping[str, NDArray[np.float32]]
    ) -> None:
        """Take one batch; returns at once."""
        if self.max_gb <= 0:
            return
        try:
            self._queue.put_nowait(_Batch(backbone_id, precision, dict(vectors)))
        except queue.Full:
            self._say("the disk is slower than the model")

    def close(self) -> None:
        """Store what is queued, for a few seconds at most."""
        with suppress(queue.Full):
            self._queue.put(_NoMore(), timeout=CLOSE_SECONDS)
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        store: EmbeddingStore | None = None
        for batch in self._batches():
            try:
                store = store or EmbeddingStore.open(self._path, checkpointer=True)
                store.put(batch.backbone_id, batch.precision, batch.vectors)
                store.trim(self.max_gb, self._labelled)
            except (ImgsortError, OSError) as problem:
                self._say(str(problem))
            except Exception as failure:  # noqa: BLE001  (told)
                self._notices.failed("keeping embeddings", failure)
        if store is not None:
            store.close()

    def _batches(self) -> Iterator[_Batch]:
        """What is queued, joined where it is of one kind: a transaction costs more than a row."""
        ended = False
        while not ended:
            item = self._queue.get()
            waiting: list[_Batch] = []
            with suppress(queue.Empty):
                while isinstance(item, _Batch):
                    waiting.append(item)
                    if len(waiting) == _TOGETHER:
                        break
                    item = self._queue.get_nowait()
            ended = isinstance(item, _NoMore)
            yield from _joined(waiting)

    def _say(self, why: str) -> None:
        self._notices.each_minute("embeddings", f"some embeddings were not stored: {why}")


def _joined(batches: list[_Batch]) -> Iterator[_Batch]:
    by_space: dict[tuple[str, str], _Batch] = {}
    for batch in batches:
        first = by_space.setdefault((batch.backbone_id, batch.precision), batch)
        first.vectors.update(batch.vectors)
    yield from by_space.values()
