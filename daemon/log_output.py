"""What the daemon says on stderr; lasting troubles are told once a minute."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

LOG = logging.getLogger("imgsort")
AGAIN_SECONDS = 60.0
_KEPT = 1000
_FIELDS = "imgsort_fields"


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

    def failed(self, subject: str, failure: BaseException) -> None:
        """A helper met what it doesn't know: with the traceback, at most once a minute. It goes on:
        a thread that ended would be missed by nobody."""
        now = self._clock()
        with self._lock:
            if now - self._said.get(subject, float("-inf")) < AGAIN_SECONDS:
                return
            self._keep(subject, now)
        LOG.error("%s has a bug and goes on: %s", subject, failure, exc_info=failure)

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


def fields(**values: object) -> dict[str, dict[str, object]]:
    """The ``extra`` of a log line: what a JSON line has beyond time, level and message."""
    return {_FIELDS: values}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= getattr(record, _FIELDS, {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class JournalLines(logging.Formatter):
    """Another formatter's lines with the level in front, as sd-daemon(3) has it."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        priority = _priority(record.levelno)
        return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))


def log_to_stderr(level: str, form: Literal["text", "json"] = "text") -> None:
    """Send log lines to stderr. The journal stamps and grades them itself."""
    handler = logging.StreamHandler()
    journal = _is_the_journal()
    inner = JsonLines() if form == "json" else _text(stamped=not journal)
    handler.setFormatter(JournalLines(inner) if journal else inner)
    LOG.handlers[:] = [handler]
    LOG.setLevel(level.upper())


def _text(*, stamped: bool) -> logging.Formatter:
    line = "%(asctime)sZ %(levelname)s %(message)s" if stamped else "%(message)s"
    formatter = logging.Formatter(line, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter


def _priority(level: int) -> int:
    """The syslog severity of one of logging's levels."""
    if level >= logging.ERROR:
        return 3
    if level >= logging.WARNING:
        return 4
    return 6 if level >= logging.INFO else 7


def _is_the_journal() -> bool:
    """Does stderr go there? systemd names the stream in JOURNAL_STREAM (systemd.exec(5))."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
