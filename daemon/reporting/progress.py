"""What the daemon knows of itself: counts, rates, troubles, and the one log line a batch."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgsort.care.heartbeat import CountAndExamples, Counters, Heartbeat, State
from imgsort.daemon.inbox.empty_folders import Tidier
from imgsort.daemon.inbox.folder_guard import FolderGuard
from imgsort.daemon.inbox.probe import NOT_REGULAR, LeftAlone
from imgsort.daemon.inbox.scan import EXAMPLES
from imgsort.daemon.inbox.source import ANOTHERS, Source
from imgsort.daemon.log_output import LOG, Notices, fields
from imgsort.daemon.pipeline.active_model import ActiveModel
from imgsort.daemon.pipeline.pipeline import Listener
from imgsort.daemon.reporting.metrics import Metrics
from imgsort.disk.display import display
from imgsort.filing import Done

RATE_SECONDS = 60.0
LOCK_SECONDS = 1.0
"""A scan may hang on a dead network file system; who reports that must not hang with it."""


class Board(Listener):
    """Listens to the pipeline, for the log and for ``status``."""

    def __init__(
        self, source: Source, ground: FolderGuard, tidier: Tidier, notices: Notices
    ) -> None:
        self.counts: Counter[str] = Counter()
        """By decision."""
        self.batches = 0
        self.last_error: str | None = None
        self.began_at = time.monotonic()
        self.metrics = Metrics()
        self.landed: Callable[[float, Counter[str]], None] = lambda *_: None
        """Called with each batch that is through, and when."""
        self._source = source
        self._ground = ground
        self._tidier = tidier
        self.notices = notices
        self._troubles: dict[str, str] = {}
        self._recent: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def finished(self, path: Path, left: LeftAlone | None) -> None:
        self._source.finished(path, left)
        if left is None:
            self._tidier.taken_from(path.parent, time.monotonic())
        else:
            said = f"left in place: {display(path)}: {left.reason}"
            self.notices.each_minute(f"left {left.reason}", said)

    def may_reject(self, path: Path) -> bool:
        return self._source.may_reject(path)

    def batch(self, batch: Sequence[Done], seconds: float) -> None:
        landed = Counter(str(done.decision) for done in batch if done.moved)
        for done in batch:
            if done.paused is not None:  # that folder only; its images are tried again in a minute
                self.last_error = str(done.paused)
        now, images = time.monotonic(), landed.total()
        with self._lock:
            self.counts.update(landed)
            self.batches += 1
            self._recent.append((now, images))
        if images:
            self.landed(now, landed)
            self.metrics.batch(images)
            words = described(landed, images, seconds)
            LOG.info("%s, %s waiting", words, self.waiting, extra=self._in_figures(landed, seconds))

    def _in_figures(self, landed: "Counter[str]", seconds: float) -> dict[str, Any]:
        images = landed.total()
        return fields(
            event="batch",
            images=images,
            filed=landed["filed"],
            unsure=landed["unsure"],
            rejected=landed["rejected"],
            seconds=round(seconds, 3),
            images_per_second=round(images / max(seconds, 1e-3), 1),
            waiting=self._source.waiting,
        )

    def took(self, stage: str, seconds: float) -> None:
        self.metrics.took(stage, seconds)

    def quiet_seconds(self) -> float:
        return self._source.quiet_seconds

    def hindrance(self) -> str | None:
        return self._ground.trouble()

    def paused(self, stage: str, trouble: str | None) -> None:
        with self._lock:
            if trouble is None:
                self._troubles.pop(stage, None)
            else:
                self._troubles[stage] = self.last_error = trouble
        if trouble is None:
            LOG.info("going on: the trouble is over")
        else:
            self.notices.each_minute(
                "paused", f"paused: {trouble.removesuffix('.')}; imgsort goes on by itself"
            )

    @property
    def trouble(self) -> str | None:
        """Why nothing is filed at present."""
        with self._lock:
            return self._source.paused or next(iter(self._troubles.values()), None)

    @property
    def waiting(self) -> str:
        """How many images wait, as text: the window sees only so far."""
        seen = f"{self._source.waiting:,}"
        return f"{seen} or more" if self._source.rounds.unfinished else seen

    def rate(self, now: float) -> float:
        """Images per second over the last minute, or since the start if that is shorter."""
        with self._lock:
            while self._recent and self._recent[0][0] < now - RATE_SECONDS:
                self._recent.popleft()
            images = sum(count for _, count in self._recent)
        return round(images / max(1.0, min(RATE_SECONDS, now - self.began_at)), 1)


def described(landed: "Counter[str]", images: int, seconds: float) -> str:
    """``filed 30, unsure 2 of 32 in 0.54 s (59 images/s)``"""
    parts = [f"filed {landed['filed']}", f"unsure {landed['unsure']}"]
    if landed["rejected"]:
        parts.append(f"rejected {landed['rejected']}")
    rate = images / max(seconds, 1e-3)
    return f"{', '.join(parts)} of {images} in {seconds:.2f} s ({rate:.0f} images/s)"


def health_of(before: Heartbeat, board: Board, source: Source, model: ActiveModel) -> Heartbeat:
    """The next status: what has changed since ``before``."""
    survey, trouble = source.rounds.survey, board.trouble
    state: State = before.state
    if state in {"running", "paused"}:
        state = "paused" if trouble else "running"
    counts = board.counts
    return replace(
        before if state == before.state else before.into(state),
        counters=Counters(counts["filed"], counts["unsure"], counts["rejected"], board.batches),
        waiting=source.waiting,
        more_waiting=source.rounds.unfinished,
        queue=board.waiting,
        in_flight=len(source.window.in_flight),
        images_per_second=board.rate(time.monotonic()),
        model=model.serving.card.version,
        precision=model.serving.precision,
        unsupported=_named(survey.unsupported.examples, survey.unsupported.count),
        left_for_kind=dict(survey.kinds),
        left_in_place=left_in_place(source),
        ignored=survey.ignored,
        being_written=_named([source.way(path) for path in sorted(source.writing)], survey.writing),
        paused_reason=trouble,
        last_error=model.trouble or board.last_error,
    )


def left_in_place(source: Source) -> CountAndExamples:
    """What could not be taken, and why."""
    survey = source.rounds.survey
    reasons: dict[str, str] = {}
    if source.lock.acquire(timeout=LOCK_SECONDS):
        try:
            reasons = {
                source.way(path): aside.left.reason
                for path, aside in source.window.aside.items()
                if not aside.left.given_up
            }
        finally:
            source.lock.release()
    special = dict.fromkeys(survey.special.examples, NOT_REGULAR)
    closed = dict.fromkeys(survey.closed.examples, "it can't be looked into")
    others = dict.fromkeys(survey.workspaces.examples, ANOTHERS)
    reasons = special | closed | others | reasons
    tallies = (survey.special, survey.closed, survey.workspaces)
    hidden = sum(tally.count - len(tally.examples) for tally in tallies)
    return _named([f"{way}: {why}" for way, why in reasons.items()], len(reasons) + hidden)


def _named(names: list[str], count: int) -> CountAndExamples:
    return CountAndExamples(
        max(count, len(names)), tuple(display(name) for name in names[:EXAMPLES])
    )
