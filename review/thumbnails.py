"""Pictures for the page: pixels that a decoder worker gave, as a new JPEG."""

import asyncio
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from starlette.concurrency import run_in_threadpool

from imgsort.disk.closing import Closing
from imgsort.errors import ImgsortError
from imgsort.images import decode_for_display
from imgsort.images.jpeg import jpeg_of
from imgsort.images.outcome import NoAttempts, Outcome, Picture, Refused
from imgsort.images.pool import DecoderPool, open_decoder
from imgsort.images.thumbnails import whole_picture
from imgsort.images.worker_task import Decode
from imgsort.store import Store
from imgsort.store.thumbnail_file import ThumbnailFile
from imgsort.workspace.workspace import Workspace

SIDES = (192, 384, 1600)
"""Longest sides, pixels."""
_SMALL, _LARGE = 384, 1600
"""What the two pools decode to: a pool has one size."""
_MEMORY_BYTES = 64_000_000
_MOST_REMEMBERED = 100_000
_AHEAD = 1
"""So many files more than there are workers are handed over; of the rest those go that nobody waits
for any more."""
IDLE_SECONDS = 300.0
"""Without a picture to decode; then the worker processes are let go until there is one."""

State = Literal["here", "gone", "changed", "unreadable"]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What is shown of one content: a JPEG, or why there is none."""

    state: State
    jpeg: bytes = b""
    reason: str | None = None


GONE = Thumbnail("gone", reason="its file is gone")
CHANGED = Thumbnail("changed", reason="another picture lies there now")


@dataclass(eq=False, slots=True)
class _Wanted:
    """One content wanted at one side; gone when nobody waits for it any more."""

    sha256: str
    side: int
    paths: Sequence[Path]
    outcome: "asyncio.Future[Thumbnail]"
    waiting: int = 0


class _Line:
    """One pool and what waits for it, in the order in which it was asked for. In the loop only.

    A browser asks for few at a time, and takes back what was scrolled away.
    """

    def __init__(
        self,
        workers: int,
        opened: Callable[[int], DecoderPool],
        finish: "Callable[[_Wanted, Outcome], Thumbnail | None]",
        idle_seconds: float,
    ) -> None:
        """``finish`` gives None where another file of the content is to be tried."""
        self._workers, self._room = workers, workers + _AHEAD
        self._opened, self._finish, self._idle_seconds = opened, finish, idle_seconds
        self._pool: DecoderPool | None = None
        self._waiting: deque[_Wanted] = deque()
        self._resting: asyncio.TimerHandle | None = None
        self._rebuilt = 0

    def add(self, job: _Wanted) -> None:
        self._waiting.append(job)

    def pump(self) -> None:
        """Hand over as much as there is room for, but nothing that nobody waits for any more."""
        while self._room and self._waiting:
            job = self._waiting.popleft()
            if not job.waiting:
                job.outcome.cancel()
            elif not job.outcome.done():
                self._room -= 1
                self._submit(job, 0)

    def ready(self) -> DecoderPool:
        """Its workers, started if they aren't, and let go once nothing has come for long."""
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(self._idle_seconds, self._rest)
        if self._pool is None:
            self._pool = self._opened(self._workers)
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def rebuilt(self) -> int:
        return self._rebuilt + (0 if self._pool is None else self._pool.rebuilt)

    def _rest(self) -> None:
        if self._room <= self._workers:
            self.ready()  # one is still at work; it is given the time again
            return
        self._rebuilt, pool = self.rebuilt(), self._pool
        self._pool = None
        if pool is not None:  # closing waits for its processes to end
            asyncio.get_running_loop().run_in_executor(None, pool.close)

    def _submit(self, job: _Wanted, number: int) -> None:
        loop = asyncio.get_running_loop()

        def done(future: "Future[Outcome]") -> None:
            """In the lane's thread, where encoding holds up nobody else."""
            result: Thumbnail | BaseException | None
            try:
                result = self._finish(job, future.result())
            except BaseException as problem:  # noqa: BLE001 - it belongs to whoever waits for it
                result = problem
            with suppress(RuntimeError):  # the loop has ended, and with it who waited
                loop.call_soon_threadsafe(self._told, job, number, result)

        self.ready().submit(job.paths[number]).add_done_callback(done)

    def _told(self, job: _Wanted, number: int, result: Thumbnail | BaseException | None) -> None:
        if result is None and number + 1 < len(job.paths):
            self._submit(job, number + 1)
            return
        self._room += 1
        if isinstance(result, BaseException):
            job.outcome.set_exception(result)
        else:
            job.outcome.set_result(result or CHANGED)
        self.pump()


