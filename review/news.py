"""What happens beside the page, looked for each second: arrivals, daemon, trainings, models."""

import logging
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from imgsort.care.heartbeat import read_status
from imgsort.disk.closing import Closing
from imgsort.errors import ImgsortError
from imgsort.models.registry import Registry
from imgsort.review.training import training_now
from imgsort.store.overview import LogTally

if TYPE_CHECKING:
    from imgsort.review.host import Host

_EVERY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class News(Closing):
    """A thread of its own, which tells ``host.events``."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._ended = threading.Event()
        self._tally: LogTally | None = None
        self._last: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._watch, name="news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._host.wake.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self._look()
            except (ImgsortError, OSError) as problem:
                _log.info("can't look for news: %s", problem)
            self._host.wake.wait(_EVERY_SECONDS)
            self._host.wake.clear()

    def _look(self) -> None:
        host = self._host
        self._tell_if_new("training", host.trainings.as_dict(), lambda: training_now(host))
        self._tell_if_new("model", {"active": Registry(host.workspace.models).active()})
        self._tell_if_new("daemon", daemon_now(host))
        tally = host.store.counts.tally()
        if self._tally is not None and tally != self._tally:
            host.events.tell("log", since(self._tally, tally))
        self._tally = tally

    def _tell_if_new(self, kind: str, seen: Any, whole: Any = None) -> None:
        if kind in self._last and self._last[kind] != seen:
            self._host.events.tell(kind, whole() if whole else seen)
        self._last[kind] = seen


def daemon_now(host: "Host") -> dict[str, Any]:
    """Its last word, as `status --json` has it, and whether it lives."""
    pid = host.workspace.daemon_pid()
    said = read_status(host.workspace.status_file) if pid is not None else None
    live = None if said is None else asdict(said)
    return {**(live or {}), "alive": pid is not None, "pid": pid}


def since(before: LogTally, now: LogTally) -> dict[str, Any]:
    """What came, by decision and class; and that somebody spoke."""
    return {
        "unsure": _more(before.decisions, now.decisions).get("unsure", 0),
        "rejected": _more(before.decisions, now.decisions).get("rejected", 0),
        "filed": _more(before.filed, now.filed),
        "spoken": now.last_word != before.last_word,
    }


def _more(before: Any, now: Any) -> dict[str, int]:
    return {key: now[key] - before.get(key, 0) for key in now if now[key] > before.get(key, 0)}
