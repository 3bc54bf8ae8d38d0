"""An audit: pictures drawn at random, judged by a person; the honest accuracy follows. Pure.

Every picture has the same chance of being drawn, whatever the model said of it and whether or not
its mistake was noticed before; so the shares among the drawn are unbiased for all.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from imgsort.intervals import Interval, wilson


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one drawn picture, and what the model had said."""

    sha256: str
    truth: str
    guess: str | None
    filed: bool
    """Filed by the model, rather than put into unsure/."""
    model: int | None

    @property
    def right(self) -> bool:
        return self.truth == self.guess


@dataclass(frozen=True, slots=True)
class Share:
    """``right`` out of ``of``, and where the true share lies in 95 of 100 cases."""

    right: int
    of: int

    @property
    def estimate(self) -> float | None:
        """None of nothing."""
        return self.right / self.of if self.of else None

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.of)

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "right": self.right,
            "of": self.of,
            "estimate": self.estimate,
            "interval": asdict(self.interval),
        }

    def __str__(self) -> str:
        if self.estimate is None:
            return "none drawn"
        low, high = self.interval.low, self.interval.high
        return f"{self.estimate:.1%} ({self.right} of {self.of}; 95 %: {low:.1%} to {high:.1%})"


@dataclass(frozen=True, slots=True)
class ClassShare:
    """Of the drawn pictures filed as ``name``: how many are that."""

    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an audit says of all pictures it was drawn from."""

    overall: Share
    """Best guess right, unsure ones included."""
    filed: Share
    """Right among those that were filed: the precision a user sees in the folders."""
    classes: tuple[ClassShare, ...]
    skipped: int
    """Drawn, but a person couldn't say; they are in no share."""
    models: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """For scripts; shares are 0 to 1, intervals 95 % (Wilson)."""
        return {
            "answered": self.overall.of,
            "skipped": self.skipped,
            "overall": self.overall.as_dict(),
            "filed": self.filed.as_dict(),
            "classes": {one.name: one.share.as_dict() for one in self.classes},
            "models": list(self.models),
        }


def draw(candidates: Sequence[int], number: int, seed: int) -> list[int]:
    """``number`` of the candidates, or all, in random order: any beginning is itself a fair draw.

    The same seed on the same candidates draws the same.
    """
    return random.Random(seed).sample(sorted(candidates), min(number, len(candidates)))  # noqa: S311


def estimate(answers: Sequence[Answer], skipped: int) -> Estimate:
    filed = [one for one in answers if one.filed]
    by_class = Counter(one.guess for one in filed if one.guess is not None)
    right = Counter(one.guess for one in filed if one.right)
    return Estimate(
        overall=_share(answers),
        filed=_share(filed),
        classes=tuple(
            ClassShare(name, Share(right[name], by_class[name])) for name in sorted(by_class)
        ),
        skipped=skipped,
        models=tuple(sorted({one.model for one in answers if one.model is not None})),
    )


def _share(answers: Sequence[Answer]) -> Share:
    return Share(sum(one.right for one in answers), len(answers))
