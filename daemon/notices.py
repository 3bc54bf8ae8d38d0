"""What the daemon says on stderr; lasting troubles are told once a minute."""

import logging
import os
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger("imgsort")
AGAIN_SECONDS = 60.0
_KEPT = 1000


class Notices:
    """Says each thing at most once a minute, or once at all. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def each_minute(self, subject: str, message: str) -> None:
        """Warn about ``subject`` unless that was done within the last minute."""
        now = self._clock()
        with self._lock:
            if now - self._said.get(subject, float("-inf")) < AGAIN_SECONDS:
                return
            self._keep(subject, now)
        LOG.warning("%s", message)

    def once(self, subject: str, message: str) -> None:
        """Warn about ``subject`` one time (of the last thousand subjects)."""
        with self._lock:
            if subject in self._said:
                return
            self._keep(subject, self._clock())
        LOG.warning("%s", message)

    def _keep(self, subject: str, now: float) -> None:
        self._said[subject] = now
        if len(self._said) > _KEPT:
            del self._said[next(iter(self._said))]


def log_to_stderr(level: str) -> None:
    """Send log lines to stderr, with a UTC time stamp unless the journal adds its own."""
    handler = logging.StreamHandler()
    journal = "JOURNAL_STREAM" in os.environ
    line = "%(message)s" if journal else "%(asctime)sZ %(levelname)s %(message)s"
    formatter = logging.Formatter(line, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    LOG.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    LOG.setLevel(level.upper())
