"""What a run has to say at its end, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgsort.backfill.beginning import in_words
from imgsort.backfill.job import Job
from imgsort.backfill.pace import duration, in_digits
from imgsort.backfill.run import Ran
from imgsort.backfill.tally import JobTally
from imgsort.backfill.units import Shard
from imgsort.disk.display import display

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Report:
    """Of one run, and of all that is known of its job."""

    job: Job
    ran: Ran
    tally: JobTally | None
    """None for a shard, which knows of its own units only."""
    shard: Shard

    @property
    def is_incomplete(self) -> bool:
        """Were units left out?"""
        damaged = self.tally is not None and bool(self.tally.damaged)
        return bool(self.ran.failed) or self.ran.stopped is not None or damaged

    def lines(self) -> Iterator[str]:
        yield from self._found()
        yield from self._left()
        if self.ran.units:
            yield (
                f"{self.ran.pictures:,} pictures judged in {duration(self.ran.seconds)}, "
                f"{in_digits(self.ran.rate)} a second."
            )
        elif not self.is_incomplete:
            yield "Every unit was done already."
        yield f"Results: {self.job.parts}/*.parquet"

    def _found(self) -> Iterator[str]:
        card = self.job.card
        if self.tally is None:
            yield f"Shard {self.shard} of job {self.job.name}: {self.ran.units:,} units done."
            return
        tally = self.tally
        known = tally.decisions
        yield (
            f"{tally.pictures:,} of {card.pictures:,} pictures of {display(card.source)}: "
            f"{known['filed']:,} of {len(tally.classes):,} classes, {known['unsure']:,} unsure, "
            f"{known['rejected']:,} rejected."
        )
        yield from _listed(tally.classes.most_common(), "classes")
        for reason, number in tally.rejected.most_common(_SHOWN):
            yield f"  rejected {number:,}: {reason}"
        for reason, number in tally.left.most_common(_SHOWN):
            yield f"  not read {number:,}: {reason}"

    def _left(self) -> Iterator[str]:
        card = self.job.card
        if left := in_words(card.skipped):
            yield f"Not judged: {left}."
        if card.closed:
            yield f"Could not look into {', '.join(card.closed)}."

    def troubles(self) -> Iterator[str]:
        """What is still to be done, a sentence each."""
        name = self.job.name
        for failure in self.ran.failed[:_SHOWN]:
            yield (
                f"Unit {failure.unit} was left out after {failure.tries} tries, with "
                f"{self.job.card.pictures_in(failure.unit):,} pictures from "
                f"{_first_path(self.job, failure.unit)} on: {failure.reason}"
            )
        if self.ran.stopped is not None:
            yield (
                f"One unit after the other failed, so the job was stopped with {self.ran.left:,} "
                f"units to go; look after that, then run `imgsort backfill retry {name}` and the "
                f"same command again."
            )
        elif self.ran.failed:
            yield f"Judge them again with `imgsort backfill retry {name}`."
        if self.tally is not None and self.tally.left_over:
            yield (
                f"{self.tally.left_over:,} pictures had changed or could not be read; look at them "
                f"again with `imgsort backfill retry {name}`."
            )
        if self.tally is not None and self.tally.damaged:
            yield (
                f"{len(self.tally.damaged):,} parts can't be read, the first is "
                f"{self.job.parts}/part-{self.tally.damaged[0]:06d}.parquet; remove them and run "
                f"the same command again."
            )
        if not self.shard.is_whole:
            yield f"When all shards are done: `imgsort backfill ingest {name}`."

    def as_dict(self) -> dict[str, Any]:
        ran = self.ran
        return {
            "job": self.job.name,
            "source": display(self.job.card.source),
            **(self.tally.as_dict() if self.tally is not None else {}),
            "judged": ran.pictures,
            "units": ran.units,
            "units_left": ran.left,
            "units_left_out": [one.unit for one in ran.failed],
            "seconds": round(ran.seconds, 3),
            "pictures_per_second": round(ran.rate, 3),
            "stopped": ran.stopped,
            "skipped": self.job.card.skipped,
            "results": str(self.job.parts),
        }


def _listed(classes: list[tuple[str, int]], what: str) -> Iterator[str]:
    for label, number in classes[:_SHOWN]:
        yield f"  {label} {number:,}"
    if len(classes) > _SHOWN:
        yield f"  … and {len(classes) - _SHOWN:,} more {what}"


def _first_path(job: Job, unit: int) -> str:
    from imgsort.backfill import manifest

    return display(manifest.read(job.manifest, unit)[0].path)
