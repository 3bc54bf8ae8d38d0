"""state/status.json: what the running daemon says of itself, replaced atomically."""

import errno
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from imgsort.records.tolerant import read_as

State = Literal["starting", "running", "paused", "stopping", "stopped"]
ROOM = 16_384
"""Bytes that the file takes at least, filled up with spaces: room to be written over in."""
STALE_SECONDS = 30.0
"""Whoever hears nothing for so long worries: the daemon writes its status every 2 seconds."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_AGAIN = (0.02, 0.1)


@dataclass(frozen=True, slots=True)
class CountAndExamples:
    """How many, and the first few by name."""

    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the daemon started."""

    filed: int = 0
    unsure: int = 0
    rejected: int = 0
    batches: int = 0

    @property
    def images(self) -> int:
        return self.filed + self.unsure + self.rejected


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One moment of the daemon; times are ISO 8601 UTC."""

    pid: int = 0
    state: State = "starting"
    since: str = ""
    """When it got into this state."""
    heartbeat: str = ""
    """When this was written."""
    started: str = ""
    waiting: int = 0
    """Images seen in the inbox that are not through yet."""
    more_waiting: bool = False
    """More lie in the inbox than were looked at."""
    queue: str = "0"
    """The two above for people: ``1,204`` or ``4,096 or more``."""
    in_flight: int = 0
    """Of those waiting: being decoded, judged or filed."""
    images_per_second: float = 0.0
    """Over the last minute."""
    counters: Counters = Counters()
    model: int | None = None
    """Version of the active model."""
    backbone: str = ""
    runtime: str = ""
    precision: str = ""
    batch_size: int = 0
    unsupported: CountAndExamples = CountAndExamples()
    """Files of kinds that imgsort doesn't read; they stay where they are."""
    left_for_kind: Mapping[str, int] = field(default_factory=dict)
    """How many of them are of which kind."""
    left_in_place: CountAndExamples = CountAndExamples()
    """Files that could not be taken, with the reason."""
    ignored: int = 0
    being_written: CountAndExamples = CountAndExamples()
    watching: str = "inotify"
    """``inotify``, or why the inbox is scanned every 2 seconds instead."""
    watcher_restarts: int = 0
    decoder_rebuilt: int = 0
    labelled_by_hand: int = 0
    """Pictures that people have put into a class folder since the daemon started."""
    attention: tuple[str, ...] = ()
    """What somebody should know or decide about the folders, a sentence each."""
    paused_reason: str | None = None
    last_error: str | None = None
    stuck: str | None = None
    """A stage that has not got on for long."""

    def into(self, state: State) -> "Heartbeat":
        """The same in another state."""
        return replace(self, state=state, since=utc_now())

    def age(self, now: datetime) -> float | None:
        """Seconds since it was written, never below 0: clocks may be set back. None where it says
        no time."""
        try:
            return max(0.0, (now - datetime.fromisoformat(self.heartbeat)).total_seconds())
        except (TypeError, ValueError):
            return None


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_status(path: Path, health: Heartbeat) -> None:
    """Replace the file in one step; it is no record: nothing is fsynced. Raises OSError.

    On a full disk it is written over in place, in the blocks it has: that is when people ask.
    """
    health = replace(health, heartbeat=utc_now())
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(_text(health).ljust(ROOM))
        part.replace(path)
    except OSError as problem:
        with suppress(OSError):
            part.unlink()  # it holds what little room there was
        if problem.errno not in FULL:
            raise
        _write_over(path, health)


def _write_over(path: Path, health: Heartbeat) -> None:
    with path.open("r+b", buffering=0) as file:
        room = os.fstat(file.fileno()).st_size
        text = _text(health)
        if len(text) > room:
            text = _text(_without_names(health))
        if len(text) <= room:
            os.pwrite(file.fileno(), text.ljust(room), 0)


def _text(health: Heartbeat) -> bytes:
    text = json.dumps(asdict(health), ensure_ascii=False, indent=1) + "\n"
    return text.encode(errors="backslashreplace")


def _without_names(health: Heartbeat) -> Heartbeat:
    """The same in few bytes."""
    return replace(
        health,
        unsupported=CountAndExamples(health.unsupported.count),
        left_in_place=CountAndExamples(health.left_in_place.count),
        being_written=CountAndExamples(health.being_written.count),
        attention=(),
    )


def read_status(path: Path) -> Heartbeat | None:
    """What the daemon last said, of whichever version it is; None when it never did, or what
    it said can't be read."""
    for wait in (*_AGAIN, None):  # written over in place, it may be seen half
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            return None
        except ValueError:
            if wait is not None:
                time.sleep(wait)
        else:
            return read_as(Heartbeat, said) if isinstance(said, dict) else None
    return None
