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
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import Array, c_uint8
from enum import Enum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.images.formats import PLUGINS
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
_READING = b"reading"
"""Some more of the file has been read."""
_READ = b"read"
"""All of it; what is spent from here on is the picture's own."""
_SAID = {False: _READING, True: _READ}
_MOST_PIECES = 2 * PIECES
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
                    target=_serve, args=(self._assignment, self._shelf, theirs), daemon=True
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
        try:
            pipe.send_bytes(os.fsencode(path))
        except OSError:  # it was killed while it was idle
            self.stop()
            return Mishap.LOST
        try:
            answer = _answer(pipe, seconds)
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
        return on_shelf(self._shelf, self._assignment.size).copy()

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


def _answer(pipe: Connection, seconds: float) -> "Finding | Mishap":
    """Raises what ``unpacked`` and the pipe raise."""
    pieces, mishap = 0, Mishap.STALLED
    waiting = select.poll()  # pipe.poll() makes a selector at each call, a quarter of all this
    waiting.register(pipe.fileno(), select.POLLIN)
    while waiting.poll(seconds * 1000):
        data = pipe.recv_bytes(LONGEST)
        if data == _READING and pieces < _MOST_PIECES:
            pieces += 1
        elif data == _READ and mishap is Mishap.STALLED:
            mishap = Mishap.HUNG
        else:
            return unpacked(data)
    return mishap


def _serve(assignment: Assignment, shelf: "Array[c_uint8]", pipe: Connection) -> None:
    """The worker's whole life: a path in, a finding out, until the pipe closes."""
    settle_in(assignment, shelf)
    pipe.send_bytes(_READY)
    with suppress(EOFError, ConnectionError):
        while True:
            path = Path(os.fsdecode(pipe.recv_bytes()))
            try:
                answer = packed(examine(path, lambda done: pipe.send_bytes(_SAID[done])))
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
