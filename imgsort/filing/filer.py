"""File a batch of judged pictures: decide where each goes, write that down, move, say so."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity, sha256_of
from imgsort.errors import FilingPaused
from imgsort.filing.destination import NameReservations, Numbers
from imgsort.filing.folders import Folders
from imgsort.filing.mover import Load, Mover
from imgsort.filing.planning import Item, JudgedPicture, Planner, Sidecar
from imgsort.filing.recovery import recover_locked
from imgsort.filing.sidecar_listing import Companions
from imgsort.filing.unmounted import unmounted
from imgsort.filing.xmp_sidecars import describe
from imgsort.records.journal import Decision, Plan, Planned
from imgsort.records.labels import HumanLabel
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one picture of a batch."""

    source: Path
    decision: Decision | Literal["deferred"]
    """``deferred``: it stays where it is, to be looked at again."""
    target: Path | None
    """Where it is now; None for a deferred one."""
    reason: str | None
    """Why it is unsure, rejected or deferred."""
    paused: FilingPaused | None = None
    """Deferred because its destination can't take pictures at present."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """NameReservations are reserved; or the destination is paused, and there are no plans."""

    item: Item
    plans: Sequence[Plan]
    paused: FilingPaused | None = None


@dataclass(frozen=True, slots=True)
class _Underway:
    """In the journal, unless the destination is paused."""

    item: Item
    load: Load | FilingPaused


class Filer:
    """Files batches for one run. Not to be shared by threads; other processes may file as well."""

    def __init__(self, workspace: Workspace, store: Store, run_id: int) -> None:
        self._workspace = workspace
        self._bases = workspace.picture_folders
        self._mode = workspace.config.filing.mode
        self._store = store
        self._run_id = run_id
        self._planner = Planner(workspace)
        self._companions = Companions(
            workspace.config.filing.sidecars, workspace.config.decode.suffixes
        )
        self._numbers = Numbers()

    def file(self, batch: Sequence[JudgedPicture]) -> list[Result]:
        """File what can be filed; the answers keep the order.

        Raises StorageFailed (exit: the next start recovers from the disk), FilingPaused if a dead
        mover's files wait for a missing folder, or what the store raises. Nothing is lost then:
        what was under way is completed by the next call that succeeds.
        """
        words = self._words(batch)
        items = [
            self._planner.item(judged, self._sidecars(judged), words.get(judged.outcome.sha256))
            for judged in batch
        ]
        with self._workspace.filing_lock():
            unknown = recover_locked(self._workspace, self._store).unknown
            reserved = self._store.reserved_targets() if unknown else ()
            with Folders(self._bases, unmounted(self._bases[1:], self._store)) as folders:
                mover = Mover(self._store, folders, NameReservations(self._numbers, reserved))
                underway = self._decided([self._ready(item, mover) for item in items])
                mover.carry([one.load for one in underway if isinstance(one.load, Load)])
                mover.finish()
                describe(self._workspace, self._store, _landed(underway, mover))
        return [_result(one, mover) for one in underway]

    def _words(self, batch: Sequence[JudgedPicture]) -> dict[str, HumanLabel]:
        """What people have said of these contents before, in classes that there are."""
        words = self._store.current_labels({judged.outcome.sha256 for judged in batch})
        live = self._store.class_names() if words else {}
        return {
            sha256: word
            for sha256, word in words.items()
            if word.class_id is None or word.class_id in live
        }

    def _sidecars(self, judged: JudgedPicture) -> list[Sidecar]:
        path = judged.outcome.path
        names = self._companions.of(path.parent, path.name, judged.arrived_at)
        if not names:
            return []
        with Folders(self._bases) as folders:
            found = (_sidecar(folders, path.with_name(name)) for name in names)
            return [sidecar for sidecar in found if sidecar is not None]

    def _ready(self, item: Item, mover: Mover) -> _Ready:
        parent = mover.folders.as_spelled(item.wanted.parent)
        item = replace(item, wanted=parent / item.wanted.name)
        wanted = item.wanted
        try:
            folder = mover.folders.folder(wanted.parent, make=True)
            name = mover.names.reserve(folder, wanted.name, item.tails())
        except OSError as problem:
            return _Ready(item, (), mover.folders.paused(wanted.parent, problem))
        return _Ready(item, item.plans(name, self._mode))

    def _decided(self, batch: Sequence[_Ready]) -> list[_Underway]:
        """TX1."""
        plans = [plan for ready in batch for plan in ready.plans]
        failpoint("before-tx1")
        journal = iter(self._store.record_decided(self._run_id, plans) if plans else ())
        failpoint("after-tx1")
        return [_Underway(ready.item, ready.paused or _load(ready, journal)) for ready in batch]


def _landed(underway: Sequence[_Underway], mover: Mover) -> dict[int, Path]:
    """Where each picture lies now, by arrival."""
    pictures = [one.load.picture for one in underway if isinstance(one.load, Load)]
    return {
        one.arrival_id: mover.done[one.move_id].target
        for one in pictures
        if one.arrival_id is not None and one.move_id in mover.done
    }


def _load(ready: _Ready, journal: Iterator[Planned]) -> Load:
    picture, *sidecars = (next(journal) for _ in ready.plans)
    return Load(picture, tuple(sidecars))


def _sidecar(folders: Folders, path: Path) -> Sidecar | None:
    """Hash a sidecar; None for one that can't be read just now, which stays where it is."""
    try:
        descriptor = folders.spot(path).open()
    except OSError:
        return None
    try:
        identity = Identity.of(os.fstat(descriptor))
        return Sidecar(path, identity, sha256_of(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _result(underway: _Underway, mover: Mover) -> Result:
    item, load = underway.item, underway.load
    if isinstance(load, FilingPaused):
        return Result(item.source, "deferred", None, load.reason, load)
    landed = mover.done.get(load.picture.move_id)
    if landed is not None:
        return Result(item.source, item.decision, landed.target, item.reason)
    refusal = mover.refused[load.picture.move_id]
    return Result(item.source, "deferred", None, refusal.reason, refusal.paused)
