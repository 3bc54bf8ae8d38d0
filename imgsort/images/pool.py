"""Files in, outcomes out: lanes of one worker process each, and the rule of two tries."""

import hashlib
import logging
import os
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from imgsort import images
from imgsort.disk.closing import Closing
from imgsort.disk.identity import Identity, open_regular
from imgsort.images import ImageLimits
from imgsort.images.outcome import Attempts, Deferred, Outcome, Picture, Refused
from imgsort.images.socket_folder import choose_socket_folder
from imgsort.images.worker import Mishap, Worker
from imgsort.images.worker_task import (
    CHANGED,
    Assignment,
    Decode,
    Finding,
    Readable,
    Unreadable,
    in_the_way,
)

TRIES = 2
FORGIVEN_KILLS = 5
_CHUNK = 1 << 20
_LONGEST_PAUSE = 2.0
_TOO_LONG = "it is too big to be read within decode.timeout_seconds"
_STALLED = "its disk or share didn't answer within decode.timeout_seconds"
_STOPPED = "imgsort was stopped before it was read"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    outcome: Future[Outcome]


class DecoderPool(Closing):
    """Decodes files in ``workers`` processes (0: one a core), none of which is trusted.

    Each picture comes out ``size`` by ``size``. One try may take ``timeout_seconds``, and
    ``memory_mb`` MB on top of an idle worker. ``decode`` must be importable by its name.
    """

    def __init__(  # noqa: PLR0913 - one keyword a limit, each from a key of config.toml
        self,
        *,
        size: int,
        limits: ImageLimits,
        timeout_seconds: float,
        memory_mb: int,
        attempts: Attempts,
        workers: int = 0,
        decode: Decode = images.decode,
        bases: tuple[Path, ...] = (),
    ) -> None:
        """``bases``: folders below which no link is followed. Raises DecoderUnavailable."""
        choose_socket_folder()
        self.last_progress = time.monotonic()
        """Monotonic seconds of the last outcome, or of the last step towards one."""
        self.rebuilt = 0
        """How many workers had to be replaced."""
        assignment = Assignment(size, limits, memory_mb, decode, bases)
        self._bases = bases
        self._seconds = timeout_seconds
        self._attempts = attempts
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = threading.Event()
        self._counting = threading.Lock()
        self._lanes = [
            threading.Thread(
                target=self._serve,
                args=(Worker(assignment),),
                name=f"decoder-{number}",
                daemon=True,
            )
            for number in range(workers or len(os.sched_getaffinity(0)))
        ]
        for lane in self._lanes:
            lane.start()

    def submit(self, path: Path) -> Future[Outcome]:
        """Queue a file. What the future raises, if anything, is a bug or a broken database."""
        job = _Job(path, Future())
        self._jobs.put(job)
        return job.outcome

    def close(self) -> None:
        """Finish the files begun, cancel those not begun, end the workers."""
        self._closing.set()
        with suppress(Empty):
            while (job := self._jobs.get_nowait()) is not None:
                job.outcome.cancel()
        for _ in self._lanes:
            self._jobs.put(None)
        for lane in self._lanes:
            lane.join()

    def _serve(self, worker: Worker) -> None:
        """One lane: a worker, and one file at a time."""
        try:
            with suppress(Exception):  # the first file tries again, and tells who waits for it
                self._start(worker)
            while (job := self._jobs.get()) is not None:
                if not job.outcome.set_running_or_notify_cancel():
                    continue
                try:
                    outcome = self._decoded(worker, job.path)
                except Exception as problem:  # noqa: BLE001 - it belongs to whoever waits for it
                    job.outcome.set_exception(problem)
                else:
                    self._step()
                    job.outcome.set_result(outcome)
        finally:
            worker.stop()

    def _decoded(self, worker: Worker, path: Path) -> Outcome:
        """Try until there is an answer or the tries are used up."""
        try:
            identity = Identity.of(os.lstat(path))
        except OSError as problem:
            return Deferred(path, in_the_way(problem))
        reason = "the decoder crashed or hung on it"
        kills = 0
        while self._attempts.count(identity) < TRIES:
            if not self._start(worker):
                return Deferred(path, _STOPPED)
            answer = worker.ask(path, self._seconds)
            if not isinstance(answer, Mishap):
                return self._told(worker, path, answer)
            self._replaced(path, answer)
            if answer is Mishap.STALLED:
                return Deferred(path, _STALLED)
            kills += answer is Mishap.KILLED
            if answer is Mishap.LOST or (answer is Mishap.KILLED and kills <= FORGIVEN_KILLS):
                continue
            reason = self._blame(answer)
            self._attempts.record(identity, path, reason)
        return self._refused(path, identity, f"{reason} ({TRIES} tries)")

    def _blame(self, mishap: Mishap) -> str:
        if mishap is Mishap.HUNG:
            return f"decoding it took longer than {self._seconds:g} s"
        if mishap is Mishap.KILLED:
            return "the decoder was killed at it again and again, as when memory runs out"
        return "the decoder crashed on it"

    def _told(self, worker: Worker, path: Path, finding: Finding) -> Outcome:
        if isinstance(finding, Readable):
            return Picture(path, finding.identity, finding.sha256, finding.facts, worker.pixels)
        if not isinstance(finding, Unreadable):
            return Deferred(path, finding.reason)
        if finding.sha256 is None:
            return self._refused(path, finding.identity, finding.reason)
        return Refused(path, finding.identity, finding.sha256, finding.reason)

    def _refused(self, path: Path, identity: Identity, reason: str) -> Refused | Deferred:
        """Refuse a file that no worker has hashed. It may be huge: it is read in pieces.

        One that takes too long stays where it is: a sparse file of terabytes costs nobody but us.
        """
        deadline = time.monotonic() + self._seconds
        try:
            descriptor = open_regular(path, self._bases)
        except OSError as problem:
            return Deferred(path, in_the_way(problem))
        try:
            digest = hashlib.sha256()
            while chunk := os.read(descriptor, _CHUNK):
                digest.update(chunk)
                self._step()
                if time.monotonic() > deadline:
                    return Deferred(path, _TOO_LONG)
            if Identity.of(os.fstat(descriptor)) != identity:
                return Deferred(path, CHANGED)
        except OSError as problem:
            return Deferred(path, in_the_way(problem))
        finally:
            os.close(descriptor)
        return Refused(path, identity, digest.hexdigest(), reason)

    def _start(self, worker: Worker) -> bool:
        """Have the worker up, however long the machine can't start one; False when closing."""
        pause = 0.1
        while not worker.start():
            if self._closing.is_set():
                return False
            _log.warning(
                "a decoder process can't be started (%s); trying again in %g s",
                worker.trouble,
                pause,
            )
            self._closing.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _replaced(self, path: Path, mishap: Mishap) -> None:
        _log.info("a decoder process %s at %r; another follows", mishap.value, str(path))
        with self._counting:
            self.rebuilt += 1
        self._step()

    def _step(self) -> None:
        self.last_progress = time.monotonic()


class DecodeLimits(Protocol):
    """What a user may set: the section [decode] of config.toml."""

    workers: int
    timeout_seconds: float
    memory_mb: int
    max_megapixels: float
    max_file_mb: float
    more_formats: tuple[str, ...]


def open_decoder(
    config: DecodeLimits,
    size: int,
    attempts: Attempts,
    bases: tuple[Path, ...] = (),
    decode: Decode = images.decode,
) -> DecoderPool:
    """The worker processes that open untrusted pictures, limited as the configuration says.

    Below ``bases`` they follow no link. Raises DecoderUnavailable where no process can be started.
    """
    return DecoderPool(
        size=size,
        limits=ImageLimits(
            max_pixels=int(config.max_megapixels * 1e6),
            max_bytes=int(config.max_file_mb * 1e6),
            more_formats=frozenset(config.more_formats),
        ),
        workers=config.workers,
        timeout_seconds=config.timeout_seconds,
        memory_mb=config.memory_mb,
        attempts=attempts,
        bases=bases,
        decode=decode,
    )
