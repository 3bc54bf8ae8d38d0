"""The part of the inbox that is being looked at: bounded, however much waits behind it.

Pure book-keeping: paths, what was seen of them, and when to look again. Times are monotonic
seconds.
"""

import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass

from imgsort.daemon.inbox.probe import LeftAlone
from imgsort.daemon.inbox.settle import Watched
from imgsort.disk.identity import Identity

CAPACITY = 4096
"""Enough for several seconds of the fastest machine, at about 500 bytes each."""
ASIDE_CAPACITY = 4096
ASIDE_SECONDS = 60.0


@dataclass(slots=True)
class Waiting:
    """A file not yet known to be finished."""

    due: float
    renamed: bool
    watched: Watched | None
    """None before the first look."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A file that could not be taken, and why; it isn't looked at again before ``until``."""

    until: float
    left: LeftAlone


class Window:
    """Files that wait, are on their way through the pipeline, or were set aside for a minute."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.waiting: dict[str, Waiting] = {}
        self.in_flight: dict[str, Identity] = {}
        self.aside: OrderedDict[str, Aside] = OrderedDict()
        self._identities: set[Identity] = set()
        self._due: list[tuple[float, int, str]] = []
        self._serial = itertools.count()
        self._hinted: dict[str, bool] = {}

    @property
    def room(self) -> int:
        return self.capacity - len(self.waiting)

    def found(self, path: str, now: float) -> None:
        """A walk came by this file."""
        if path in self.waiting or path in self.in_flight:
            return
        kept = self.aside.get(path)
        if kept is None or kept.until <= now:
            self._wait(path, Waiting(now, False, None))

    def hinted(self, path: str, now: float, *, renamed: bool) -> bool:
        """The kernel said that something happened to this file. False: there is no room for it."""
        if path in self.in_flight:
            self._hinted[path] = renamed or self._hinted.get(path, False)
            return True
        waiting = self.waiting.get(path)
        if waiting is None:
            if self.room <= 0:
                return False
            self.aside.pop(path, None)
            self._wait(path, Waiting(now, renamed, None))
        elif renamed or waiting.watched is not None:
            # Another look: what was seen as its writer began must not count as its last change.
            self._wait(path, Waiting(now, renamed or waiting.renamed, waiting.watched))
        return True

    def next_due(self) -> float | None:
        """When the next look is due."""
        while self._due:
            due, _, path = self._due[0]
            waiting = self.waiting.get(path)
            if waiting is not None and waiting.due == due:
                return due
            heapq.heappop(self._due)  # left over from before the file was rescheduled or dropped
        return None

    def take_due(self, now: float) -> tuple[str, Waiting] | None:
        """A file to look at now; the caller says afterwards what it saw."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, _, path = heapq.heappop(self._due)
        return path, self.waiting.pop(path)

    def look_again(self, path: str, watched: Watched | None, due: float) -> None:
        self._wait(path, Waiting(due, False, watched))

    def start(self, path: str, identity: Identity) -> bool:
        """Send a file through the pipeline; False while the same file is on its way already."""
        if identity in self._identities:
            return False
        self.in_flight[path] = identity
        self._identities.add(identity)
        return True

    def finish(self, path: str, now: float) -> Identity | None:
        """The pipeline is through with a file. Returns the identity it was started with."""
        identity = self.in_flight.pop(path, None)
        if identity is not None:
            self._identities.discard(identity)
        renamed = self._hinted.pop(path, None)
        if renamed is not None:
            self._wait(path, Waiting(now, renamed, None))
        return identity

    def set_aside(self, path: str, left: LeftAlone, now: float) -> None:
        """Leave a file alone for a minute."""
        self.waiting.pop(path, None)
        self.aside.pop(path, None)
        self.aside[path] = Aside(now + ASIDE_SECONDS, left)
        if len(self.aside) > ASIDE_CAPACITY:
            self.aside.popitem(last=False)

    def forget(self, path: str) -> None:
        """The file is gone."""
        self.waiting.pop(path, None)
        self.aside.pop(path, None)

    def _wait(self, path: str, waiting: Waiting) -> None:
        self.waiting[path] = waiting
        heapq.heappush(self._due, (waiting.due, next(self._serial), path))
