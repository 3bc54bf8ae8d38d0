"""A person moves a picture and not what belongs to it: its sidecars and RAW go after it."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgsort.disk.identity import fingerprint, open_regular
from imgsort.filing.errand import Done, Errand
from imgsort.filing.relocate import run_errands
from imgsort.filing.sidecars import pair_up, renamed
from imgsort.filing.xmp_sidecars import describe
from imgsort.images import READABLE_SUFFIXES
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class HandMove:
    """A picture that a person took from one place to another."""

    arrival_id: int
    before: Path
    now: Path
    moved_at: float
    """Seconds of the wall clock."""


def fetch(
    workspace: Workspace, store: Store, run_id: int | None, trips: Sequence[HandMove]
) -> list[Done]:
    """Bring what was left behind, through the journal; without a run of its own one is begun.
    Then what the move says is told in the XMP sidecars.

    What may belong to a picture that is still there stays; nothing is overwritten or renumbered.
    Raises as ``run_errands``.
    """
    done = _fetched(workspace, store, run_id, list(_errands(workspace, trips)))
    if trips and workspace.config.filing.write_xmp:
        with workspace.filing_lock():
            there = {trip.arrival_id: trip.now for trip in trips if trip.now.is_file()}
            describe(workspace, store, there)
    return done


def _fetched(
    workspace: Workspace, store: Store, run_id: int | None, errands: Sequence[Errand]
) -> list[Done]:
    if not errands:
        return []
    run = store.runs.begin("sidecars") if run_id is None else run_id
    done = run_errands(
        workspace, store, errands, lambda plans: store.journal.record_decided(run, plans)
    )
    if run_id is None:
        store.runs.end(run, f"{sum(one.moved for one in done)} fetched")
    return done


def left_behind(
    names: Iterable[str],
    gone: Iterable[str],
    suffixes: Sequence[str],
    readable: Collection[str] = READABLE_SUFFIXES,
) -> dict[str, tuple[str, ...]]:
    """Of the ``names`` in a folder: what the pictures that are ``gone`` from it left. Pure."""
    here = set(names)
    owned = pair_up(here, suffixes, readable).values()
    kept = {sidecar for followers in owned for sidecar in followers}
    left = set(gone) - here
    pairs = pair_up(here | left, suffixes, readable)
    found = {name: [one for one in pairs.get(name, ()) if one not in kept] for name in left}
    return {name: tuple(followers) for name, followers in found.items() if followers}


def _errands(workspace: Workspace, trips: Sequence[HandMove]) -> Iterator[Errand]:
    folders: dict[Path, dict[str, HandMove]] = {}
    for trip in trips:
        if trip.before.parent != trip.now.parent or trip.before.name != trip.now.name:
            folders.setdefault(trip.before.parent, {})[trip.before.name] = trip
    for folder, gone in folders.items():
        try:
            names = os.listdir(folder)  # noqa: PTH208 - names only
        except OSError:
            continue  # it went along
        config = workspace.config
        left = left_behind(names, gone, config.filing.sidecars, config.decode.suffixes)
        for name, sidecars in left.items():
            for sidecar in sidecars:
                errand = _errand(workspace, gone[name], folder / sidecar)
                if errand is not None:
                    yield errand


def _errand(workspace: Workspace, trip: HandMove, path: Path) -> Errand | None:
    wanted = trip.now.with_name(renamed(path.name, trip.before.name, trip.now.name))
    return errand_beside(workspace, path, trip.arrival_id, trip.now, wanted)


def errand_beside(
    workspace: Workspace, path: Path, arrival_id: int, picture: Path, wanted: Path
) -> Errand | None:
    """None where the picture is gone, or a file of that name is beside it already."""
    if not picture.is_file() or os.path.lexists(wanted):
        return None
    try:
        identity, sha256 = fingerprint(open_regular(path, workspace.picture_folders))
    except OSError:
        return None
    return Errand(arrival_id, path, identity, sha256, wanted, "sidecar")
