"""`imgsort run`: say when it is ready, obey signals, keep the status current, and end cleanly."""

import os
import queue
import time
from contextlib import ExitStack, suppress
from dataclasses import replace

from imgsort.care.heartbeat import Heartbeat, State, utc_now, write_status
from imgsort.daemon.alarm_watch import Alarms
from imgsort.daemon.late_sidecars import Latecomers
from imgsort.daemon.log_output import LOG, log_to_stderr
from imgsort.daemon.reporting.metrics_exporter import Reporter
from imgsort.daemon.reporting.progress import health_of
from imgsort.daemon.service.malloc import give_back
from imgsort.daemon.service.reload import reloaded
from imgsort.daemon.service.sd_notify import (
    extend,
    loading,
    notify,
    reloading,
    status_line,
    tell_where_it_hangs,
    watchdog_seconds,
)
from imgsort.daemon.service.signals import Command, Commands, commands
from imgsort.daemon.service.startup import begun
from imgsort.daemon.service.summary import RunSummary
from imgsort.daemon.service.thread_deaths import deaths
from imgsort.daemon.service.wiring import Works, pace_of, source_settings
from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.errors import ConfigProblem, StoreBusy, StoreFull
from imgsort.filing import Filer
from imgsort.workspace.config import Config, load_config
from imgsort.workspace.workspace import Workspace

TICK_SECONDS = 0.25
STATUS_SECONDS = 2.0
TRIM_SECONDS = 60.0
DRAIN_SECONDS = 20.0
HALT_SECONDS = 5.0
STUCK_SECONDS = 300.0


def run(workspace: Workspace, *, once: bool = False) -> RunSummary:
    """Watch the inbox and file what arrives, until SIGTERM, SIGINT, or (``once``) it is empty.

    Raises WorkspaceProblem, WorkspaceBusy, DatabaseProblem, ModelProblem or RuntimeUnavailable
    before it begins; StorageFailed, StoreBroken, or whatever made a stage fail, later.
    """
    log_to_stderr(workspace.config.log.level, workspace.config.log.format)
    tell_where_it_hangs()
    workspace.require_folders()
    with workspace.daemon_lock(), commands() as wanted, deaths() as died, ExitStack() as stack:
        starting = Heartbeat(os.getpid(), "starting", utc_now(), started=utc_now())
        _say(workspace, starting)
        with loading():
            works = begun(workspace, stack, wanted, starting, once=once)
        if works is None:
            _say(workspace, starting.into("stopped"))
            return RunSummary(filed=0, unsure=0, rejected=0, left_in_place=0)
        return _Service(works, wanted, died, starting).run()


