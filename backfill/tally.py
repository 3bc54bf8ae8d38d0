"""What a job found, counted from its parts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from imgsort.backfill import parts
from imgsort.backfill.job import Job
from imgsort.errors import BackfillProblem

_COLUMNS = ["decision", "label", "reason"]


@dataclass(frozen=True, slots=True)
class JobTally:
    """Pictures of a job by what was decided."""

    decisions: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    """Of those that are filed."""
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason."""
    left: Counter[str] = field(default_factory=Counter)
    """Changed or not readable: by reason."""
    damaged: list[int] = field(default_factory=list)
    """Units whose part can't be read."""

    @property
    def pictures(self) -> int:
        return self.decisions.total()

    @property
    def left_over(self) -> int:
        """That `backfill retry` would look at once more."""
        return self.decisions["changed"] + self.decisions["unread"]

    def as_dict(self) -> dict[str, Any]:
        return {
            "pictures": self.pictures,
            **{name: self.decisions[name] for name in ("filed", "unsure", "rejected")},
            "changed": self.decisions["changed"],
            "unread": self.decisions["unread"],
            "classes": dict(self.classes.most_common()),
            "rejected_reasons": dict(self.rejected.most_common()),
        }


def tallied(job: Job) -> JobTally:
    """Reads three columns of every part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tally = JobTally()
    for unit in sorted(parts.there(job.parts)):
        try:
            with pq.ParquetFile(parts.path_of(job.parts, unit)) as file:
                table = file.read(columns=_COLUMNS)
        except (OSError, pa.ArrowException):
            tally.damaged.append(unit)
            continue
        groups = table.group_by(_COLUMNS).aggregate([([], "count_all")])
        for row in groups.to_pylist():
            _count(tally, row, row["count_all"])
    return tally


def _count(tally: JobTally, row: dict[str, Any], pictures: int) -> None:
    decision = row["decision"]
    tally.decisions[decision] += pictures
    if decision == "filed":
        tally.classes[row["label"]] += pictures
    elif decision == "rejected":
        tally.rejected[row["reason"]] += pictures
    elif decision != "unsure":
        tally.left[row["reason"]] += pictures


def units_to_look_at_again(job: Job) -> list[int]:
    """Units with pictures that were left. Raises BackfillProblem for a part that can't be read."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = []
    for unit in sorted(parts.there(job.parts)):
        path = parts.path_of(job.parts, unit)
        try:
            with pq.ParquetFile(path) as file:
                decisions = file.read(columns=["decision"])["decision"]
        except (OSError, pa.ArrowException) as problem:
            raise BackfillProblem(
                f"{path} can't be read ({problem}); remove it and run the same command again."
            ) from None
        if pc.any(pc.is_in(decisions, pa.array(["changed", "unread"]))).as_py():
            found.append(unit)
    return found
