"""The machine: what inotify allows, and whether the clock is right."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imgsort.care.finding import Finding, ok
from imgsort.disk.mounts import is_event_blind
from imgsort.errors import ImgsortError
from imgsort.store.care import newest_moment
from imgsort.store.revision import require_current
from imgsort.workspace.workspace import Workspace

_LIMITS = Path("/proc/sys/fs/inotify")
_FEW_EVENTS = 16_384
"""The kernel's own default."""
_SLACK = timedelta(minutes=1)


def check_inotify(workspace: Workspace) -> Iterator[Finding]:
    """The limits against what is there to be watched."""
    folders = sum(_folders(folder) for folder in workspace.picture_folders)
    yield from judged_limits(folders, _limit("max_user_watches"), _limit("max_queued_events"))
    blind = [str(one) for one in workspace.picture_folders if one.is_dir() and is_event_blind(one)]
    if blind:
        yield Finding(
            "note",
            "inotify",
            f"{', '.join(blind)} can't be watched.",
            "Nothing is needed: imgsort looks through every watch.scan_seconds.",
        )


def judged_limits(folders: int, watches: int | None, events: int | None) -> Iterator[Finding]:
    """What these numbers mean. None: this kernel doesn't say. Pure."""
    if watches is not None and folders > watches // 2:
        yield Finding(
            "warning",
            "inotify",
            f"{folders:,} folders are to be watched, and all programs of this user together may "
            f"watch {watches:,}.",
            f"Raise it: `sysctl fs.inotify.max_user_watches={max(4 * folders, 65_536)}`; until "
            f"then imgsort scans instead.",
        )
    elif watches is not None:
        yield ok("inotify", f"{folders:,} folders of {watches:,} that may be watched.")
    if events is not None and events < _FEW_EVENTS:
        yield Finding(
            "note",
            "inotify",
            f"The kernel queues {events:,} events; more at once are lost.",
            f"Nothing is needed, the scan finds what they told of; quicker is `sysctl "
            f"fs.inotify.max_queued_events={_FEW_EVENTS}`.",
        )


def _limit(name: str) -> int | None:
    try:
        return int((_LIMITS / name).read_text())
    except (OSError, ValueError):
        return None


def _folders(base: Path) -> int:
    return sum(1 for _ in os.walk(base))


def check_clock(workspace: Workspace) -> Iterator[Finding]:
    """A clock that went back makes new rows look older than old ones."""
    try:
        require_current(workspace.database)
        newest = newest_moment(workspace.database)
    except ImgsortError:
        return  # the check of the database says what is wrong with it
    yield judged_clock(datetime.now(UTC), newest)


def judged_clock(now: datetime, newest: datetime | None) -> Finding:
    """``newest``: the latest time in the log. Pure."""
    if newest is not None and now + _SLACK < newest:
        return Finding(
            "warning",
            "clock",
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but the log has an entry of "
            f"{newest:%Y-%m-%d %H:%M} UTC.",
            "Set the clock (`timedatectl set-ntp true`); `log --since` and ages are wrong until "
            "then.",
        )
    return ok("clock", "The clock is not behind the log.")
