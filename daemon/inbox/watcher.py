"""Hints from inotify that something arrived. Hints only: the scan is the truth.

watchdog loses events without a word when the kernel's queue overflows, goes deaf when the folder is
replaced, and dies when a handler raises. So nothing here is relied on; each is noticed and mended.
"""

import errno
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from imgsort.daemon.log_output import LOG, Notices
from imgsort.disk.mounts import is_event_blind, type_of

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.inotify import InotifyObserver

KEPT = 4096
AGAIN_SECONDS = 60.0
_SYSCTLS = {
    errno.EMFILE: "fs.inotify.max_user_instances",
    errno.ENOSPC: "fs.inotify.max_user_watches",
}


class Hints:
    """Paths that something happened to, until the scanner takes them; bounded."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self._lock = threading.Lock()
        self._paths: dict[str, bool] = {}
        self._missed = False

    def note(self, path: str, *, renamed: bool) -> None:
        """``renamed``: the file came by rename, so it was whole from the start."""
        with self._lock:
            if len(self._paths) < KEPT:
                self._paths[path] = renamed or self._paths.get(path, False)
            else:
                self._missed = True
        self.arrived.set()

    def rescan(self) -> None:
        """Something happened that only a walk of the inbox can tell."""
        with self._lock:
            self._missed = True
        self.arrived.set()

    def take(self) -> tuple[dict[str, bool], bool]:
        """Path -> renamed, and whether a walk is needed because some were not kept."""
        with self._lock:
            paths, missed = self._paths, self._missed
            self._paths, self._missed = {}, False
        return paths, missed


class Watcher:
    """Keeps an inotify observer on the inbox for as long as that can be had."""

    def __init__(
        self,
        inbox: Path,
        notices: Notices,
        *,
        always_poll: bool = False,
        instead: str = "it is scanned every 2 seconds instead",
    ) -> None:
        self.hints = Hints()
        self.blind: str | None = 'watch.poll is "always"' if always_poll else "it has not begun"
        """Why there are no events, or None while they flow."""
        self.restarts = 0
        self._inbox = inbox
        self._notices = notices
        self._always_poll = always_poll
        self._instead = instead
        self._observer: InotifyObserver | None = None
        self._again_at = float("-inf")

    def keep(self, now: float) -> None:
        """Arm what isn't armed or has died; called every couple of seconds. Never raises."""
        if self._always_poll:
            return
        if self._observer is not None:
            if self._alive(self._observer):
                return
            self.restarts += 1
            LOG.warning("the folder watcher had stopped; it is started again")
            self.disarm()
        if now >= self._again_at:
            self._arm(now)

    def disarm(self) -> None:
        """Stop watching; the next ``keep`` starts anew, on whatever the inbox is by then."""
        observer, self._observer = self._observer, None
        if not self._always_poll:
            self.blind, self._again_at = "it is stopped", float("-inf")
        if observer is not None:
            observer.stop()
            observer.join(5.0)

    def _arm(self, now: float) -> None:
        try:
            if is_event_blind(self._inbox):
                kind = type_of(self._inbox)
                raise OSError(None, f"changes on {kind} made elsewhere raise no events")
            self._observer = _observer(self._inbox, self.hints)
            self.blind = None
        except OSError as problem:
            self._again_at = now + AGAIN_SECONDS
            sysctl = _SYSCTLS.get(problem.errno or 0)
            advice = f"; raise the sysctl {sysctl}" if sysctl else ""
            self.blind = f"{problem.strerror}{advice}"
            self._notices.once(
                f"blind {self.blind}",
                f"{self._inbox} can't be watched by inotify ({self.blind}): "
                f"{self._instead}, and inotify is tried again each minute",
            )

    @staticmethod
    def _alive(observer: "InotifyObserver") -> bool:
        return observer.is_alive() and all(e.is_alive() for e in observer.emitters)


def _observer(inbox: Path, hints: Hints) -> "InotifyObserver":
    """Raises OSError where the kernel grants no inotify instance or watch."""
    from watchdog.events import (
        DirCreatedEvent,
        DirMovedEvent,
        FileClosedEvent,
        FileCreatedEvent,
        FileMovedEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers.inotify import InotifyObserver

    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # what matters, ``keep`` finds out
    real = os.path.realpath(inbox)  # watchdog would watch a link, not what it points to

    def path_of(event_path: "str | bytes") -> str:
        return f"{inbox}{os.fsdecode(event_path).removeprefix(real)}"

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: "FileSystemEvent") -> None:
            try:
                if event.is_directory:
                    hints.rescan()
                elif isinstance(event, FileMovedEvent):
                    if event.dest_path:  # empty when a file left the inbox
                        hints.note(path_of(event.dest_path), renamed=True)
                else:
                    hints.note(path_of(event.src_path), renamed=False)
            except Exception:  # noqa: BLE001  (an exception here would end watchdog's thread)
                LOG.exception(
                    "an event of the folder watcher was lost; the next scan makes up for it"
                )
                hints.rescan()

    # Full events tell a rename from outside (IN_MOVED_TO) from a creation (IN_CREATE).
    observer = InotifyObserver(generate_full_events=True)
    wanted = [FileClosedEvent, FileMovedEvent, FileCreatedEvent, DirCreatedEvent, DirMovedEvent]
    try:
        observer.schedule(Handler(), real, recursive=True, event_filter=wanted)
        observer.start()
    except OSError:
        observer.stop()
        raise
    return observer
