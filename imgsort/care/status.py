"""What `status` says: the daemon's own word, the log's counts, the model and the disk."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from imgsort.care.drift import Drift, drift_of
from imgsort.care.heartbeat import STALE_SECONDS, Heartbeat
from imgsort.disk.display import display
from imgsort.errors import ImgsortError
from imgsort.images.optional_formats import told
from imgsort.models.floor import filed_from
from imgsort.models.registry import ModelCard, Registry
from imgsort.store import Store
from imgsort.store.embeddings import size_on_disk
from imgsort.store.folder_counts import FolderCounts
from imgsort.store.overview import Overview
from imgsort.workspace.workspace import Workspace

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Status:
    """One look at a workspace."""

    workspace: Workspace
    pid: int | None
    """Of the daemon that holds the workspace now; None when none does."""
    said: Heartbeat | None
    """state/status.json, the running daemon's last word."""
    overview: Overview
    lying: FolderCounts
    model: ModelCard | None
    model_problem: str | None
    disk_free: int
    disk_total: int
    """Bytes of the file system that holds the sorted pictures."""
    embeddings_bytes: int
    drift: Drift | None
    """None without an active model."""

    @property
    def is_stale(self) -> bool:
        """The daemon lives, but has not replaced its status file for long."""
        age = None if self.said is None else self.said.age(datetime.now(UTC))
        return self.pid is not None and age is not None and age > STALE_SECONDS

    def as_dict(self) -> dict[str, Any]:
        """For scripts; times are ISO 8601 UTC."""
        log = asdict(self.overview)
        last = self.overview.last_arrival
        log["classes"] = {count["name"]: count["images"] for count in log["classes"]}
        log["last_arrival"] = None if last is None else _utc(last)
        log["folders"] = asdict(self.lying)
        return {
            "workspace": display(self.workspace.root),
            "daemon": {"alive": self.pid is not None, "pid": self.pid},
            "live": asdict(self.said) if self.said and self.pid is not None else None,
            "last_error": self.said and self.said.last_error,
            "model": None if self.model is None else self._model_dict(self.model),
            "model_problem": self.model_problem,
            "log": log,
            "embeddings": {
                "bytes": self.embeddings_bytes,
                "limit_bytes": self._embeddings_limit,
            },
            "drift": None if self.drift is None else self.drift.as_dict(),
            "disk": {"free_bytes": self.disk_free, "total_bytes": self.disk_total},
        }

    def _model_dict(self, card: ModelCard) -> dict[str, Any]:
        return {**card.summary(), "floor": self.workspace.config.model.confidence}

    @property
    def _embeddings_limit(self) -> int:
        return int(self.workspace.config.learning.embeddings_max_gb * 1e9)

    def lines(self) -> Iterator[tuple[str, str]]:
        """For people, one fact a line."""
        yield "workspace", display(self.workspace.root)
        yield from self._folder_lines()
        yield from self._daemon_lines()
        yield "model", self._model_line()
        if self.model is not None:
            yield "sure enough from", filed_from(self.model, self.workspace.config.model.confidence)
        yield from self._log_lines()
        if self.drift is not None and self.drift.judged:
            yield "drift", self.drift.line()
            for sentence in self.drift.notable:
                yield "look at", sentence
        yield (
            "embeddings",
            f"{self.embeddings_bytes / 1e6:,.1f} MB of {self._embeddings_limit / 1e6:,.0f} MB, "
            f"kept for `retrain` and `next`",
        )
        yield "disk", f"{self.disk_free / 1e9:,.1f} GB free of {self.disk_total / 1e9:,.1f} GB"

    def _folder_lines(self) -> Iterator[tuple[str, str]]:
        """What lies there, whoever put it there; the decisions of models are counted below."""
        lying, workspace = self.lying, self.workspace
        said = f" ({lying.labelled:,} of them by your word)" if lying.labelled else ""
        yield f"in {display(workspace.sorted.name)}/", f"{lying.sorted:,}{said}"
        yield f"in {display(workspace.unsure.name)}/", f"{lying.unsure:,}"
        yield f"in {display(workspace.rejected.name)}/", f"{lying.rejected:,}"
        if lying.gone:
            named = [(name or "elsewhere", number) for name, number in lying.gone.items()][:_NAMED]
            listed = ", ".join(f"{name} {number:,}" for name, number in named)
            more = ", …" if len(lying.gone) > _NAMED else ""
            yield "gone", f"{sum(lying.gone.values()):,} pictures: {listed}{more}"

    def _daemon_lines(self) -> Iterator[tuple[str, str]]:
        said = self.said or Heartbeat()
        if self.pid is None:
            yield "daemon", "not running; start it with `imgsort run`"
        else:
            yield (
                "daemon",
                f"{said.state}, pid {self.pid}, since {_local(said.since)}",
            )
            yield (
                "waiting",
                f"{said.queue if self.said else '?'} in the inbox, {said.in_flight} in work",
            )
            yield "rate", f"{said.images_per_second:.1f} images/s over the last minute"
            yield "running on", f"{said.runtime or '?'}, {said.precision or '?'}"
            if self.is_stale:
                yield (
                    "last word",
                    f"{_local(said.heartbeat)}; it can't write since: is the disk full?",
                )
            if said.paused_reason:
                yield "paused", said.paused_reason
            for group, name in (
                (said.unsupported, "not read by imgsort"),
                (said.left_in_place, "left in place"),
                (said.being_written, "still being written"),
            ):
                if group.count:
                    yield name, f"{group.count:,}: {', '.join(group.examples[:_NAMED])}"
            if switched_off := told(said.left_for_kind):
                yield "could be read", switched_off
        for notice in said.attention:
            yield "look at", notice
        if said.last_error:
            yield "last error", said.last_error

    def _model_line(self) -> str:
        if self.model is None:
            return self.model_problem or "none is active; see `imgsort models list`"
        return f"v{self.model.version} ({self.model.backbone}, {len(self.model.classes):,} classes)"

    def _log_lines(self) -> Iterator[tuple[str, str]]:
        log = self.overview
        yield (
            "decided so far",
            f"{log.filed:,} filed, {log.unsure:,} unsure, {log.rejected:,} rejected",
        )
        yield "today", f"{log.today:,}"
        if log.last_arrival is not None:
            yield "last arrival", f"{log.last_arrival.astimezone():%Y-%m-%d %H:%M:%S}"
        if log.classes:
            yield "largest classes", ", ".join(f"{c.name} {c.images:,}" for c in log.classes)
        yield "corrected", f"{log.corrected:,}"
        yield "labels since last training", f"{log.labels_since_training:,}"


def status_of(workspace: Workspace, said: Heartbeat | None) -> Status:
    """Look once; ``said`` is the daemon's status file. Raises DatabaseProblem; everything else that
    is wrong is part of the answer.
    """
    with Store.open(workspace.database, root=workspace.root) as store:
        overview = store.counts.overview()
        lying = store.counts.lying(workspace.picture_folders[1:])
        model, problem = _model(workspace)
        drift = None if model is None else drift_of(store, model)
    place = workspace.sorted if workspace.sorted.is_dir() else workspace.root
    disk = shutil.disk_usage(place)
    return Status(
        workspace,
        workspace.daemon_pid(),
        said,
        overview,
        lying,
        model,
        problem,
        disk.free,
        disk.total,
        size_on_disk(workspace.embeddings),
        drift,
    )


def _model(workspace: Workspace) -> tuple[ModelCard | None, str | None]:
    registry = Registry(workspace.models)
    try:
        version = registry.active()
        return (None, None) if version is None else (registry.card(version), None)
    except ImgsortError as problem:
        return None, str(problem)


def _local(moment: str) -> str:
    """ISO 8601, as a heartbeat has it, by the clock on the wall; anything else as it is."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return moment or "?"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
