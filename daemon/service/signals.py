"""Signals become commands in a queue; a handler itself does next to nothing."""

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType


class Command(Enum):
    """What somebody outside wants of the daemon."""

    DRAIN = auto()
    RELOAD = auto()


Commands = queue.SimpleQueue[Command]
"""Its ``put`` may interrupt its ``get``, which a threading.Event can't survive."""


@contextmanager
def commands() -> Iterator[Commands]:
    """SIGTERM and SIGINT drain, a second SIGINT raises KeyboardInterrupt, SIGHUP reloads.

    Outside the main thread, where Python can't set handlers, the queue stays empty.
    """
    wanted: Commands = queue.SimpleQueue()
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return

    def drain(number: int, _: FrameType | None) -> None:
        wanted.put(Command.DRAIN)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, drain),
        signal.SIGINT: signal.signal(signal.SIGINT, drain),
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: wanted.put(Command.RELOAD)),
    }
    try:
        yield wanted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
