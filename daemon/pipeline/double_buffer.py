"""Two batches judged side by side, so that the device never waits between one and the next."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

HANDS = 2


class Overlap:
    """Runs calls in ``HANDS`` threads. ``failed`` is told at once of a call that fails, from its
    thread; the next call here raises it too. ``ended`` is called after each."""

    def __init__(
        self,
        failed: Callable[[BaseException], None],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._failed = failed
        self._told_end = ended
        self._free = threading.Semaphore(HANDS)
        self._threads = ThreadPoolExecutor(HANDS, thread_name_prefix="infer")
        self._running: list[Future[None]] = []

    @property
    def is_idle(self) -> bool:
        """Is no call running?"""
        return all(future.done() for future in self._running)

    def start(self, act: Callable[[], None]) -> None:
        """Start ``act`` as soon as a thread is free, which is waited for."""
        self._free.acquire()
        self._forget_finished()
        future = self._threads.submit(act)
        future.add_done_callback(self._ended)
        self._running.append(future)

    def finish(self) -> None:
        """Wait for what is running."""
        self._threads.shutdown()
        self._forget_finished()

    def _ended(self, future: Future[None]) -> None:
        failure = future.exception()
        if failure is not None:
            self._failed(failure)
        self._free.release()
        self._told_end()

    def _forget_finished(self) -> None:
        finished = [future for future in self._running if future.done()]
        self._running = [future for future in self._running if not future.done()]
        for future in finished:
            future.result()