class _Service:
    """The main thread: it works on no image, so it can always answer."""

    def __init__(
        self, works: Works, wanted: Commands, died: list[BaseException], health: Heartbeat
    ) -> None:
        self._works = works
        self._workspace = works.workspace
        self._wanted = wanted
        self._died = died
        self._told_to_stop = False
        self._ping_seconds = watchdog_seconds()
        self._began_at = time.monotonic()
        self._next_status = self._next_ping = self._began_at
        self._next_trim = self._began_at + TRIM_SECONDS
        self._halt_at = self._leave_at = float("inf")
        self._status = ""
        self._not_taken: str | None = None
        """What was wrong with the configuration when it was read again last."""
        self._config_seen: Identity | None = None
        serving = works.model.serving
        self._health = replace(
            health,
            backbone=serving.card.backbone,
            runtime=serving.runtime.name,
            precision=serving.precision,
            batch_size=works.pipeline.pace.batch_size,
        )
        self._latecomers = Latecomers(
            *(works.workspace, works.store, works.run_id, works.source),
            lambda: works.board.trouble or works.board.hindrance(),
        )
        metrics = works.board.metrics
        self._reporter = Reporter(works.workspace, works.store, metrics, lambda: self._health)

        self._alarms = Alarms(
            *(works.workspace.root, works.workspace.state, works.workspace.config.alert),
            *(works.board.notices, self._began_at),
        )
        works.board.landed = self._alarms.took

    def run(self) -> RunSummary:
        works = self._works
        works.pipeline.start()
        self._reporter.start()
        if not works.once:
            works.corrections.start()
            self._latecomers.start()
        try:
            # A single run ends as soon as the pipeline does.
            longest = TICK_SECONDS if works.once else 0.0
            while not works.pipeline.join(longest) and time.monotonic() < self._leave_at:
                with suppress(queue.Empty):
                    self._obey(self._wanted.get(timeout=TICK_SECONDS - longest))
                self._tick(time.monotonic())
        except Exception as failure:
            works.board.last_error = str(failure) or type(failure).__name__
            raise
        finally:
            works.source.stop()
            works.pipeline.halt()
            works.pipeline.ended(HALT_SECONDS)
            works.corrections.stop()
            self._latecomers.stop()
            works.backups.stop()
            works.int8_form.stop()
            self._report("stopped")
            self._reporter.stop()
            self._alarms.stop()
        if works.once:
            self._latecomers.look()
            self._works.corrections.fetch_all()
        self._tidy(float("inf"))
        summary = self._summary()
        with suppress(StoreFull, StoreBusy):  # the log can do without, and stopping is no failure
            works.store.runs.end(works.run_id, str(summary))
        return summary

    def _tick(self, now: float) -> None:
        works = self._works
        if self._died:
            raise self._died[0]
        settled = works.source.scanned.is_set() or works.board.trouble is not None
        if self._health.state == "starting" and settled:
            self._ready()
        if now >= self._halt_at:
            LOG.warning("what is still in hand takes too long; it stays in the inbox")
            works.pipeline.halt()
            self._halt_at, self._leave_at = float("inf"), now + HALT_SECONDS
        if now >= self._next_status:
            self._next_status = now + STATUS_SECONDS
            self._look_round(now)
        if now >= self._next_trim:
            self._next_trim = now + TRIM_SECONDS
            give_back()
        if self._ping_seconds and now >= self._next_ping and self._stuck(now) is None:
            self._next_ping = now + self._ping_seconds
            notify("WATCHDOG=1")

    def _look_round(self, now: float) -> None:
        """Every couple of seconds."""
        works = self._works
        if self._not_taken is not None and self._config_seen != self._config_now():
            self._reload()  # somebody who asked for it has put the file right since
        self._report()
        if not works.once:
            trouble, waiting = works.board.trouble, works.source.waiting
            self._alarms.look(now, trouble, waiting, self._reporter.signs)
        self._tidy(now)
        if not works.once and self._health.state == "running":
            works.backups.tick(works.source.waiting)
            works.int8_form.tick()
        if self._health.state == "starting" and self._stuck(now) is None:
            extend()

    def _tidy(self, now: float) -> None:
        if self._workspace.config.filing.remove_empty_subfolders:
            self._works.tidier.sweep(now)

    def _ready(self) -> None:
        self._report("running")
        health = self._health
        LOG.info(
            "ready: watching %s with model v%s (%s, %s, %s)",
            display(self._workspace.inbox),
            *(health.model, health.backbone, health.runtime, health.precision),
        )
        notify("READY=1", f"STATUS={self._status}")

    def _obey(self, command: Command) -> None:
        if command is Command.RELOAD:
            ready = self._health.state in {"running", "paused"}
            if ready:
                reloading()
            self._reload()
            if ready:
                notify("READY=1")
        elif self._health.state != "stopping":
            self._told_to_stop = True
            LOG.info("stopping; what is in hand is finished first")
            notify("STOPPING=1")
            self._works.source.stop()
            self._works.pipeline.hurry()
            self._halt_at = time.monotonic() + DRAIN_SECONDS
            self._report("stopping")

    def _reload(self) -> None:
        """All of a valid configuration, or none of it."""
        works = self._works
        self._config_seen = self._config_now()
        try:
            new = reloaded(self._workspace.config, load_config(self._workspace.config_file))
        except ConfigProblem as problem:
            self._not_taken = f"config.toml was not taken over: {problem}"
            works.board.last_error = self._not_taken
            LOG.error("%s", self._not_taken)
            return
        if works.board.last_error == self._not_taken:
            works.board.last_error = None
        self._not_taken = None
        before = self._workspace.config
        self._workspace = workspace = replace(self._workspace, config=new.config)
        log_to_stderr(new.config.log.level, new.config.log.format)
        self._reporter.reconfigure(workspace)
        self._latecomers.workspace = workspace
        works.backups.workspace = workspace
        works.int8_form.workspace = workspace
        works.source.reconfigure(source_settings(new.config))
        works.model.reconfigure(workspace)
        works.corrections.workspace = workspace
        works.corrections.scan_seconds = new.config.watch.scan_seconds
        if workspace.config.alert != before.alert:
            self._alarms.reconfigure(workspace.config.alert)
        works.keeper.max_gb = new.config.learning.embeddings_max_gb
        filer = Filer(workspace, works.store, works.run_id)
        works.pipeline.stages = replace(works.pipeline.stages, filing=filer)
        works.pipeline.pace = pace_of(new.config)
        LOG.info("config.toml was read again")
        if new.waiting:
            LOG.warning("restart imgsort run for the new %s", ", ".join(new.waiting))

    def _config_now(self) -> Identity | None:
        with suppress(OSError):
            return Identity.of(self._workspace.config_file.stat())
        return None

    def _stuck(self, now: float) -> str | None:
        """A part that has not got on for minutes."""
        works = self._works
        limit = patience(works.workspace.config)
        stage = works.pipeline.pulse.stuck(limit)
        # While a stage has something in hand, the scan may have to wait for it.
        if stage is None and now - works.source.beat > limit and not works.pipeline.pulse.busy_now:
            return "scan"
        return stage

    def _report(self, state: State | None = None) -> None:
        works = self._works
        now = time.monotonic()
        health = self._health if state is None else self._health.into(state)
        self._health = replace(
            health_of(health, works.board, works.source, works.model),
            watching=works.watcher.blind or "inotify",
            watcher_restarts=works.watcher.restarts,
            decoder_rebuilt=works.decoder.rebuilt,
            labelled_by_hand=works.corrections.labelled,
            attention=works.corrections.attention,
            stuck=self._stuck(now),
        )
        _say(self._workspace, self._health)
        status = status_line(self._health)
        if status != self._status:
            self._status = status
            notify(f"STATUS={status}")

    def _summary(self) -> RunSummary:
        counts, source = self._works.board.counts, self._works.source
        return RunSummary(
            filed=counts["filed"],
            unsure=counts["unsure"],
            rejected=counts["rejected"],
            left_in_place=self._health.left_in_place.count,
            left_for_kind=dict(source.rounds.survey.kinds),
            still_written=tuple(sorted(display(source.way(path)) for path in source.writing)),
            seconds=round(time.monotonic() - self._began_at, 3),
            labelled_by_hand=self._works.corrections.labelled,
            attention=self._works.corrections.attention,
            interrupted=self._told_to_stop and self._works.once and source.has_more,
        )


def patience(config: Config) -> float:
    """How many seconds a stage may take for one step: pictures and batches may be slow ones."""
    return STUCK_SECONDS + 4 * config.decode.timeout_seconds + config.model.batch_size


def _say(workspace: Workspace, health: Heartbeat) -> None:
    """Write state/status.json; a full disk must not stop the daemon."""
    with suppress(OSError):
        write_status(workspace.status_file, health)
