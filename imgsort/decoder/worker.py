"""One worker process and the private pipe to it. The only place that knows pebble.

pebble's own pool of many workers shares one pipe and its locks among them: a worker killed from
outside while it holds a lock stalls all for a minute, and one killed while idle breaks the pool.
Here each worker has a pool of its own, thrown away after anything unusual, so blame is exact.
"""

import signal
import sys
import threading
import types
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from ctypes import c_uint8
from enum import Enum
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessExpired, ProcessPool

from imgsort.decoder.examine import Assignment, Finding, examine, on_shelf, ready, settle_in
from imgsort.images.formats import PLUGINS

START_SECONDS = 60.0
_FROM_OUTSIDE = frozenset(
    {
        *(-number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)),
        255,  # multiprocessing's word for: the fork server is gone, and its children with it
    }
)
_PRELOAD = ["imgsort.decoder.worker", "cv2", *PLUGINS]
_main_module = threading.Lock()


class Mishap(Enum):
    """Why there is no answer, and so a new worker is needed."""

    LOST = "was gone before it began"
    KILLED = "was killed from outside"
    HUNG = "didn't finish in time"
    CRASHED = "crashed"


class Worker:
    """Started at the first question, started anew after anything but an answer."""

    def __init__(self, assignment: Assignment) -> None:
        context = _Context()
        context.set_forkserver_preload(_PRELOAD)
        self._context = context
        self._assignment = assignment
        # An unlinked file in memory that both sides map: nothing to clean up, whoever is killed.
        self._shelf = context.RawArray(c_uint8, assignment.size * assignment.size * 3)
        self._pool: ProcessPool | None = None

    def start(self) -> bool:
        """Have a worker that answers; False where the machine can't give one now."""
        if self._pool is not None:
            return True
        self._pool = ProcessPool(
            max_workers=1,
            initializer=settle_in,
            initargs=(self._assignment, self._shelf),
            context=self._context,
        )
        try:
            self._pool.schedule(ready).result(timeout=START_SECONDS)
        except (OSError, RuntimeError):  # TimeoutError and ProcessExpired are OSErrors
            self.stop()
            return False
        return True

    def ask(self, path: Path, seconds: float) -> Finding | Mishap:
        """What is in the file, as the worker that ``start`` provided tells within ``seconds``."""
        answer = self._asked(path)
        if isinstance(answer, Mishap):
            self.stop()
            return answer
        try:
            # Not pebble's own timeout: that one counts by a clock that an operator may set.
            return answer.result(timeout=seconds)
        except TimeoutError:
            mishap = Mishap.HUNG if answer.running() else Mishap.LOST
        except ProcessExpired as death:
            mishap = Mishap.KILLED if death.exitcode in _FROM_OUTSIDE else Mishap.CRASHED
        except BrokenProcessPool:
            mishap = Mishap.LOST
        self.stop()
        return mishap

    def _asked(self, path: Path) -> Future[Finding] | Mishap:
        if self._pool is None:
            return Mishap.LOST
        try:
            return self._pool.schedule(examine, args=(path,))
        except RuntimeError:  # it was killed while it was idle
            return Mishap.LOST

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """A copy of the picture that the last answer was about, uint8 RGB [size, size, 3]."""
        return on_shelf(self._shelf, self._assignment.size).copy()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            with suppress(RuntimeError):  # a process that even SIGKILL can't end is left behind
                pool.join()


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
