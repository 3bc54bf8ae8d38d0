"""A thread that ends by an exception is missed by somebody: the main thread, which ends as well.

What is on disk is right at any moment, so a daemon that is started anew goes on; one that lives
without a part of it would look well. The folder watcher's own threads are started anew instead.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from imgsort.daemon.log_output import LOG

_RESTARTED = "watchdog."
"""The package of threads whose deaths ``Watcher.keep`` finds out and mends."""


@contextmanager
def deaths() -> Iterator[list[BaseException]]:
    """What threads have died of, as long as this lasts."""
    died: list[BaseException] = []

    def note(args: threading.ExceptHookArgs) -> None:
        name = "?" if args.thread is None else args.thread.name
        failure = args.exc_value or args.exc_type()
        LOG.error("the thread %s has ended: %s", name, failure, exc_info=failure)
        if not type(args.thread).__module__.startswith(_RESTARTED):
            died.append(failure)

    before, threading.excepthook = threading.excepthook, note
    try:
        yield died
    finally:
        threading.excepthook = before
