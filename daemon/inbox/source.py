"""The inbox as a stream of settled files: what lies there, what arrives, and what was missed."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imgsort.daemon.inbox.file_kinds import FileKind, NameRules
from imgsort.daemon.inbox.folder_guard import GuardedFolder, now_at
from imgsort.daemon.inbox.probe import NOT_REGULAR, LeftAlone, Seen, glance, look
from imgsort.daemon.inbox.scan import sniffed
from imgsort.daemon.inbox.scan_schedule import REST, Rounds
from imgsort.daemon.inbox.settle import Watched, Writer, remaining, seen
from imgsort.daemon.inbox.waiting import Waiting, Window
from imgsort.daemon.inbox.watcher import Watcher
from imgsort.daemon.log_output import LOG, Notices
from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.disk.mounts import is_event_blind
from imgsort.errors import StoreBusy, StoreFull, WorkspaceProblem
from imgsort.filing import Candidate
from imgsort.workspace.workspace import is_workspace

CHECK_SECONDS = 2.0
"""How often the inbox itself is looked at, and how often walked where there are no events."""
ONCE_PATIENCE = 30.0
"""How long `run --once` waits for files that others still write, in seconds without progress."""

BLIND_SETTLE_SECONDS = 5.0
"""The least quiet time on network and FUSE file systems: nobody tells of writers there, and a
client may remember for some seconds how a file was."""
AGAIN_SECONDS = 2.0
"""How often a file that may yet become a picture is looked at."""

ANOTHERS = "it is a workspace of its own"

Known = Callable[[Sequence[Identity]], Collection[Identity]]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What SIGHUP may change."""

    names: NameRules
    settle_seconds: float
    scan_seconds: float
    reject_seconds: float = 0.0


