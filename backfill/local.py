"""The engine of one machine: a loop."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.job import Job
from imgsort.backfill.judge import Judge, Tell
from imgsort.backfill.tries import Judged, once


def judged(
    job: Job, units: Sequence[int], retries: int, tell: Tell, *, again: bool = False
) -> Iterator[Judged]:
    """What became of each unit, in order; ``tell`` hears of pictures before their unit is through.

    ``again``: of units that have a part, the pictures that were left.
    """
    with Judge(job) as judge:
        act = judge.again if again else judge.unit
        for unit in units:
            for tries in range(1, retries + 2):
                result = once(unit, lambda number: act(number, tell))
                if not isinstance(result, UnitFailure):
                    break
                result = replace(result, tries=tries)
            yield result
