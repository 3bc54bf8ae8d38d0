"""Decode | infer | record and place: three stages side by side, with bounded queues between.

The stages come in as arguments, so the service, the bench and the tests drive the same code.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from imgsort.daemon.inbox.probe import STOPPING, LeftAlone
from imgsort.daemon.pipeline.collector import Batcher
from imgsort.daemon.pipeline.double_buffer import Overlap
from imgsort.daemon.pipeline.liveness import Pulse
from imgsort.errors import FilingPaused, ImgsortError, StoreBusy, StoreFull
from imgsort.filing import Candidate, Done, InboxPicture
from imgsort.images.outcome import Deferred, Outcome, Picture, Refused
from imgsort.models.runtimes import DeviceMemoryExhausted

RETRY_SECONDS = 5.0
_GLANCE_SECONDS = 0.01
_LEAST_SLOTS = 16
_QUEUED_BATCHES = 8
_FILED_TOGETHER = 256
"""Pictures of a backlog that go through the journal together: what a batch costs there besides its
pictures is shared by as many. ``filing.batch`` holds its lock for so many at a time."""

Answer = TypeVar("Answer")


class NotNow(ImgsortError):
    """Nothing may be filed at present; str() says why."""


PAUSING = (NotNow, FilingPaused, StoreFull, StoreBusy, DeviceMemoryExhausted, MemoryError)
"""Troubles that pass: the stage waits and tries again, the images stay in the inbox."""


class Decoder(Protocol):
    def submit(self, path: Path) -> "Future[Outcome]": ...


class InferenceStage(Protocol):
    """Verdicts for one batch, in its order."""

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]: ...


class FilingStage(Protocol):
    """The outcome of each image of one batch, in its order."""

    def file(self, batch: Sequence[InboxPicture]) -> list[Done]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """``batch_size`` images make a batch, or fewer ``wait_seconds`` after the first, or at once
    where no other is on the way or to come by then."""

    batch_size: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Stages:
    """What does the work."""

    decoder: Decoder
    inference: InferenceStage
    filing: FilingStage
    recognised: Callable[[Picture | Refused], bool] = lambda _: False
    """Was it filed before, so that it stays where it is? (Copy mode.)"""


@dataclass(frozen=True, slots=True)
class _End:
    """No more will come after ``submitted`` decodes."""

    submitted: int = 0


class Listener:
    """Whom the pipeline asks and tells; each method is called from one of its threads."""

    def finished(self, path: Path, left: LeftAlone | None) -> None:
        """It is through with a candidate, which is filed, or ``left`` where it is."""

    def may_reject(self, path: Path) -> bool:  # noqa: ARG002
        """May a file that is no picture go to rejected/? If not, the listener takes it back."""
        return True

    def batch(self, batch: Sequence[Done], seconds: float) -> None:
        """A batch is through, so long after the one before, or after its own first image came in if
        that was later."""

    def took(self, stage: str, seconds: float) -> None:
        """So long it took to decode an image, or to infer or file a batch."""

    def quiet_seconds(self) -> float:
        """So long no candidate is to come, as far as is known."""
        return 0.0

    def hindrance(self) -> str | None:
        """Why nothing may be filed at present, if so."""
        return None

    def paused(self, stage: str, trouble: str | None) -> None:
        """A trouble that passes by itself holds a stage up, or is over (None)."""


class Pipeline:
    """Takes candidates until they end, then runs dry. A stage that fails stops all of them."""

    def __init__(
        self, candidates: Iterable[Candidate], stages: Stages, listener: Listener, pace: Pace
    ) -> None:
        self.pulse = Pulse()
        self.stages = stages
        self.pace = pace
        """Both may be replaced; the next batch heeds it."""
        self._candidates = candidates
        self._listener = listener
        self._failure: BaseException | None = None
        self._slots = threading.Semaphore(max(2 * pace.batch_size, _LEAST_SLOTS))
        self._decoded: queue.SimpleQueue[tuple[Candidate, Future[Outcome]] | _End] = (
            queue.SimpleQueue()
        )
        self._submitted = 0
        self._decoded_enough = threading.Event()
        self._wanted = 1
        """So many decoded pictures are worth waking the infer stage up for."""
        self._judged: queue.Queue[list[InboxPicture] | _End] = queue.Queue(_QUEUED_BATCHES)
        self._judged_all = False
        self._halted = threading.Event()
        self._hurried = threading.Event()
        work = (self._decode_stage, self._infer_stage, self._file_stage)
        self._threads = [
            threading.Thread(target=self._supervised, args=(stage,), name=name, daemon=True)
            for name, stage in zip(("decode", "infer", "file"), work, strict=True)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def hurry(self) -> None:
        """Wait for no trouble to pass any more: what can't be filed now stays in the inbox."""
        self._hurried.set()

    def halt(self) -> None:
        """Stop after the batches in hand; what is decoded or judged by then stays in the inbox."""
        self._halted.set()
        self._hurried.set()
        self._slots.release()
        self._end_decoding(_End())
        with suppress(queue.Full):  # then the last stage has something to wake up for
            self._judged.put_nowait(_End())

    def join(self, timeout: float) -> bool:
        """``ended``, but raises what made a stage fail."""
        ended = self.ended(timeout)
        if self._failure is not None:
            raise self._failure
        return ended

    def ended(self, timeout: float) -> bool:
        """Wait until all that was taken is through; False if it takes over ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _supervised(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as failure:  # noqa: BLE001  (it is raised again by join)
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        """All stages stop; ``join`` raises it."""
        self._failure = self._failure or failure
        self.halt()

    def _decode_stage(self) -> None:
        for candidate in self._candidates:
            self._slots.acquire()
            if self._halted.is_set():
                break
            self.pulse.begin("decode")
            began = time.monotonic()
            self._submitted += 1
            future = self.stages.decoder.submit(candidate.path)
            future.add_done_callback(partial(self._decoded_one, candidate, began))
        self._end_decoding(_End(self._submitted))

    def _end_decoding(self, end: _End) -> None:
        self._decoded.put(end)
        self._decoded_enough.set()

    def _decoded_one(self, candidate: Candidate, began: float, future: "Future[Outcome]") -> None:
        try:
            self.pulse.end("decode")
            self._listener.took("decode", time.monotonic() - began)
        except Exception as failure:  # noqa: BLE001  (a future keeps what its callbacks raise)
            self._fail(failure)
        self._decoded.put((candidate, future))
        if self._decoded.qsize() >= self._wanted:
            self._decoded_enough.set()

    def _infer_stage(self) -> None:
        batcher: Batcher[InboxPicture] = Batcher(self.pace.batch_size, self.pace.wait_seconds)
        overlap = Overlap(self._fail, self._decoded_enough.set)
        received, expected = 0, None
        while not self._halted.is_set() and (received != expected or len(batcher)):
            item = self._next_decoded() if len(batcher) < batcher.size else None
            if isinstance(item, _End):
                expected = item.submitted
                continue
            if item is not None:
                received += 1
                self._sort_out(*item, batcher)
                continue
            patience = batcher.patience(time.monotonic())
            if received == expected:
                patience = 0.0
            elif patience and received == self._submitted and overlap.is_idle:
                quiet = self._listener.quiet_seconds() >= batcher.wait_seconds
                patience = 0.0 if quiet else min(patience, _GLANCE_SECONDS)
            if patience == 0.0:
                overlap.start(partial(self._infer, batcher.take()))
                batcher.size, batcher.wait_seconds = self.pace.batch_size, self.pace.wait_seconds
                continue
            missing = batcher.size - len(batcher) if len(batcher) else 1
            to_come = max(1, self._submitted - received)
            self._wait_for_decoded(min(missing, to_come), patience)
        overlap.finish()
        self._hand_on(_End())

    def _next_decoded(self) -> "tuple[Candidate, Future[Outcome]] | _End | None":
        with suppress(queue.Empty):
            return self._decoded.get_nowait()
        return None

    def _wait_for_decoded(self, wanted: int, patience: float | None) -> None:
        """Until so many are decoded, none more will come, a batch was judged, or the time is up:
        not woken up for each of a batch."""
        self._wanted = wanted
        self._decoded_enough.clear()
        if self._decoded.qsize() < wanted and not self._halted.is_set():
            self._decoded_enough.wait(patience)

    def _sort_out(
        self, candidate: Candidate, future: "Future[Outcome]", batcher: Batcher[InboxPicture]
    ) -> None:
        path, copied = candidate.path, False
        outcome: Picture | Refused | LeftAlone
        try:
            read = future.result()
            outcome = LeftAlone(read.reason) if isinstance(read, Deferred) else read
            copied = not isinstance(outcome, LeftAlone) and self.stages.recognised(outcome)
        except CancelledError:
            outcome = STOPPING
        except PAUSING as trouble:  # its earlier tries could not be looked up or written down
            outcome = LeftAlone(str(trouble))
        if isinstance(outcome, LeftAlone) or copied:
            self._slots.release()
            self._listener.finished(path, outcome if isinstance(outcome, LeftAlone) else None)
        elif isinstance(outcome, Refused) and not self._listener.may_reject(path):
            self._slots.release()
        else:
            batcher.add(InboxPicture(candidate, outcome), time.monotonic())

    def _infer(self, batch: list[InboxPicture]) -> None:
        self._slots.release(len(batch))
        with self.pulse.busy("infer"):
            judged = self._patiently("infer", lambda: self.stages.inference.judge(batch))
        if judged is None:
            self._give_up(picture.candidate.path for picture in batch)
        else:
            self._hand_on(judged)

    def _hand_on(self, item: list[InboxPicture] | _End) -> None:
        """Wait for room in front of the last stage, unless that has failed."""
        while True:
            with suppress(queue.Full):
                self._judged.put(item, timeout=1.0)
                return
            if self._halted.is_set():
                return

    def _file_stage(self) -> None:
        through_at = time.monotonic()
        while not self._halted.is_set() and (judged := self._backlog()):
            began = max(through_at, min(picture.candidate.taken_at for picture in judged))
            with self.pulse.busy("file"):
                batch = self._patiently("file", partial(self._file, judged))
            if batch is None:
                self._give_up(picture.candidate.path for picture in judged)
                continue
            through_at = time.monotonic()
            for done in batch:
                left = None if done.moved else LeftAlone(done.reason or "")
                self._listener.finished(done.errand.source, left)
            self._listener.batch(batch, through_at - began)

    def _backlog(self) -> list[InboxPicture]:
        """The next batch, with those that wait behind it; none where no more will come."""
        judged: list[InboxPicture] = []
        if self._judged_all:
            return judged
        item = self._judged.get()
        while isinstance(item, list):
            judged += item
            if len(judged) >= _FILED_TOGETHER:
                return judged
            try:
                item = self._judged.get_nowait()
            except queue.Empty:
                return judged
        self._judged_all = True
        return judged

    def _file(self, judged: list[InboxPicture]) -> list[Done]:
        hindrance = self._listener.hindrance()
        if hindrance is not None:
            raise NotNow(hindrance)
        batch = self.stages.filing.file(judged)
        troubles = [done.paused for done in batch]
        shared = next((one for one in troubles if one is not None and not one.alone), None)
        if shared is not None and all(troubles):
            raise shared  # nothing gets on: wait, rather than decode all of it again
        return batch

    def _give_up(self, paths: Iterable[Path]) -> None:
        for path in paths:
            self._listener.finished(path, STOPPING)

    def _patiently(self, stage: str, act: Callable[[], Answer]) -> Answer | None:
        """Try until it works; None when there is no time left to wait for that."""
        waited = False
        while not self._halted.is_set():
            began = time.monotonic()
            try:
                answer = act()
            except PAUSING as trouble:
                waited = True
                self.pulse.beat(stage)
                self._listener.paused(stage, in_words(trouble))
                if self._hurried.wait(RETRY_SECONDS):
                    return None
            else:
                if waited:
                    self._listener.paused(stage, None)
                self._listener.took(stage, time.monotonic() - began)
                return answer
        return None


def in_words(trouble: BaseException) -> str:
    """A trouble that passes, for people."""
    match trouble:
        case DeviceMemoryExhausted():
            return "The GPU's memory is used up; end other programs that use it."
        case MemoryError():
            return "The memory is used up; end other programs, or lower model.batch_size."
    return str(trouble)
