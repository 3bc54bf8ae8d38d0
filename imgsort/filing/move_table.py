"""Pictures on their way between class folders: told as flows, carried in batches."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from imgsort.disk.display import display
from imgsort.filing.batch import AT_ONCE
from imgsort.filing.errand import Done, Errand
from imgsort.filing.relocate import run_errands
from imgsort.records.files import Layout
from imgsort.records.journal import Plan, Planned
from imgsort.records.labels import Retold, combined
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """One picture that goes from one folder to another; folders by ``folder_name``."""

    here: str
    there: str
    path: Path


@dataclass(frozen=True, slots=True)
class MoveCount:
    """How many pictures go from where to where."""

    here: str
    there: str
    count: int
    examples: tuple[Path, ...]

    def cells(self) -> tuple[str, str, str, str]:
        """A table's row."""
        names = [display(path.name) for path in self.examples]
        more = ["…"] if self.count > len(names) else []
        return f"{self.count:,}", self.here, self.there, ", ".join(names + more)

    def as_dict(self) -> dict[str, Any]:
        return {
            "from": self.here,
            "to": self.there,
            "count": self.count,
            "examples": [display(path) for path in self.examples],
        }


def flows(trips: Sequence[PlannedTrip]) -> list[MoveCount]:
    """The trips by where they lead, the largest flow first."""
    counts = Counter((trip.here, trip.there) for trip in trips)
    examples: dict[tuple[str, str], list[Path]] = {ends: [] for ends in counts}
    for trip in trips:
        few = examples[trip.here, trip.there]
        if len(few) < EXAMPLES:
            few.append(trip.path)
    return [
        MoveCount(here, there, count, tuple(examples[here, there]))
        for (here, there), count in counts.most_common()
    ]


def folder_name(layout: Layout, path: Path) -> str:
    """What a person calls the folder a file lies in: ``sorted/cat``, ``unsure``, ``inbox``."""
    place = layout.place_of(str(path))
    if place.class_name is not None:
        return f"sorted/{display(place.class_name)}"
    return display(path.parent) if place.room == "astray" else place.room


def carried(  # noqa: PLR0913, PLR0917 - where, what, and two things that go with it
    workspace: Workspace,
    store: Store,
    run_id: int,
    errands: Iterable[Errand],
    model: int | None = None,
    retold: Mapping[str, Retold] = MappingProxyType({}),
) -> Iterator[Done]:
    """Run errands in batches; ``model`` is the one whose verdict they carry out, ``retold``: by
    content, what becomes of its words once a file of it is on its way.

    Raises StorageFailed, FilingPaused if a picture folder is missing, or what the store raises:
    what was under way then is completed by the next mover, what was not is still to be done.
    """

    def decided(plans: Sequence[Plan]) -> list[Planned]:
        said = combined(retold[one.sha256] for one in plans if one.sha256 in retold)
        plans = [replace(one, model=model) for one in plans]
        return store.journal.record_decided(run_id, plans, retold=said)

    waiting = list(errands)
    for start in range(0, len(waiting), AT_ONCE):
        yield from run_errands(workspace, store, waiting[start : start + AT_ONCE], decided)
