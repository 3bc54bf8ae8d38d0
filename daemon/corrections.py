"""What people do in sorted/, unsure/ and rejected/ while the daemon runs, and did while it didn't.

A look at all of it is the truth; hints from inotify only bring it forward. It works beside the
pipeline, and is idle for longer than it works.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from imgsort.daemon.inbox.folder_guard import FolderGuard
from imgsort.daemon.inbox.watcher import Watcher
from imgsort.daemon.log_output import LOG, Notices
from imgsort.disk.display import display
from imgsort.errors import FilingPaused, StoreBusy, StoreFull
from imgsort.filing.left_behind_sidecars import HandMove, fetch
from imgsort.filing.xmp_renewal import renewing
from imgsort.images import ALL_SUFFIXES
from imgsort.reconcile.apply import Hashes, ReconcileSummary, reconcile_folders
from imgsort.reconcile.examine import Opener, examine_adopted
from imgsort.records.files import suffix_of
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

TICK_SECONDS = 0.5
CALM_SECONDS = 1.0
"""After a hint: who moves one picture moves several."""
WAITING_SECONDS = 5.0
"""Until the next look when something was too young to tell."""
REST = 20
"""A look that took t seconds is followed by a rest of 20 t at least: 5 % of one core at most."""
STILL_MOVING_SECONDS = 5.0
"""Who moves a picture may be about to move its sidecar too."""
FIRST_SECONDS = 30.0
"""What a start may spend on reading pictures; the rest is read beside the pipeline."""
PASSING = (FilingPaused, StoreBusy, StoreFull)


@dataclass(slots=True)
class Timetable:
    """When to look next, in monotonic seconds. Pure."""

    next_at: float = 0.0
    _earliest: float = 0.0

    def looked(self, began: float, ended: float, scan_seconds: float, *, waiting: bool) -> None:
        self._earliest = ended + REST * (ended - began)
        wanted = min(scan_seconds, WAITING_SECONDS) if waiting else scan_seconds
        self.next_at = max(self._earliest, ended + wanted)

    def hinted(self, now: float) -> None:
        self.next_at = max(self._earliest, min(self.next_at, now + CALM_SECONDS))


class Corrections:
    """Looks when it is time, in a thread of its own; ``look`` may be called before ``start``."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        run_id: int,
        ground: FolderGuard,
        notices: Notices,
    ) -> None:
        self.labelled = 0
        """Pictures that people have put into a class since the daemon started."""
        self.attention: tuple[str, ...] = ()
        """What somebody should know or decide."""
        self.renamed: Callable[[], None] = lambda: None
        """Called after a class got another name."""
        self.decoder: Opener | None = None
        """Opens the pictures that people put into the folders, once there is one."""
        self.scan_seconds = workspace.config.watch.scan_seconds
        self.workspace = workspace
        """May be exchanged for one with another configuration."""
        self._store = store
        self._run_id = run_id
        self._ground = ground
        self._notices = notices
        self._hashes = Hashes(self._is_over)
        self._trips: list[HandMove] = []
        self._deadline = float("inf")
        self._times = Timetable()
        self._stop = threading.Event()
        self._watchers: list[Watcher] = []
        self._thread = threading.Thread(target=self._run, name="corrections", daemon=True)

    def look_first(self) -> None:
        """The look at a start, bounded in time: what is unread by then is read later."""
        self._deadline = time.monotonic() + FIRST_SECONDS
        try:
            self.look()
        finally:
            self._deadline = float("inf")

    def start(self) -> None:
        """Go on looking, until ``stop``."""
        always_poll = self.workspace.config.watch.poll == "always"
        for folder in self.workspace.picture_folders[1:]:
            instead = f"it is looked through every {self.scan_seconds:.0f} seconds instead"
            watcher = Watcher(folder, self._notices, always_poll=always_poll, instead=instead)
            self._watchers.append(watcher)
        self._thread.start()

    def stop(self) -> None:
        """End soon, and wait for it. May be called twice, or without ``start``."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Learn what was done by hand. Troubles that pass are told; the next look makes up."""
        if self._ground.trouble() is not None:
            return  # the pipeline says so; an unmounted folder is no empty one
        began = time.monotonic()
        summary = ReconcileSummary(waiting=1)
        try:
            with renewing(self.workspace, self._store):
                summary = self._learned()
        except PASSING as trouble:
            self._notices.each_minute("by hand", f"what was moved by hand has to wait: {trouble}")
        ended = time.monotonic()
        waiting = bool(summary.waiting or self._trips)
        self._times.looked(began, ended, self.scan_seconds, waiting=waiting)

    def _learned(self) -> ReconcileSummary:
        summary = reconcile_folders(self.workspace, self._store, self._run_id, hashes=self._hashes)
        self._tell(summary)
        self._trips += summary.trips
        self.fetch(time.time() - STILL_MOVING_SECONDS)
        if self.decoder is not None:
            examine_adopted(self.workspace, self._store, self.decoder, self._is_over)
        return summary

    def fetch(self, until: float) -> None:
        """Bring what belongs to pictures that people moved by then (seconds of the wall clock)."""
        due = [trip for trip in self._trips if trip.moved_at <= until]
        if not due:
            return
        for one in fetch(self.workspace, self._store, self._run_id, due):
            if one.moved:
                LOG.info("%s went after its picture", display(one.path))
        self._trips = [trip for trip in self._trips if trip not in due]

    def fetch_all(self) -> None:
        """At the end of `run --once`. Troubles that pass are told."""
        try:
            self.fetch(float("inf"))
        except PASSING as trouble:
            self._notices.each_minute("by hand", f"sidecars have to wait: {trouble}")

    def _tell(self, summary: ReconcileSummary) -> None:
        self.labelled += summary.labelled
        self.attention = summary.notices
        if summary.renamed:
            self.renamed()
        if summary.learned:
            LOG.info("by hand: %s", summary)
        for notice in summary.notices:
            self._notices.once(notice, notice)

    def _is_over(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._deadline

    def _run(self) -> None:
        try:
            while not self._stop.wait(TICK_SECONDS):
                self._tick(time.monotonic())
        finally:
            for watcher in self._watchers:
                watcher.disarm()

    def _tick(self, now: float) -> None:
        for watcher in self._watchers:
            watcher.keep(now)
        if self._hinted():
            self._times.hinted(now)
        if now >= self._times.next_at:
            self.look()

    def _hinted(self) -> bool:
        """Has anything happened that was not our own doing?"""
        paths: set[str] = set()
        missed = False
        for watcher in self._watchers:
            hinted, some_missed = watcher.hints.take()
            paths.update(path for path in hinted if suffix_of(path) in ALL_SUFFIXES)
            missed = missed or some_missed
        if missed or not paths:
            return missed
        try:
            ours = {str(path) for path in self._store.journal.reserved_targets()}
            return bool(paths - ours - self._store.files.known_paths(paths - ours))
        except (StoreBusy, StoreFull):
            return True
