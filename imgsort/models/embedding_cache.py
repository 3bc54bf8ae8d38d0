"""Embeddings that were computed before: float16 in state/embeddings.db.

Derived data: the file is never needed to rebuild anything, and may be deleted at any time.
"""

import logging
import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from imgsort.disk.closing import Closing
from imgsort.store.embeddings import (
    Damaged,
    Entry,
    Space,
    Vector,
    VectorFile,
    files_of,
    size_on_disk,
)

PLAIN = 0
"""The view that is the picture as it is; augmented views have other numbers."""
_AT_ONCE = 1000
_GB = 1e9
_SLACK = 0.1
"""Trimming goes this far below the limit, so that it is rare."""

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


class EmbeddingStore(Closing):
    """Embeddings by content hash, backbone, precision and view. Threads may share it.

    A damaged file is made anew with one line in the log. Every method may raise StoreFull,
    StoreBusy, StoreBroken, or DatabaseProblem for a file that this user can't write.
    """

    def __init__(self, path: Path, *, checkpointer: bool) -> None:
        self._path = path
        self._checkpointer = checkpointer
        self._lock = threading.RLock()
        self._file: VectorFile | None = None
        self._usable(lambda _: None)

    @classmethod
    def open(cls, path: Path, *, checkpointer: bool = False) -> Self:
        """Open, or make, the file. Only the holder of state/lock may be the ``checkpointer``."""
        return cls(path, checkpointer=checkpointer)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def put(
        self,
        backbone_id: str,
        precision: str,
        vectors: Mapping[str, NDArray[np.float32]],
        view: int = PLAIN,
    ) -> None:
        """Keep vectors [D] by content hash, in one transaction; what is there already stays.

        Those that float16 can't hold (not finite, or beyond 65,504) are left out.
        """
        if not vectors:
            return
        halves = _halved(np.stack(list(vectors.values())))
        held: list[bool] = np.array(np.isfinite(halves).all(axis=1), np.bool_).tolist()
        rows = [
            Vector(sha256, view, half.tobytes())
            for sha256, half, whole in zip(vectors, halves, held, strict=True)
            if whole
        ]
        if rows:
            space = Space(backbone_id, precision)
            self._usable(lambda file: file.put(space, rows))

    def get(
        self,
        backbone_id: str,
        precision: str,
        sha256s: Iterable[str],
        view: int = PLAIN,
        first: int | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """The stored vectors [D] of these contents, or the ``first`` numbers of each.

        The unknown are left out.
        """
        space, wanted = Space(backbone_id, precision), list(sha256s)
        found: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(wanted), _AT_ONCE):  # so that memory doesn't hold all bytes too
            part = wanted[start : start + _AT_ONCE]
            for row in self._usable(partial(VectorFile.get, space=space, sha256s=part, view=view)):
                half = np.frombuffer(row.content, np.float16)[:first]
                found[row.sha256] = half.astype(np.float32)
        return found

    @property
    def size_bytes(self) -> int:
        """What the file and its write-ahead log take on the disk."""
        return size_on_disk(self._path)

    def trim(self, max_gb: float, labelled: Callable[[], Collection[str]]) -> int:
        """Drop the oldest, unlabelled ones first, once ``max_gb`` (1e9 bytes) is passed.

        Returns how many were dropped. ``labelled`` is asked for content hashes only then.
        """
        if self.size_bytes <= max_gb * _GB:
            return 0
        return self._usable(lambda file: _trimmed(file, max_gb * _GB, labelled))

    def _usable(self, act: Callable[[VectorFile], Answer]) -> Answer:
        """Act on the file that lies at the path now; on a new one where that is damaged."""
        with self._lock:
            for _ in range(2):
                try:
                    return act(self._current())
                except Damaged as problem:
                    self._start_over(str(problem))
            return act(self._current())

    def _current(self) -> VectorFile:
        if self._file is not None and not self._file.is_there():
            self.close()  # deleted, or replaced, under our hands
        if self._file is None:
            self._file = VectorFile(self._path, checkpointer=self._checkpointer)
        return self._file

    def _start_over(self, why: str) -> None:
        replaced = self._file is not None and not self._file.is_there()
        self.close()
        if replaced:
            return  # another process has done it
        _log.warning("%s was damaged (%s); embeddings are stored anew", self._path, why)
        for path in files_of(self._path):
            path.unlink(missing_ok=True)


def victims(entries: Sequence[Entry], labelled: Collection[str], count: int) -> list[int]:
    """The ids of the ``count`` entries to drop: the oldest, unlabelled ones first. Pure."""
    unlabelled = [entry.id for entry in entries if entry.sha256 not in labelled]
    return (unlabelled + [entry.id for entry in entries if entry.sha256 in labelled])[:count]


def _trimmed(file: VectorFile, limit: float, labelled: Callable[[], Collection[str]]) -> int:
    used = file.used_bytes()
    entries = list(file.entries()) if used > limit else []
    excess = used - limit * (1 - _SLACK)
    dropped = victims(entries, labelled(), math.ceil(excess * len(entries) / used))
    file.forget(dropped)
    file.shrink()
    return len(dropped)


def _halved(vectors: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):  # infinity, which put() leaves out
        return np.asarray(vectors, np.float16)