class Source:
    """Yields candidates to one thread; everything else may be called from any thread.

    ``known`` (copy mode) picks out of some files those that were copied already.
    """

    def __init__(  # noqa: PLR0913  (the last four have their usual value nearly everywhere)
        self,
        inbox: Path,
        settings: SourceSettings,
        watcher: Watcher,
        notices: Notices,
        *,
        once: bool = False,
        known: Known | None = None,
        window: Window | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window = window or Window()
        self.rounds = Rounds(inbox, settings.names, clock, 0 if once else REST)
        self.scanned = threading.Event()
        """Set once the inbox has been looked through as far as the window reaches."""
        self.paused: str | None = None
        self.beat = clock()
        self.writing: set[str] = set()
        """Files that are still being written."""
        self._folder = GuardedFolder.at(inbox)
        self._settings = settings
        self._watcher = watcher
        self._notices = notices
        self._once = once
        self._known = known
        self._clock = clock
        self._taken: dict[str, tuple[Watched, Writer]] = {}
        """How the files on their way looked when they were taken."""
        self._blind: dict[int, bool] = {}
        """By device: is it a network or FUSE file system?"""
        self.lock = threading.Lock()
        self._stopping = False
        self._next_check = float("-inf")
        self._moved_at = clock()
        self._quiet_until = float("-inf")
        """While it sleeps: when a file is due next, if there is one."""

    @property
    def quiet_seconds(self) -> float:
        """So long no candidate is to come, unless the kernel tells of one."""
        return self._quiet_until - self._clock()

    @property
    def waiting(self) -> int:
        """Images seen in the inbox that are not through yet; more may lie behind them."""
        return len(self.window.waiting) + len(self.window.in_flight)

    @property
    def has_more(self) -> bool:
        """Do pictures lie in the inbox that were not taken, as far as is known?"""
        given_up = any(aside.left.given_up for aside in self.window.aside.values())
        return bool(given_up or self.waiting or self.rounds.unfinished or not self.scanned.is_set())

    def way(self, path: str) -> str:
        """A path as the way down from the inbox."""
        return path[len(str(self._folder.path)) + 1 :]

    def stop(self) -> None:
        """End the stream soon."""
        self._stopping = True
        self._watcher.hints.arrived.set()

    def reconfigure(self, settings: SourceSettings) -> None:
        """Go on under other settings."""
        self._settings = settings
        self.rounds.names = settings.names
        self.rounds.soon()
        self._watcher.hints.arrived.set()

    def arrivals(self) -> Iterator[Candidate]:
        """Raises WorkspaceProblem when the inbox goes away during `run --once`."""
        try:
            while not self._stopping:
                now = self.beat = self._clock()
                self._check(now)
                candidate = self._next(now) if self.paused is None else None
                if candidate is not None:
                    yield candidate
                elif self._once and self._emptied(now):
                    return
                else:
                    self._wait(now)
        finally:
            self._watcher.disarm()

    def finished(self, path: Path, left: LeftAlone | None) -> None:
        """The pipeline is through with a candidate; one that was left is looked at again."""
        name, now = str(path), self._clock()
        after = None if left is None else glance(name)
        with self.lock:
            self._taken.pop(name, None)
            before = self.window.finish(name, now)
            if left is not None and isinstance(after, Seen) and after.identity == before:
                self.window.set_aside(name, left, now)
            elif after is not None:
                self.window.found(name, now)
            self._moved_at = now
            wanted = name in self.window.waiting or (self._once and not self.window.in_flight)
        if wanted:
            self._watcher.hints.arrived.set()

    def may_reject(self, path: Path) -> bool:
        """Has this file, which is no picture, been left alone for long enough?

        If not, it is looked at again by then, or when it has changed.
        """
        name, now = str(path), self._clock()
        with self.lock:
            if name not in self._taken:
                return True
            watched, writer = self._taken[name]
            watched = replace(watched, refused=True, since=min(watched.since, now - _age(name)))
            wait = remaining(watched, writer, now, *self._quiet(watched.identity, name))
            if wait <= 0:
                return True
            del self._taken[name]
            self.window.finish(name, now)
            self.window.look_again(name, watched, now + min(wait, AGAIN_SECONDS))
            self.writing.add(name)
            self._moved_at = now
        self._watcher.hints.arrived.set()
        return False

    def _next(self, now: float) -> Candidate | None:
        with self.lock:
            self._absorb_hints(now)
            self._refill(now)
            while (taken := self.window.take_due(now)) is not None:
                candidate = self._looked_at(*taken, now)
                if candidate is not None:
                    return candidate
        return None

    def _check(self, now: float) -> None:
        """Is the inbox there, still the same folder, and watched? Every two seconds."""
        if now < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        there = now_at(self._folder)
        if isinstance(there, str):
            self._pause(there)
            return
        if self.paused is not None:
            LOG.info("the inbox is back; going on")
            self.paused = None
            self._start_over()
        elif (there.dev, there.ino) != (self._folder.dev, self._folder.ino):
            LOG.warning("%s was replaced by another folder; watching that one", there.path)
            self._start_over()
        self._folder = there
        self._watcher.keep(now)
        if self._watcher.blind:
            self.rounds.soon()

    def _pause(self, trouble: str) -> None:
        if self._once:
            raise WorkspaceProblem(f"{trouble}, then run imgsort again.")
        self._notices.each_minute("inbox", f"paused: {trouble}; imgsort goes on by itself")
        if self.paused is None:
            self._watcher.disarm()
        self.paused = trouble

    def _start_over(self) -> None:
        self._blind.clear()
        self._watcher.disarm()
        self.rounds.restart()

    def _absorb_hints(self, now: float) -> None:
        paths, missed = self._watcher.hints.take()
        for path, renamed in paths.items():
            if self._is_wanted(path) and not self.window.hinted(path, now, renamed=renamed):
                missed = True
        if missed:
            self.rounds.soon()

    def _is_wanted(self, path: str) -> bool:
        relative = self.way(path)
        folder, slash, name = relative.rpartition("/")
        names = self._settings.names
        kind = names.kind(name, folder + slash)
        if kind is FileKind.NAMELESS:
            kind = sniffed(Path(path), self._folder.path, names.readable)
        return (
            kind is FileKind.PICTURE and names.reaches(relative) and not self._is_anothers(folder)
        )

    def _is_anothers(self, folder: str) -> bool:
        """Does this folder of the inbox lie in a workspace of its own?"""
        inbox, parts = str(self._folder.path), folder.split("/") if folder else []
        above = ("/".join((inbox, *parts[: depth + 1])) for depth in range(len(parts)))
        return any(is_workspace(one) for one in above)

    def _refill(self, now: float) -> None:
        if self.window.room < self.window.capacity // 2:
            return
        try:
            paths = self.rounds.step(self.window.room, now, self._settings.scan_seconds)
        except OSError:
            self._next_check = float("-inf")  # the inbox is gone: the check says so
            return
        for path in self._unknown(paths):
            self.window.found(path, now)
        if not self.rounds.unfinished:
            for way in self.rounds.survey.special.examples:
                self._say_left(way, NOT_REGULAR)
            for way in self.rounds.survey.workspaces.examples:
                self._say_left(way, ANOTHERS)
        self.scanned.set()

    def _say_left(self, way: str, reason: str) -> None:
        self._notices.once(f"left {way}", f"left in place: {display(way)}: {reason}")

    def _unknown(self, paths: list[str]) -> list[str]:
        """Without what copy mode has copied already."""
        if self._known is None or not paths:
            return paths
        looks = {path: glance(path) for path in paths}
        copied = self._copied([one.identity for one in looks.values() if isinstance(one, Seen)])
        return [
            path
            for path, view in looks.items()
            if not (isinstance(view, Seen) and view.identity in copied)
        ]

    def _copied(self, identities: Sequence[Identity]) -> Collection[Identity]:
        """Which of these were copied before; all of them while the database can't tell."""
        if self._known is None or not identities:
            return ()
        try:
            return self._known(identities)
        except (StoreBusy, StoreFull) as trouble:
            self._notices.each_minute("copied", f"the inbox has to wait: {trouble}")
            return identities

    def _looked_at(self, path: str, waiting: Waiting, now: float) -> Candidate | None:
        first = waiting.watched is None and not waiting.renamed
        view = glance(path) if first else look(path, (self._folder.path,))
        if first and isinstance(view, Seen) and self._is_blind(view.identity.dev, path):
            view = look(path, (self._folder.path,))  # an opened file is as the server has it
        self.writing.discard(path)
        if view is None:
            self.window.forget(path)
            return None
        if isinstance(view, LeftAlone):
            self._say_left(self.way(path), view.reason)
            self.window.set_aside(path, view, now)
            return None
        watched = seen(waiting.watched, view.identity, view.writer, now, renamed=waiting.renamed)
        wait = remaining(watched, view.writer, now, *self._quiet(view.identity, path))
        if wait <= 0 and view.identity in self._copied([view.identity]):
            self.window.forget(path)
            return None
        if wait > 0 or not self.window.start(path, view.identity):
            if view.writer is Writer.OPEN or watched.refused:
                self.writing.add(path)
            if watched.refused:
                wait = min(wait, AGAIN_SECONDS)
            self.window.look_again(path, watched, now + (wait or self._settings.settle_seconds))
            return None
        self._taken[path] = (watched, view.writer)
        subfolder = os.fsencode(self.way(path).rpartition("/")[0])
        return Candidate(Path(path), subfolder, datetime.now(UTC), now)

    def _quiet(self, identity: Identity, path: str) -> tuple[float, float]:
        """How long a file must be unchanged before it is opened, and before it is rejected."""
        settle = self._settings.settle_seconds
        if self._is_blind(identity.dev, path):
            settle = max(settle, BLIND_SETTLE_SECONDS)
        return settle, max(settle, self._settings.reject_seconds)

    def _is_blind(self, dev: int, path: str) -> bool:
        if dev not in self._blind:
            try:
                self._blind[dev] = is_event_blind(Path(path).parent)
            except OSError:
                return True
        return self._blind[dev]

    def _emptied(self, now: float) -> bool:
        """Has `run --once` done what there is to do?"""
        with self.lock:
            if self.window.in_flight or self.rounds.unfinished:
                return False
            if set(self.window.waiting) - self.writing:
                return False
            if self.rounds.began_at <= self._moved_at:
                self.rounds.soon()
                return False
            return not self.writing or now - self._moved_at > ONCE_PATIENCE

    def _wait(self, now: float) -> None:
        """Sleep until a hint, or the next thing that is due."""
        times, quiet_until = [self._next_check], float("inf")
        if self.paused is None:
            with self.lock:
                due = self.window.next_due()
                quiet_until = quiet_until if due is None else due
                times += [] if due is None else [due]
                if self.window.room >= self.window.capacity // 2:
                    times.append(now if self.rounds.unfinished else self.rounds.next_at)
        self._quiet_until = quiet_until
        self._watcher.hints.arrived.wait(max(0.0, min(times) - self._clock()))
        self._quiet_until = float("-inf")
        self._watcher.hints.arrived.clear()


def _age(path: str) -> float:
    """Seconds since anything of a file changed, by the wall clock, which may be wrong."""
    try:
        return max(0.0, time.time() - os.lstat(path).st_ctime)
    except OSError:
        return 0.0
