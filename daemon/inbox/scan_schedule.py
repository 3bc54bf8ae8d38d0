"""When to walk the inbox, and how much of it at a time."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from imgsort.daemon.inbox.file_kinds import NameRules
from imgsort.daemon.inbox.scan import Survey, Walk

REST = 20
"""A walk that took t seconds is followed by a rest of 20 t at least: 5 % of one core at most."""


class Rounds:
    """One walk after the other, in steps.

    A step stops where the caller has no more room, so that the inbox itself stays the queue.
    """

    def __init__(
        self, inbox: Path, names: NameRules, clock: Callable[[], float], rest: float = REST
    ) -> None:
        self.names = names
        self.survey = Survey()
        """Of the last complete walk; of the first one while that goes on."""
        self.began_at = float("-inf")
        """When the walk that was completed last began, monotonic seconds."""
        self.next_at = float("-inf")
        self._inbox = inbox
        self._clock = clock
        self._rest = rest
        self._paths: Iterator[str] | None = None
        self._going = self.survey
        self._started_at = 0.0
        self._spent = 0.0
        self._earliest = float("-inf")

    @property
    def unfinished(self) -> bool:
        """A walk is under way: more may lie in the inbox than was seen yet."""
        return self._paths is not None

    def soon(self) -> None:
        """Walk as soon as the rest after the last walk is over."""
        self.next_at = min(self.next_at, self._earliest)

    def restart(self) -> None:
        """Begin anew at once: the inbox is another folder now."""
        self._paths = None
        self.next_at = self._earliest = float("-inf")

    def step(self, room: int, now: float, scan_seconds: float) -> list[str]:
        """At most ``room`` paths, fewer when the walk ends. Raises OSError if the inbox is gone."""
        if self._paths is None:
            if now < self.next_at:
                return []
            self._begin(now)
        began = self._clock()
        paths = list(islice(self._paths or (), room))
        ended = self._clock()
        self._spent += ended - began
        if self._going.complete:
            self._paths = None
            self.survey, self.began_at = self._going, self._started_at
            self._earliest = ended + self._rest * self._spent
            self.next_at = max(self._earliest, ended + scan_seconds)
        return paths

    def _begin(self, now: float) -> None:
        first = self.survey is self._going and not self.survey.complete
        self._going = self.survey if first else Survey()
        self._paths = iter(Walk(self._inbox, self.names, self._going))
        self._started_at, self._spent = now, 0.0