@dataclass(slots=True)
class _Memory:
    """What was asked for last."""

    kept: "OrderedDict[tuple[str, int], Thumbnail]" = field(default_factory=OrderedDict)
    size: int = 0

    def get(self, key: tuple[str, int]) -> Thumbnail | None:
        found = self.kept.get(key)
        if found is not None:
            self.kept.move_to_end(key)
        return found

    def put(self, key: tuple[str, int], one: Thumbnail) -> None:
        if key in self.kept:
            return
        self.kept[key] = one
        self.size += len(one.jpeg)
        while self.size > _MEMORY_BYTES or len(self.kept) > _MOST_REMEMBERED:
            _, old = self.kept.popitem(last=False)
            self.size -= len(old.jpeg)


class Gallery(Closing):
    """Asked from the loop. Workers start when the first picture is wanted."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        decode: Decode = decode_for_display,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._workspace, self._store, self._decode = workspace, store, decode
        self._attempts = NoAttempts()
        self._file = ThumbnailFile(
            workspace.thumbnails, int(workspace.config.review.thumbnails_max_mb * 1e6)
        )
        self._memory = _Memory()
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, int], _Wanted] = {}
        many = workspace.config.decode.workers or len(os.sched_getaffinity(0))
        few = 1 if workspace.daemon_pid() is not None else many
        self._lines = {
            side: _Line(workers, partial(self._pool, side), self._finished, idle_seconds)
            for side, workers in ((_SMALL, few), (_LARGE, 1))
        }

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        self._file.close()

    def rebuilt(self) -> int:
        """How many workers had to be replaced."""
        return sum(line.rebuilt() for line in self._lines.values())

    def get_ready(self) -> None:
        """Somebody comes: start the workers that the first sheet will need. In the loop."""
        with suppress(ImgsortError):  # who asks for a picture is told
            self._lines[_SMALL].ready()

    async def get(self, sha256: str, side: int) -> Thumbnail | None:
        """None for a content that the log doesn't know."""
        key = (sha256, side)
        with self._lock:
            kept = self._memory.get(key)
        if kept is not None:
            return kept
        job = self._jobs.get(key)
        if job is None:
            found = await run_in_threadpool(self._kept_or_paths, sha256, side)
            if found is None or isinstance(found, Thumbnail):
                return found
            job = self._jobs.get(key) or self._wanted(sha256, side, found)
        job.waiting += 1
        self._lines[_base(side)].pump()
        try:
            return await asyncio.shield(job.outcome)
        finally:
            job.waiting -= 1

    def _kept_or_paths(self, sha256: str, side: int) -> Thumbnail | list[Path] | None:
        jpeg = self._file.get(sha256, side)
        if jpeg is not None:
            return self._remembered(sha256, side, Thumbnail("here", jpeg))
        paths = self._store.lists.files_of(sha256)
        if paths is None:
            return None
        return [Path(path) for path in paths] or GONE

    def _wanted(self, sha256: str, side: int, paths: Sequence[Path]) -> _Wanted:
        key = (sha256, side)
        job = _Wanted(sha256, side, paths, asyncio.get_running_loop().create_future())
        self._jobs[key] = job
        job.outcome.add_done_callback(lambda _: self._jobs.pop(key, None))
        self._lines[_base(side)].add(job)
        return job

    def _finished(self, job: _Wanted, outcome: Outcome) -> Thumbnail | None:
        """None where another file may have it. In a lane's thread."""
        if isinstance(outcome, Picture):
            if outcome.sha256 != job.sha256:
                return None
            jpeg = jpeg_of(whole_picture(outcome, _base(job.side)).pixels, job.side)
            self._file.put(job.sha256, job.side, jpeg)
            return self._remembered(job.sha256, job.side, Thumbnail("here", jpeg))
        if isinstance(outcome, Refused):
            if outcome.sha256 != job.sha256:
                return None
            refused = Thumbnail("unreadable", reason=outcome.reason)
            return self._remembered(job.sha256, job.side, refused)
        return GONE if not outcome.path.exists() else Thumbnail("unreadable", reason=outcome.reason)

    def _remembered(self, sha256: str, side: int, one: Thumbnail) -> Thumbnail:
        with self._lock:
            self._memory.put((sha256, side), one)
        return one

    def _pool(self, side: int, workers: int) -> DecoderPool:
        limits = self._workspace.config.decode.model_copy(update={"workers": workers})
        bases = self._workspace.picture_folders
        return open_decoder(limits, side, self._attempts, bases, self._decode)


def _base(side: int) -> int:
    """The side that its pool decodes to."""
    return _SMALL if side <= _SMALL else _LARGE
