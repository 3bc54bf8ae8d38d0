"""Open the pictures that people put into the folders: size, time, camera, and can they be read?
Those that were changed in their places too: are they the same pictures? And a new one may be a
picture that was changed and moved between two looks.

They are adopted unopened, so that a look at the folders stays quick; training groups pictures by
these facts, and what was filed by imgsort has had them from the start.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from imgsort.errors import ModelProblem
from imgsort.filing.left_behind_sidecars import HandMove, fetch
from imgsort.images import ImageFacts
from imgsort.images.outcome import Outcome, Picture, Refused
from imgsort.images.pool import open_decoder
from imgsort.models.backbones import BACKBONES
from imgsort.models.serving import active_card
from imgsort.reconcile.adoption import decision_of
from imgsort.records.files import Layout
from imgsort.records.same_picture import Lost, is_same_picture, lost_one
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace

_BATCH = 16
MEMORY = timedelta(hours=1)
"""A program that saves elsewhere and removes the original takes less between the two."""


class Opener(Protocol):
    """``DecoderPool``"""

    def submit(self, path: Path) -> "Future[Outcome]": ...


def examine_adopted(
    workspace: Workspace,
    store: Store,
    decoder: Opener | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Look into those that nobody has looked into; the answer is how many could be read.

    Without a ``decoder`` one is opened if there is anything to do. May raise what the store raises.
    """
    waiting = store.files.unexamined()
    if not waiting:
        return 0
    lost = store.files.lost_since(datetime.now(UTC) - MEMORY)
    work = _Examination(store, layout_of(workspace, store), stopping, lost)
    if decoder is not None:
        read = sum(work.examined(decoder, one) for one in _batches(waiting))
    else:
        try:
            # At the size that pictures are decoded at here anyhow, so that the facts are alike.
            size = BACKBONES[active_card(workspace).backbone].input_size
        except ModelProblem:
            return 0
        with open_decoder(
            workspace.config.decode, size, store.attempts, workspace.picture_folders
        ) as pool:
            read = sum(work.examined(pool, one) for one in _batches(waiting))
    fetch(workspace, store, None, work.trips)
    return read


def _batches(waiting: dict[str, Path]) -> Iterator[dict[str, Path]]:
    contents = list(waiting)
    for start in range(0, len(contents), _BATCH):
        yield {sha256: waiting[sha256] for sha256 in contents[start : start + _BATCH]}


@dataclass(slots=True)
class _Examination:
    store: Store
    layout: Layout
    stopping: Callable[[], bool]
    lost: list[Lost]
    """Pictures that new ones may be."""
    trips: list[HandMove] = field(default_factory=list)
    """Where those went."""

    def examined(self, decoder: Opener, batch: dict[str, Path]) -> int:
        if self.stopping():
            return 0
        futures = {sha256: decoder.submit(path) for sha256, path in batch.items()}
        read = 0
        for sha256, future in futures.items():
            try:
                outcome = future.result()
            except CancelledError:  # the program is stopping
                continue
            if isinstance(outcome, Picture) and outcome.sha256 == sha256:
                self.store.files.note_facts(sha256, outcome.facts)
                self._compare(sha256, outcome.facts)
                self._recognise(sha256, outcome.facts)
                read += 1
            elif isinstance(outcome, Refused) and outcome.sha256 == sha256:
                self.store.files.note_unreadable(sha256, outcome.reason)
        return read

    def _compare(self, sha256: str, facts: ImageFacts) -> None:
        """Do files that were changed in their places show what they showed before?"""
        for edit in self.store.files.edits(sha256):
            if is_same_picture(edit.before, facts):
                self.store.files.keep_edit(edit.arrival_id)
            else:
                place = self.layout.place_of(str(edit.path))
                self.store.files.part_edit(edit.arrival_id, decision_of(place))

    def _recognise(self, sha256: str, facts: ImageFacts) -> None:
        """Is a new file a picture that was changed and moved in one go?"""
        for one in self.store.files.whereabouts([sha256]) if self.lost else ():
            lost = lost_one(one.path, one.identity.dev, one.identity.ino, facts, self.lost)
            if lost is None or one.model is not None or one.missing_at is not None:
                continue
            now = self.layout.place_of(str(one.path))
            stayed = now == self.layout.place_of(str(lost.path))
            if self.store.files.rejoin(
                lost.arrival_id, one.arrival_id, None if stayed else now.room
            ):
                self.lost.remove(lost)
                self.trips.append(HandMove(lost.arrival_id, lost.path, one.path, 0.0))
