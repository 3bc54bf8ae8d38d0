"""Carry out what is in the journal: place each file, sync the folders, say so in the journal.

The caller holds the filing lock. A fresh batch and recovery go the same way from here.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity
from imgsort.errors import FilingPaused
from imgsort.filing.destination import NameReservations
from imgsort.filing.folders import Folder, Folders, Spot, is_at, is_surely_at
from imgsort.filing.place import place
from imgsort.filing.portable_names import portable
from imgsort.filing.refusals import NotPlaced, UnfitName, why
from imgsort.filing.sidecars import renamed, tail
from imgsort.filing.sync_contents import make_durable
from imgsort.records.journal import Landed, Planned
from imgsort.store import Store


@dataclass(frozen=True, slots=True)
class Load:
    """A picture and the sidecars that go with it, all in the journal."""

    picture: Planned
    sidecars: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file stays where it is; ``paused`` if that is its destination's fault."""

    reason: str
    paused: FilingPaused | None = None


@dataclass(frozen=True, slots=True)
class _Leftover:
    """A copy that has landed; its source is removed once the copy is safe."""

    planned: Planned
    picture: int | None
    """For a sidecar: the move_id of its picture."""


@dataclass(slots=True)
class Mover:
    """One batch on its way: ``carry``, ``landed`` or ``refuse`` each file, then ``finish`` once."""

    store: Store
    folders: Folders
    names: NameReservations
    done: dict[int, Landed] = field(default_factory=dict)
    """By move_id; a move that ``finish`` has not marked yet is still planned in the journal."""
    refused: dict[int, Refusal] = field(default_factory=dict)
    """By move_id; ``finish`` drops these from the journal."""
    _leftovers: list[_Leftover] = field(default_factory=list)
    _emptied: list[Folder] = field(default_factory=list)
    _paused: dict[Path, FilingPaused] = field(default_factory=dict)

    def carry(self, loads: Sequence[Load]) -> None:
        """Place pictures, each before its sidecars, which get the same stem.

        Raises StorageFailed, or what the store raises; then no more of this batch may be done.
        """
        make_durable(self._to_be_moved(loads))
        failpoint("after-content-fsync")
        for load in loads:
            self._carry(load)

    def _to_be_moved(self, loads: Sequence[Load]) -> list[Spot]:
        found = []
        for load in loads:
            for planned in (load.picture, *load.sidecars):
                if planned.mode == "move":
                    with suppress(OSError):  # placing it will tell
                        found.append(self.folders.spot(planned.source))
        return found

    def _carry(self, load: Load) -> None:
        old = load.picture
        tails = [tail(sidecar.target.name, old.target.name) for sidecar in load.sidecars]
        try:
            new = self._place(old, tails)
        except (NotPlaced, FilingPaused) as problem:
            for planned in (old, *load.sidecars):
                self.refuse(planned, _refusal(problem))
            return
        for sidecar in load.sidecars:
            self._follow(sidecar, old.target.name, new)

    def landed(self, planned: Planned, identity: Identity, *, leftover: bool = False) -> None:
        """The file is at its target; ``leftover``: as a copy, and its source must go."""
        self._note(planned, identity, leftover=leftover, picture=None)

    def refuse(self, planned: Planned, refusal: Refusal) -> None:
        self.refused[planned.move_id] = refusal

    def finish(self) -> None:
        """Make it last: the folders first, then the journal. Raises as ``carry`` does."""
        self.folders.sync()
        failpoint("after-target-fsync")
        for leftover in self._leftovers:
            self._remove_source(leftover)
        for folder in self._emptied:
            self.folders.touch(folder)
        self.folders.sync()
        failpoint("after-source-fsync")
        if self.done:
            self.store.journal.mark_landed(list(self.done.values()))
            failpoint("after-tx2")
        if self.refused:
            self.store.journal.drop(list(self.refused))
            failpoint("after-drop")

    def _follow(self, sidecar: Planned, old_name: str, picture: Planned) -> None:
        try:
            if picture.target.name != old_name:
                name = renamed(sidecar.target.name, old_name, picture.target.name)
                sidecar = self._retarget(sidecar, name)
            self._place(sidecar, (), picture.move_id)
        except (NotPlaced, FilingPaused) as problem:
            self.refuse(sidecar, _refusal(problem))

    def _place(self, planned: Planned, tails: Sequence[str], picture: int | None = None) -> Planned:
        """Place one file, under the next free name if its own was taken meanwhile."""
        source = self._source(planned)
        wanted = planned.target.name
        while True:
            try:
                target = self._target(planned)
                placed = place(source, target, planned.identity, planned.sha256, planned.mode)
            except FileExistsError:
                planned = self._retarget(planned, self._reserve(target.folder, wanted, tails))
            except UnfitName:
                if wanted == portable(wanted):
                    raise
                wanted = portable(wanted)
                planned = self._retarget(planned, self._reserve(target.folder, wanted, tails))
            except OSError as problem:
                trouble = self.folders.paused(target.folder.path, problem)
                self._paused[trouble.folder] = trouble
                raise trouble from problem
            else:
                break
        if planned.mode == "move" and not placed.leftover:
            self._emptied.append(source.folder)
        self._note(planned, placed.identity, leftover=placed.leftover, picture=picture)
        self.folders.touch(target.folder)
        failpoint("after-place")
        return planned

    def _note(
        self, planned: Planned, identity: Identity, *, leftover: bool, picture: int | None
    ) -> None:
        self.done[planned.move_id] = Landed(
            planned.move_id, planned.target, identity, datetime.now(UTC)
        )
        if leftover:
            self._leftovers.append(_Leftover(planned, picture))

    def _source(self, planned: Planned) -> Spot:
        try:
            return self.folders.spot(planned.source)
        except OSError as problem:
            raise NotPlaced(f"its folder can't be opened ({why(problem)})") from problem

    def _target(self, planned: Planned) -> Spot:
        if self._paused and planned.target.parent in self._paused:
            raise self._paused[planned.target.parent]
        try:
            return self.folders.spot(planned.target, make=True)
        except OSError as problem:
            raise self.folders.paused(planned.target.parent, problem) from problem

    def _reserve(self, folder: Folder, wanted: str, tails: Sequence[str]) -> str:
        try:
            return self.names.reserve(folder, wanted, tails)
        except OSError as problem:
            raise self.folders.paused(folder.path, problem) from problem

    def _retarget(self, planned: Planned, name: str) -> Planned:
        planned = replace(planned, target=planned.target.with_name(name))
        self.store.journal.retarget(planned.move_id, planned.target)
        failpoint("after-retarget")
        return planned

    def _remove_source(self, leftover: _Leftover) -> None:
        planned = leftover.planned
        try:
            source = self.folders.spot(planned.source)
            if not is_at(source, planned.identity):
                return  # another file that has taken its place meanwhile is a new arrival
        except OSError:
            return  # it can't be seen at present, so the copy must stay
        if leftover.picture in self.refused:
            self._take_back(planned, self.refused[leftover.picture])
            return
        try:
            source.remove()
        except OSError as problem:
            if is_surely_at(source, planned.identity):
                reason = f"it can't be removed from its folder ({why(problem)})"
                self._take_back(planned, Refusal(reason))
        else:
            self._emptied.append(source.folder)
            failpoint("after-unlink")

    def _take_back(self, planned: Planned, refusal: Refusal) -> None:
        """Remove our copy again: a source that can't be removed would be filed at every scan."""
        target = self.folders.spot(planned.target)
        if is_at(target, self.done[planned.move_id].identity):
            target.remove()
            self.folders.touch(target.folder)
        del self.done[planned.move_id]
        self.refuse(planned, refusal)


def _refusal(problem: NotPlaced | FilingPaused) -> Refusal:
    if isinstance(problem, FilingPaused):
        return Refusal(problem.reason, problem)
    return Refusal(str(problem))
