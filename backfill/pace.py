"""How fast, and how long still. Pure."""

from dataclasses import dataclass

_HOUR = 3600
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class JobPace:
    """``done`` of ``pictures``; ``fresh`` of those in the last ``seconds``."""

    done: int
    pictures: int
    fresh: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Pictures a second; None where it can't be told yet."""
        return self.fresh / self.seconds if self.fresh and self.seconds > 0 else None

    @property
    def hours_to_go(self) -> float | None:
        left = max(0, self.pictures - self.done)
        return None if self.rate is None else left / self.rate / _HOUR

    def in_words(self) -> str:
        told = f"{self.done:,} of {self.pictures:,} pictures"
        if self.rate is None or self.hours_to_go is None:
            return told
        return (
            f"{told}, {in_digits(self.rate)} a second, {duration(self.hours_to_go * _HOUR)} to go"
        )


def in_digits(rate: float) -> str:
    """A rate as precise as it is worth telling."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"  # noqa: PLR2004


def duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} seconds"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} minutes"
    return f"{seconds / _HOUR:,.1f} hours"
