"""A run of a job: the units that are left, by one engine, watched by whoever waits for it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal, Protocol

from imgsort.backfill import failures, parts
from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.job import Job, held
from imgsort.backfill.pinned import carry_backbone
from imgsort.backfill.tries import Judged
from imgsort.backfill.units import Shard, units_left
from imgsort.errors import BackfillProblem
from imgsort.workspace.config import BackfillSettings

EngineName = Literal["local", "ray"]
_IN_A_ROW = 3
"""So many units that fail one after the other tell of a disk or a model, not of pictures."""


class Onlooker(Protocol):
    """Is told how a run gets on."""

    def begins(self, done: int, pictures: int) -> None:
        """So many pictures are done before it, of so many."""

    def judged(self, pictures: int) -> None:
        """More pictures are through; their unit may not be yet."""

    def tell(self, sentence: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """Which one, and how it is set."""

    name: EngineName
    settings: BackfillSettings


@dataclass(slots=True)
class Ran:
    """What one run did."""

    pictures: int = 0
    units: int = 0
    seconds: float = 0.0
    failed: list[UnitFailure] = field(default_factory=list)
    """Given up, in this run or an earlier one."""
    left: int = 0
    """Units that this run should have done and has not."""
    stopped: str | None = None
    """Why it ended before its time."""

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.pictures / self.seconds if self.seconds > 0 else 0.0


def run(job: Job, engine: Engine, shard: Shard, onlooker: Onlooker) -> Ran:
    """Judge what is left of the job, or of a shard of it. Raises BackfillBusy, ModelProblem…"""
    with held(job.folder, shard):
        job.parts.mkdir(exist_ok=True)
        units = range(job.card.units)
        parts.sweep(job.parts, None if shard.is_whole else {n for n in units if shard.has(n)})
        done, given_up = parts.there(job.parts), failures.there(job.failures)
        for unit in done & given_up.keys():
            failures.forget(job.failures, unit)
        left = units_left(job.card.units, done, given_up, shard)
        mine = sum(job.card.pictures_in(unit) for unit in units if shard.has(unit))
        onlooker.begins(sum(job.card.pictures_in(unit) for unit in done if shard.has(unit)), mine)
        ran = Ran(failed=[one for n, one in given_up.items() if n not in done and shard.has(n)])
        if left:
            _through(job, left, _results(job, left, engine, onlooker), ran)
        ran.left = len(units_left(job.card.units, parts.there(job.parts), (), shard))
        ran.left -= len(ran.failed)
        return ran


def _results(job: Job, left: Sequence[int], engine: Engine, onlooker: Onlooker) -> Iterator[Judged]:
    settings = engine.settings
    if engine.name == "local":
        from imgsort.backfill.local import judged

        return judged(job, left, settings.retries, onlooker.judged)
    from imgsort.backfill import on_ray
    from imgsort.backfill.extras import require_ray

    require_ray()
    if settings.address:
        carry_backbone(job)
    return _counted(on_ray.judged(job, left, settings, onlooker.tell), onlooker)


def _counted(results: Iterator[Judged], onlooker: Onlooker) -> Iterator[Judged]:
    for result in results:
        if not isinstance(result, UnitFailure):
            onlooker.judged(result.pictures)
        yield result


def _through(job: Job, left: Sequence[int], results: Iterator[Judged], ran: Ran) -> None:
    """Take in what the engine says, until it is through or only fails."""
    began, in_a_row = time.monotonic(), 0
    with closing(results):  # type: ignore[type-var]
        for result in results:
            ran.seconds = time.monotonic() - began
            if not isinstance(result, UnitFailure):
                ran.units += 1
                ran.pictures += result.pictures
                in_a_row = 0
                continue
            failures.write(job.failures, result)
            ran.failed.append(result)
            in_a_row += 1
            if in_a_row >= _IN_A_ROW and len(left) > in_a_row:
                ran.stopped = result.reason
                break


def retry(job: Job, engine: Engine, onlooker: Onlooker) -> Ran:
    """Units that were given up, and pictures that had changed or could not be read, once more."""
    from imgsort.backfill.local import judged
    from imgsort.backfill.tally import units_to_look_at_again

    with held(job.folder, Shard()):
        parts.sweep(job.parts)
        done = parts.there(job.parts)
        units = [unit for unit in failures.there(job.failures) if unit not in done]
        again = units_to_look_at_again(job)
        onlooker.begins(0, sum(job.card.pictures_in(unit) for unit in [*units, *again]))
        ran = Ran()
        for unit in units:
            failures.forget(job.failures, unit)
        if units:
            _through(job, units, _results(job, units, engine, onlooker), ran)
        if again and ran.stopped is None:
            more = Ran()
            results = judged(job, again, engine.settings.retries, onlooker.judged, again=True)
            _through(job, again, results, more)
            _require_read(job, more)
            ran = Ran(
                ran.pictures + more.pictures,
                ran.units + more.units,
                ran.seconds + more.seconds,
                ran.failed,
            )
        return ran


def _require_read(job: Job, ran: Ran) -> None:
    """A unit that could not be looked at again keeps its part: that is no failed unit."""
    for failure in ran.failed:
        failures.forget(job.failures, failure.unit)
    if ran.failed:
        raise BackfillProblem(ran.failed[0].reason)
