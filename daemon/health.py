"""state/status.json: what the running daemon says of itself, replaced atomically."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

State = Literal["starting", "running", "paused", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class Named:
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
class Health:
    """One moment of the daemon; times are ISO 8601 UTC."""

    pid: int
    state: State
    since: str
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
    unsupported: Named = Named()
    """Files of kinds that imgsort doesn't read; they stay where they are."""
    left_in_place: Named = Named()
    """Files that could not be taken, with the reason."""
    ignored: int = 0
    being_written: Named = Named()
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

    def into(self, state: State) -> "Health":
        """The same in another state."""
        return replace(self, state=state, since=utc_now())


def utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_status(path: Path, health: Health) -> None:
    """Replace the file in one step. It is no record: nothing is fsynced. Raises OSError."""
    text = json.dumps(asdict(replace(health, heartbeat=utc_now())), ensure_ascii=False, indent=1)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    part.replace(path)


def read_status(path: Path) -> dict[str, Any] | None:
    """What the daemon last said; None when it never did, or what it said can't be read."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
