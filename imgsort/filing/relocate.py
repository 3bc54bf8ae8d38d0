"""Bring logged pictures to other folders: one transaction plans them all, then they move.

The same journal and the same mover as for new arrivals; sidecars travel along.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity, sha256_of
from imgsort.errors import FilingPaused
from imgsort.filing.destination import NameReservations, Numbers
from imgsort.filing.folders import Folders
from imgsort.filing.mover import Load, Mover, Refusal
from imgsort.filing.recovery import recover_locked
from imgsort.filing.refusals import why
from imgsort.filing.sidecar_listing import Companions
from imgsort.filing.sidecars import renamed, tail
from imgsort.filing.unmounted import unmounted
from imgsort.filing.xmp_sidecars import describe
from imgsort.records.journal import Cause, Plan, Planned
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Errand:
    """A file of the log and the place it should have, absolute; its name may get a number."""

    arrival_id: int
    source: Path
    identity: Identity
    sha256: str
    wanted: Path
    cause: Cause


@dataclass(frozen=True, slots=True)
class Done:
    """Where the file lies now; ``reason`` says why it did not move."""

    errand: Errand
    path: Path
    reason: str | None = None
    paused: FilingPaused | None = None

    @property
    def moved(self) -> bool:
        return self.reason is None


class Plans(Protocol):
    """Writes the plans down (TX1), with whatever belongs to the same transaction."""

    def __call__(self, plans: Sequence[Plan]) -> Sequence[Planned]: ...


@dataclass(frozen=True, slots=True)
class _Reserved:
    errand: Errand
    plans: tuple[Plan, ...] = ()
    refusal: Refusal | None = None


def run_errands(
    workspace: Workspace, store: Store, errands: Sequence[Errand], plan: Plans
) -> list[Done]:
    """Move what can be moved; the answers keep the order.

    ``plan`` is called exactly once, with the plans of all errands: what it writes holds for all
    or for none, and a crash after it is completed by the next mover. Raises as ``Filer.file``.
    """
    with workspace.filing_lock():
        unknown = recover_locked(workspace, store).unknown
        names = NameReservations(Numbers(), store.reserved_targets() if unknown else ())
        bases = workspace.picture_folders
        with Folders(bases, unmounted(bases[1:], store)) as folders:
            companions = Companions(
                workspace.config.filing.sidecars, workspace.config.decode.suffixes
            )
            ready = [_ready(errand, folders, names, companions) for errand in errands]
            failpoint("before-tx1")
            journal = iter(plan([one for each in ready for one in each.plans]))
            failpoint("after-tx1")
            underway = [(each, _load(each, journal)) for each in ready]
            carried = [
                done
                for start in range(0, len(underway), _AT_ONCE)
                for done in _carried(underway[start : start + _AT_ONCE], store, folders, names)
            ]
            describe(workspace, store, _pictures(store, carried))
            return carried


def _pictures(store: Store, carried: Sequence[Done]) -> dict[int, Path]:
    """Where the picture of each arrival lies, if only what belongs to it was carried."""
    alone = {one.errand.arrival_id for one in carried if one.errand.cause == "sidecar"}
    known = store.pictures_by_ids(alone) if alone else ()
    moved = {one.errand.arrival_id: one.path for one in carried if one.errand.cause != "sidecar"}
    return {one.arrival_id: one.path for one in known if not one.missing} | moved


def _carried(
    batch: Sequence[tuple[_Reserved, Load | None]],
    store: Store,
    folders: Folders,
    names: NameReservations,
) -> Iterator[Done]:
    mover = Mover(store, folders, names)
    mover.carry([load for _, load in batch if load is not None])
    mover.finish()
    for ready, load in batch:
        errand, refusal = ready.errand, ready.refusal
        landed = mover.done.get(load.picture.move_id) if load else None
        if landed is not None:
            yield Done(errand, landed.target)
            continue
        if load is not None:
            refusal = mover.refused[load.picture.move_id]
        if refusal is not None:
            yield Done(errand, errand.source, refusal.reason, refusal.paused)


def _ready(
    errand: Errand, folders: Folders, names: NameReservations, companions: Companions
) -> _Reserved:
    """Look at the file, find its sidecars, reserve its name."""
    source, wanted = errand.source, errand.wanted
    wanted = folders.as_spelled(wanted.parent) / wanted.name
    try:
        identity = _identity(errand, folders)
    except OSError as problem:
        return _Reserved(errand, refusal=Refusal(f"it can't be opened ({why(problem)})"))
    if identity is None:
        return _Reserved(errand, refusal=Refusal("it is no longer the picture that was logged"))
    try:
        folder = folders.folder(wanted.parent, make=True)
        beside = companions.of(source.parent, source.name, datetime.now(UTC))
        tails = [tail(name, source.name) for name in beside]
        name = names.reserve(folder, wanted.name, tails)
    except OSError as problem:
        trouble = folders.paused(wanted.parent, problem)
        return _Reserved(errand, refusal=Refusal(trouble.reason, trouble))
    picture = Plan(
        source=source,
        target=wanted.parent / name,
        identity=identity,
        sha256=errand.sha256,
        mode="move",
        cause=errand.cause,
        arrival=None,
        arrival_id=errand.arrival_id,
    )
    followers = (_sidecar(folders, picture, sidecar) for sidecar in beside)
    return _Reserved(errand, (picture, *(one for one in followers if one is not None)))


def _identity(errand: Errand, folders: Folders) -> Identity | None:
    """Of the file at the source if it still has the content. Its bytes decide if it was touched."""
    descriptor = folders.spot(errand.source).open()
    try:
        identity = Identity.of(os.fstat(descriptor))
        same = identity == errand.identity or sha256_of(descriptor) == errand.sha256
        return identity if same else None
    finally:
        os.close(descriptor)


def _sidecar(folders: Folders, picture: Plan, name: str) -> Plan | None:
    """None for one that can't be read just now, which stays where it is."""
    path = picture.source.with_name(name)
    try:
        descriptor = folders.spot(path).open()
    except OSError:
        return None
    try:
        return Plan(
            source=path,
            target=picture.target.with_name(
                renamed(name, picture.source.name, picture.target.name)
            ),
            identity=Identity.of(os.fstat(descriptor)),
            sha256=sha256_of(descriptor),
            mode="move",
            cause="sidecar",
            arrival=None,
            arrival_id=picture.arrival_id,
        )
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _load(ready: _Reserved, journal: Iterator[Planned]) -> Load | None:
    if not ready.plans:
        return None
    picture, *sidecars = islice(journal, len(ready.plans))
    return Load(picture, tuple(sidecars))
