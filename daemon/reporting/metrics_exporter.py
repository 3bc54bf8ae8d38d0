"""Brings the metrics to who reads them: a file, and HTTP on this machine only."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import start_http_server

from imgsort.care.drift import drift_of
from imgsort.care.health import disks_of
from imgsort.care.heartbeat import Heartbeat
from imgsort.daemon.log_output import LOG, Notices
from imgsort.daemon.reporting.metrics import Live, Metrics, Slow, write_textfile
from imgsort.errors import ImgsortError
from imgsort.models.serving import active_card
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

WRITE_SECONDS = 15.0
SLOW_SECONDS = 300.0
ALERT_SECONDS = 60.0
"""The same while somebody wants to be told of drift."""
LOOPBACK = "127.0.0.1"


class Reporter:
    """A thread of its own: it may wait for a disk or the database, and nobody waits for it."""

    def __init__(
        self, workspace: Workspace, store: Store, metrics: Metrics, health: Callable[[], Heartbeat]
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._metrics = metrics
        self._notices = Notices()
        self._slow = Slow()
        self._slow_at = float("-inf")
        self.signs: tuple[str, ...] | None = None
        """Of drift, as they were looked at last."""
        self._server: Any = None
        self._port = 0
        """On which it serves; 0 while it doesn't."""
        self._ended, self._woken = threading.Event(), threading.Event()
        disks = lambda: disks_of(self._workspace)  # noqa: E731  (the workspace may be exchanged)
        metrics.registry.register(Live(health, lambda: self._slow, disks))
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def reconfigure(self, workspace: Workspace) -> None:
        """Go on under another configuration, at once."""
        self._workspace = workspace
        self._woken.set()

    def stop(self) -> None:
        """Write once more, and end."""
        self._ended.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._serve(self._workspace.config.metrics.port)
                self._renew(time.monotonic())
                self._write()
            except Exception as failure:  # noqa: BLE001  (told)
                self._notices.failed("reporting metrics", failure)
            self._woken.wait(WRITE_SECONDS)
            self._woken.clear()
        self._write()
        self._serve(0)

    def _renew(self, now: float) -> None:
        if now < self._slow_at:
            return
        alert = self._workspace.config.alert.drift
        self._slow_at = now + (ALERT_SECONDS if alert else SLOW_SECONDS)
        try:
            card = active_card(self._workspace)
            drift = drift_of(self._store, card)
            landmarks, overview = self._store.drift.landmarks(), self._store.counts.overview()
        except (ImgsortError, OSError) as problem:
            self._notices.each_minute("slow", f"some metrics are not renewed: {problem}")
            return
        self._slow = Slow(
            drift, landmarks.last_training, landmarks.starts, overview.labels_since_training
        )
        self.signs = tuple(drift.notable)
        for sign in drift.notable:
            # Figures change from look to look; the sentence's kind is said once a model.
            self._notices.once(f"{card.version} {sign[:24]}", sign)

    def _write(self) -> None:
        path = self.textfile
        if path is None:
            return
        try:
            write_textfile(path, self._metrics.text())
        except OSError as problem:
            reason = problem.strerror or str(problem)
            self._notices.each_minute("textfile", f"{path} can't be written ({reason})")

    @property
    def textfile(self) -> Path | None:
        """Where the figures are written to."""
        named = self._workspace.config.metrics.textfile
        return self._workspace.root / named if named else None

    def _serve(self, port: int) -> None:
        """Open the port that the configuration names now, and no other."""
        if port == self._port:
            return
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server, self._port = None, 0
        if not port:
            return
        try:
            self._server, _ = start_http_server(port, LOOPBACK, self._metrics.registry)
        except OSError as problem:
            reason = problem.strerror or str(problem)
            self._notices.each_minute("port", f"metrics can't be served on port {port} ({reason})")
        else:
            self._port = port
            LOG.info("metrics are served on http://%s:%d/metrics", LOOPBACK, port)
