"""The daily backup: a thread of the lowest priority, at a quiet moment, never in filing's way."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imgsort.care.backup import DAILY, SUFFIX, back_up, daily_backups, prune
from imgsort.daemon.log_output import LOG, Notices
from imgsort.disk.display import display
from imgsort.errors import ImgsortError
from imgsort.workspace.workspace import Workspace

EVERY = timedelta(days=1)
OVERDUE = timedelta(hours=36)
"""Then it no longer waits for a quiet moment."""
SETTLED_SECONDS = 300.0
"""A daemon that was just started has other things to do."""
QUIET_SECONDS = 60.0
AGAIN_SECONDS = 3600.0
"""After a failure."""
BREATH_SECONDS = 0.005
"""Between two pieces of work, so that the disk is never ours alone."""
_NICEST = 19


class _Stopped(Exception):
    """The daemon ends; the backup is made the next time."""


def is_due(now: datetime, newest: datetime | None, *, quiet: bool) -> bool:
    """``newest``: when the last one was made; ``quiet``: nothing waits, nor has for a while."""
    if newest is None or newest > now:  # the clock went back
        return quiet
    age = now - newest
    return age >= OVERDUE or (quiet and age >= EVERY)


def made_at(path: Path) -> datetime | None:
    """When a daily backup was made, by its name."""
    stamp = path.name.removeprefix(DAILY).removesuffix(SUFFIX)
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None


class Backups:
    """``tick`` asks whether it is time; the work is done beside."""

    def __init__(
        self, workspace: Workspace, notices: Notices, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.workspace = workspace
        """May be replaced when the configuration is read again."""
        self._notices = notices
        self._clock = clock
        self._not_before = clock() + SETTLED_SECONDS
        self._busy_at = clock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tick(self, waiting: int) -> None:
        """``waiting``: images that are not through yet. Returns at once."""
        now = self._clock()
        if waiting:
            self._busy_at = now
        if now < self._not_before or not self.workspace.config.backup.daily or self.is_working:
            return
        quiet = now - self._busy_at >= QUIET_SECONDS
        times = [one for path in daily_backups(self.workspace.backups) if (one := made_at(path))]
        self._not_before = now + QUIET_SECONDS
        if is_due(datetime.now(UTC), max(times, default=None), quiet=quiet):
            self._thread = threading.Thread(target=self._run, name="backup", daemon=True)
            self._thread.start()

    @property
    def is_working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self, seconds: float = 10.0) -> None:
        """Give up what is under way; nothing of it stays. May be called twice."""
        again = self._stop.is_set()
        self._stop.set()
        if self._thread is not None and not again:
            self._thread.join(seconds)

    def _run(self) -> None:
        with suppress(OSError):  # of this thread only, as Linux has it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
        workspace = self.workspace
        try:
            done = back_up(workspace, daily=True, rest=self._breathe)
            gone = prune(workspace.backups, workspace.config.backup.keep)
        except _Stopped:
            return
        except (ImgsortError, OSError) as problem:
            self._not_before = self._clock() + AGAIN_SECONDS
            self._notices.each_minute("backup", f"the daily backup was not made: {problem}")
            return
        except Exception as failure:  # noqa: BLE001  (told)
            self._not_before = self._clock() + AGAIN_SECONDS
            self._notices.failed("the daily backup", failure)
            return
        LOG.info(
            "backup: %s (%.1f MB in %.1f s%s)",
            *(display(done.path), done.size / 1e6, done.seconds),
            f", {len(gone)} old removed" if gone else "",
        )

    def _breathe(self) -> None:
        if self._stop.wait(BREATH_SECONDS):
            raise _Stopped
