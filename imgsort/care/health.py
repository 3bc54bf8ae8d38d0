"""Is the workspace looked after? One answer for scripts, quick and without the model."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from imgsort.care.heartbeat import STALE_SECONDS, Heartbeat
from imgsort.errors import ImgsortError
from imgsort.store.soundness import damage
from imgsort.workspace.workspace import Workspace

LOW_BYTES = 100_000_000
LOW_SHARE = 0.05
CHECK_SECONDS = 0.5


class Unhealthy(ImgsortError):
    """Something keeps pictures from being filed; see `imgsort status`."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of one folder, in bytes."""

    folder: Path
    free: int
    total: int

    @property
    def is_low(self) -> bool:
        return self.free < min(LOW_BYTES, LOW_SHARE * self.total)


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to judge by."""

    root: Path
    pid: int | None
    """Of the live daemon."""
    said: Heartbeat | None
    """state/status.json"""
    age: float | None
    """Seconds since the daemon wrote it; None when it says no time."""
    disks: tuple[Disk, ...]
    damage: str | None
    """Of the database."""


def facts_of(workspace: Workspace, said: Heartbeat | None) -> Facts:
    """Look once. Whatever can't be looked at is left to the other signs."""
    return Facts(
        workspace.root,
        workspace.daemon_pid(),
        said,
        None if said is None else said.age(datetime.now(UTC)),
        tuple(disks_of(workspace)),
        damage(workspace.database, CHECK_SECONDS),
    )


def disks_of(workspace: Workspace) -> Iterator[Disk]:
    """The file systems that pictures and the log are written to, each once."""
    seen: set[int] = set()
    for folder in (workspace.sorted, workspace.state, workspace.unsure, workspace.rejected):
        try:
            device, usage = folder.stat().st_dev, shutil.disk_usage(folder)
        except OSError:
            continue  # that it is missing is what the daemon pauses for
        if device not in seen:
            seen.add(device)
            yield Disk(folder, usage.free, usage.total)


def problems(facts: Facts, max_age: float = STALE_SECONDS) -> list[str]:
    """A sentence for each thing that is wrong, the gravest first; empty when all is well. Pure."""
    return list(_problems(facts, max_age))


def _problems(facts: Facts, max_age: float) -> Iterator[str]:
    said = facts.said or Heartbeat()
    if facts.damage is not None:
        yield (
            f"The database is damaged ({facts.damage}); stop imgsort and bring a backup back with "
            f"`imgsort restore FILE`."
        )
    if facts.pid is None:
        yield f"No daemon runs on {facts.root}; start it with `imgsort run`."
    elif said.pid != facts.pid or facts.age is None:
        yield f"The daemon (pid {facts.pid}) has not said anything yet; ask again in a moment."
    elif facts.age > max_age:
        yield (
            f"The daemon (pid {facts.pid}) has not said anything for {facts.age:.0f} seconds; look "
            f"at its log, then restart it."
        )
    elif said.state == "paused":
        yield f"Nothing is filed at present: {said.paused_reason or 'see the log'}"
    elif said.stuck:
        yield f"The daemon's part `{said.stuck}` is stuck; restart it, then send its log."
    for disk in facts.disks:
        if disk.is_low:
            yield (
                f"The disk of {disk.folder} has only {disk.free / 1e6:,.0f} MB free; make room on "
                f"it."
            )
