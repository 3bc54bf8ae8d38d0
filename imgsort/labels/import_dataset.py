"""A data set becomes labelled pictures: copied, never moved.

``plan`` decides (pure), ``Importer`` checks and copies.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from imgsort.disk.display import display
from imgsort.errors import FilingPaused, ImgsortError, NothingToDo
from imgsort.filing.batch import run_batch
from imgsort.filing.destination import Numbers
from imgsort.filing.errand import Errand
from imgsort.filing.planning import class_place
from imgsort.images.outcome import Picture
from imgsort.images.pool import DecoderPool
from imgsort.labels.dataset_folder import Hashed, Unused
from imgsort.records.journal import Arrival, Plan, Planned
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

BATCH = 64


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be done with each picture of the data set."""

    copies: tuple[Hashed, ...]
    """Contents that are new here."""
    known: tuple[NewLabel, ...]
    """Contents whose pictures are here already; only the label is new."""
    already: int
    """Contents that are here under this label."""
    duplicates: int
    """Files whose content another file of the same class has."""
    conflicts: tuple[Unused, ...]


def plan(
    files: Sequence[Hashed], here: Collection[str], current: Mapping[str, HumanLabel]
) -> ImportPlan:
    """``here``: contents that this workspace has a file of. Pure."""
    contents: dict[str, list[Hashed]] = {}
    for one in files:
        contents.setdefault(one.sha256, []).append(one)
    copies, known = [], []
    conflicts: list[Unused] = []
    already = duplicates = 0
    for sha256, several in contents.items():
        conflict = _conflict(several, current.get(sha256))
        if conflict is not None:
            conflicts += (Unused(one.found.path, conflict) for one in several)
            continue
        duplicates += len(several) - 1
        before = current.get(sha256)
        if sha256 not in here:
            copies.append(several[0])
        elif before is None or before.kind != "label" or not before.representative:
            known.append(import_label(several[0]))
        else:
            already += 1
    return ImportPlan(tuple(copies), tuple(known), already, duplicates, tuple(conflicts))


def _conflict(several: Sequence[Hashed], before: HumanLabel | None) -> str | None:
    names = sorted({one.found.class_name for one in several})
    if len(names) > 1:
        return f"the same picture lies in {' and '.join(names)}"
    if before is None or before.kind == "withdrawn":
        return None
    if before.kind == "never_use":
        return "you said here never to use this picture"
    return None if before.class_name == names[0] else f"you called it {before.class_name} here"


def import_label(one: Hashed) -> NewLabel:
    return NewLabel(one.sha256, "label", one.found.class_name, "import", representative=True)


def in_batches(copies: Sequence[Hashed]) -> Iterator[Sequence[Hashed]]:
    return (copies[start : start + BATCH] for start in range(0, len(copies), BATCH))


class Importer:
    """Copies new pictures into their class folders; each batch is one transaction."""

    def __init__(
        self, workspace: Workspace, store: Store, run_id: int, decoder: DecoderPool
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._run_id = run_id
        self._decoder = decoder
        self._numbers = Numbers()
        self.copied = 0
        """Pictures so far, those of a batch that failed in part too."""

    def copy(self, batch: Sequence[Hashed]) -> list[Unused]:
        """Decode each to see that it is a picture, then copy it. Returns what could not be copied.

        Raises ImgsortError where a class folder can't take pictures, and as ``run_batch``.
        """
        futures = [self._decoder.submit(one.found.path) for one in batch]
        good: list[tuple[Hashed, Picture]] = []
        left: dict[Path, str] = {}
        for one, future in zip(batch, futures, strict=True):
            outcome = future.result()
            if not isinstance(outcome, Picture):
                left[one.found.path] = outcome.reason
            elif outcome.sha256 != one.sha256:
                left[one.found.path] = "it changed while it was imported"
            else:
                good.append((one, outcome))
        left |= self._copied(good) if good else {}
        paths = (one.found.path for one in batch)
        return [Unused(path, left[path]) for path in paths if path in left]

    def _copied(self, good: Sequence[tuple[Hashed, Picture]]) -> dict[Path, str]:
        """Returns which were not copied, and why."""
        labels = {one.sha256: import_label(one) for one, _ in good}

        def record(plans: Sequence[Plan]) -> Sequence[Planned]:
            written = [labels[plan.sha256] for plan in plans]
            return self._store.journal.record_decided(self._run_id, plans, written)

        errands = [self._errand(one, picture) for one, picture in good]
        done = run_batch(self._workspace, self._store, errands, record, numbers=self._numbers)
        self.copied += sum(one.moved for one in done)
        for one in done:
            if one.paused is not None:
                raise _not_taken(one.paused, self.copied)
        return {one.path: one.reason for one in done if one.reason is not None}

    def _errand(self, one: Hashed, picture: Picture) -> Errand:
        now = datetime.now(UTC)
        path, facts = one.found.path, picture.facts
        return Errand(
            arrival_id=None,
            source=path,
            identity=picture.identity,
            sha256=one.sha256,
            wanted=class_place(
                self._workspace,
                one.found.class_name,
                name=path.name,
                arrived_at=now,
                captured_at=facts.captured_at,
                camera=facts.camera,
            ),
            cause="import",
            mode="copy",
            arrival=Arrival(
                name=os.fsencode(path.name),
                subfolder=b"",
                arrived_at=now,
                decision="filed",
                reason=f"imported from {display(path.parent)}",
                facts=facts,
                verdict=None,
                model=None,
            ),
        )


def _not_taken(problem: FilingPaused, copied: int) -> ImgsortError:
    before = "1 picture was" if copied == 1 else f"{copied:,} pictures were"
    return ImgsortError(
        f"{problem.folder} can't take pictures: {problem.reason}; then type the same again, which "
        f"goes on: {before} copied and labelled before it stopped."
    )


def require_something(todo: ImportPlan) -> None:
    """Raise NothingToDo if every picture is here under its label already."""
    if not (todo.copies or todo.known or todo.conflicts):
        raise NothingToDo(
            "All of its pictures are here under these labels already; there is nothing to import."
        )
