"""One worker process and the private pipe to it.

The daemon has threads, so it doesn't fork: a small server without any does, and the worker gets
nothing but its end of the pipe. A pool from a library costs several threads and wake-ups a picture
(pebble: 0.7 ms of the 13 that efficientnet-lite0 takes), and a worker that is killed while it holds
the lock of a shared pool stalls the others; here each worker stands alone and blame is exact.
"""

import os
import select
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import Array, c_double, c_uint8
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.images.formats import PLUGINS
from imgsort.images.pixel_memory import PixelMemory
from imgsort.images.worker_messages import LONGEST, NotAFinding, packed, packed_bug, unpacked
from imgsort.images.worker_task import PIECES, Assignment, Finding, examine, on_shelf, settle_in

START_SECONDS = 60.0
_END_SECONDS = 5.0
_FROM_OUTSIDE = frozenset(
    {
        *(-number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)),
        255,  # multiprocessing's word for: the fork server is gone, and its children with it
    }
)
_PRELOAD = ["imgsort.images.worker", "cv2", *PLUGINS]
_READY = b"ready"
_NOTHING_YET: list[c_double | float] = [0.0, 0.0]
"""When a piece of the file was read last, in monotonic seconds, and whether it was the last one:
what is spent from there on is the picture's own. It is in memory that both sides see, so that the
daemon, which has to do for each picture as little as can be, is woken up once for each."""
_MOST_STEPS = 2 * PIECES
_main_module = threading.Lock()


class Mishap(Enum):
    """Why there is no answer, and so a new worker is needed."""

    LOST = "was gone before it began"
    KILLED = "was killed from outside"
    HUNG = "didn't finish in time"
    STALLED = "waited too long for the file's disk"
    CRASHED = "crashed"


class Worker:
    """Started at the first question, started anew after anything but an answer."""

    def __init__(self, assignment: Assignment) -> None:
        self._context = _Context()
        self._context.set_forkserver_preload(_PRELOAD)
        self._assignment = assignment
        # An unlinked file in memory that both sides map: nothing to clean up, whoever is killed.
        self._shelf = self._context.RawArray(c_uint8, assignment.size * assignment.size * 3)
        self._memory = PixelMemory(assignment.size)
        self._progress = self._context.RawArray(c_double, 2)
        self._running: tuple[ForkServerProcess, Connection] | None = None
        self.trouble = ""
        """Why the last ``start`` gave no worker, as the system says it."""

    def start(self) -> bool:
        """Have a worker that answers; False where the machine can't give one now."""
        if self._running is not None:
            return True
        try:
            ours, theirs = self._context.Pipe()
        except OSError as problem:  # too many open files
            self.trouble = str(problem)
            return False
        try:
            with theirs:
                process = self._context.Process(
                    target=_serve,
                    args=(self._assignment, self._shelf, self._progress, theirs),
                    daemon=True,
                )
                process.start()
        except (OSError, EOFError, RuntimeError) as problem:
            self.trouble = str(problem) or "the process that starts them is gone"
            ours.close()
            return False
        self._running = process, ours
        try:
            if ours.poll(START_SECONDS) and ours.recv_bytes() == _READY:
                return True
        except (OSError, EOFError):  # it died on the way up
            pass
        self.trouble = "it didn't come up"
        self.stop()
        return False

    def ask(self, path: Path, seconds: float) -> Finding | Mishap:
        """What is in the file, as the worker that ``start`` provided tells within ``seconds``: so
        long it may be without a piece of the file, and so long it may take once it has all."""
        if self._running is None:
            return Mishap.LOST
        process, pipe = self._running
        self._progress[:] = _NOTHING_YET
        try:
            pipe.send_bytes(os.fsencode(path))
        except OSError:  # it was killed while it was idle
            self.stop()
            return Mishap.LOST
        try:
            answer = _answer(pipe, self._progress, seconds)
            if not isinstance(answer, Mishap):
                return answer
            mishap = answer
        except NotAFinding:  # something in there is out of control
            mishap = Mishap.CRASHED
        except (OSError, EOFError):
            process.join(_END_SECONDS)
            mishap = Mishap.KILLED if process.exitcode in _FROM_OUTSIDE else Mishap.CRASHED
        self.stop()
        return mishap

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """A copy of the picture that the last answer was about, uint8 RGB [size, size, 3]."""
        return self._memory.copy_of(on_shelf(self._shelf, self._assignment.size))

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        running, self._running = self._running, None
        if running is None:
            return
        process, pipe = running
        pipe.close()
        process.kill()
        process.join(_END_SECONDS)  # one that even SIGKILL can't end is left behind
        with suppress(ValueError):  # that one
            process.close()


def _answer(pipe: Connection, progress: "Array[c_double]", seconds: float) -> "Finding | Mishap":
    """Raises what ``unpacked`` and the pipe raise. What a worker says of its progress is looked at
    when time is up, and trusted so far as it may ask for more of it so many times."""
    waiting = select.poll()  # pipe.poll() makes a selector at each call, a quarter of all this
    waiting.register(pipe.fileno(), select.POLLIN)
    since, steps, whole = time.monotonic(), 0, False
    while not waiting.poll(max(0.0, since + seconds - time.monotonic()) * 1000):
        step, read = progress[0], bool(progress[1])
        if whole or steps == _MOST_STEPS or not since < step:
            return Mishap.HUNG if read else Mishap.STALLED
        since, steps, whole = min(step, time.monotonic()), steps + 1, read
    return unpacked(pipe.recv_bytes(LONGEST))


def _serve(
    assignment: Assignment,
    shelf: "Array[c_uint8]",
    progress: "Array[c_double]",
    pipe: Connection,
) -> None:
    """The worker's whole life: a path in, a finding out, until the pipe closes."""
    settle_in(assignment, shelf)

    def told(read: bool) -> None:
        progress[:] = [time.monotonic(), float(read)]

    pipe.send_bytes(_READY)
    with suppress(EOFError, ConnectionError):
        while True:
            path = Path(os.fsdecode(pipe.recv_bytes()))
            try:
                answer = packed(examine(path, told))
            except Exception:  # noqa: BLE001  (the daemon raises it)
                answer = packed_bug(traceback.format_exc())
            pipe.send_bytes(answer)


class _Process(ForkServerProcess):
    """A process that doesn't run the program's main module again: no typer in workers."""

    def start(self) -> None:
        with _main_hidden():
            super().start()


class _Context(ForkServerContext):
    """Forks workers from a small server without threads; the daemon has some, so it can't."""

    Process = _Process


@contextmanager
def _main_hidden() -> Iterator[None]:
    """multiprocessing tells a child to import ``__main__`` by its file; show it one without."""
    with _main_module:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
