"""When is somebody told that something is wrong? Rules on the last minutes. Pure.

A share counts as too high when it surely is: the lower end of its Wilson interval is above the
limit, and never with fewer than twenty pictures. It is over when it is below the limit.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imgsort.intervals import wilson

Z = 1.645
"""One look in twenty would call a share too high that lies right at the limit."""
LEAST = 20
"""Pictures, below which no share is told."""
_SLOTS = 60
ADVICE = {
    "unsure": "look through unsure/ and at the camera",
    "rejected": "see `imgsort log` for the reasons",
}


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """As [alert] of config.toml has them; 0 (or False) is off."""

    minutes: float = 2.0
    unsure_over: float = 0.0
    rejected_over: float = 0.0
    nothing_minutes: float = 0.0
    paused_minutes: float = 0.0
    drift: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What the daemon knows; times in monotonic seconds."""

    now: float
    decisions: Mapping[str, int]
    """Of the pictures that got through within the rules' minutes: filed, unsure, rejected."""
    last_arrival: float
    """When the last picture got through, or the daemon began."""
    waiting: int = 0
    paused_since: float | None = None
    paused_reason: str | None = None
    signs: tuple[str, ...] = ()
    """Of drift, a sentence each."""


def alarms(rules: AlarmRules, moment: Moment, on: Mapping[str, str]) -> dict[str, str]:
    """What is wrong now: rule -> a sentence. ``on``: the answer before, for what holds on."""
    return dict(_alarms(rules, moment, on))


def _alarms(rules: AlarmRules, moment: Moment, on: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    total = sum(moment.decisions.values())
    for decision, limit in (("unsure", rules.unsure_over), ("rejected", rules.rejected_over)):
        count = moment.decisions.get(decision, 0)
        if limit and total and _is_over(count, total, limit, held=decision in on):
            yield (
                decision,
                f"{count / total:.0%} of the {total:,} pictures of the last "
                f"{_span(rules.minutes).removeprefix('1 ')} are {decision}, more than {limit:.0%}; "
                f"{ADVICE[decision]}.",
            )
    quiet = moment.now - moment.last_arrival
    paused = moment.paused_since is not None
    if rules.nothing_minutes and quiet > 60 * rules.nothing_minutes and not paused:
        waiting = f"; {moment.waiting:,} wait" if moment.waiting else "; see whether any are sent"
        yield "nothing", f"No picture has got through for {_span(quiet / 60)}{waiting}."
    if rules.paused_minutes and moment.paused_since is not None:
        long = moment.now - moment.paused_since
        if long > 60 * rules.paused_minutes:
            reason = moment.paused_reason or "see `imgsort status`."
            yield "paused", f"Nothing is filed for {_span(long / 60)}: {reason}"
    if rules.drift and moment.signs:
        yield "drift", moment.signs[0]


def _span(minutes: float) -> str:
    """``2.5 minutes``, ``1 minute``, ``30 seconds``."""
    if round(60 * minutes) < 60:  # noqa: PLR2004
        number, noun = f"{60 * minutes:.0f}", "second"
    else:
        exact = f"{minutes:g}"
        number, noun = exact if len(exact) <= len("0.0") else f"{minutes:.0f}", "minute"
    return f"{number} {noun}{'' if number == '1' else 's'}"


def _is_over(count: int, total: int, limit: float, *, held: bool) -> bool:
    if held:
        return count / total >= limit
    return total >= LEAST and wilson(count, total, Z).low > limit


@dataclass(slots=True)
class AlarmWindow:
    """Decisions of the last ``seconds``, in sixty slots however many there are."""

    seconds: float
    _slots: deque[tuple[float, Counter[str]]] = field(default_factory=deque)

    def add(self, now: float, decisions: Mapping[str, int]) -> None:
        if not self._slots or now - self._slots[-1][0] > self.seconds / _SLOTS:
            self._slots.append((now, Counter()))
        self._slots[-1][1].update(decisions)
        self._forget(now)

    def counts(self, now: float) -> Counter[str]:
        self._forget(now)
        return sum((counts for _, counts in self._slots), Counter())

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] < now - self.seconds:
            self._slots.popleft()
