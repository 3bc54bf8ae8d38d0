"""How far a job is, told from its folder alone: whoever works on it need not be asked."""

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imgsort.backfill import failures, parts
from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.job import Job
from imgsort.backfill.pace import JobPace, duration, in_digits
from imgsort.disk.display import display

_LATELY_SECONDS = 1800.0
_LEAST_PARTS = 2


@dataclass(frozen=True, slots=True)
class JobState:
    """Of one moment."""

    job: Job
    done: int
    """Units."""
    failed: tuple[UnitFailure, ...]
    pace: JobPace

    @property
    def left(self) -> int:
        return self.job.card.units - self.done - len(self.failed)

    def as_dict(self) -> dict[str, Any]:
        card = self.job.card
        return {
            "job": self.job.name,
            "source": display(card.source),
            "pictures": card.pictures,
            "pictures_done": self.pace.done,
            "units": card.units,
            "done": self.done,
            "failed": [one.unit for one in self.failed],
            "left": self.left,
            "model": card.model.version,
            "pictures_per_second": self.pace.rate,
            "hours_to_go": self.pace.hours_to_go if self.left else 0.0,
            "results": str(self.job.parts),
        }

    def pairs(self) -> list[tuple[str, object]]:
        card, pace = self.job.card, self.pace
        rate = "not known yet" if pace.rate is None else f"{in_digits(pace.rate)} pictures a second"
        to_go = pace.hours_to_go
        return [
            ("job", self.job.name),
            ("source", display(card.source)),
            ("model", f"v{card.model.version}"),
            ("pictures", f"{pace.done:,} of {card.pictures:,}"),
            ("units", f"{self.done:,} of {card.units:,} done, {self.left:,} left"),
            ("left out", f"{len(self.failed):,} units"),
            ("rate", rate),
            ("to go", "nothing" if not self.left else _guess(to_go)),
            ("results", display(self.job.parts)),
        ]


def _guess(hours: float | None) -> str:
    return "not known yet" if hours is None else duration(hours * 3600)


def state_of(job: Job) -> JobState:
    """Lists the parts, and opens none."""
    done = parts.there(job.parts)
    failed = failures.there(job.failures)
    pictures = sum(job.card.pictures_in(unit) for unit in done)
    fresh, seconds = _lately(job, done)
    return JobState(
        job,
        len(done),
        tuple(one for unit, one in failed.items() if unit not in done),
        JobPace(pictures, job.card.pictures, fresh, seconds),
    )


def _lately(job: Job, done: set[int]) -> tuple[int, float]:
    """Pictures of the parts of the last half hour of work, and in which time they were judged."""
    times: list[tuple[float, int]] = []
    for unit in done:
        with suppress(OSError):
            path = parts.path_of(job.parts, unit)
            times.append((os.stat(path).st_mtime, unit))  # noqa: PTH116 - of thousands
    if not times:
        return 0, 0.0
    times.sort()
    newest = times[-1][0]
    lately = [(at, unit) for at, unit in times if newest - at <= _LATELY_SECONDS]
    if len(lately) < _LEAST_PARTS:
        return 0, 0.0
    # What the first of them took, nobody knows.
    fresh = sum(job.card.pictures_in(unit) for _, unit in lately[1:])
    return fresh, newest - lately[0][0]
