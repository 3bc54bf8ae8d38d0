"""What a check found, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")
SHOWN = 3
"""Names that a finding gives as examples."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is well or isn't; ``what`` and ``remedy`` are a sentence each."""

    level: Level
    check: str
    """Which check found it: versions, folders, database…"""
    what: str
    remedy: str | None = None
    """Set for all but ``ok``, unless ``what`` says it."""
    fixed: bool = False
    """`--fix` has dealt with it."""
    fix: Callable[[], None] | None = None
    """What `--fix` does; only for what can't do harm."""

    def as_dict(self) -> dict[str, object]:
        return {
            "level": self.level,
            "check": self.check,
            "what": self.what,
            "remedy": self.remedy,
            "fixed": self.fixed,
            "fixable": self.fix is not None,
        }


def ok(check: str, what: str) -> Finding:
    return Finding("ok", check, what)
