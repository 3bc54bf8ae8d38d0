"""One batch through the journal: names reserved, written down (TX1), moved, told to the log (TX2).

Whatever moves pictures comes through here; ``recovery`` alone, which completes what died here,
calls the mover itself.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from imgsort.disk.failpoints import failpoint
from imgsort.filing.destination import NameReservations, Numbers
from imgsort.filing.errand import Done, Errand
from imgsort.filing.folders import Folders
from imgsort.filing.mover import Load, Mover, Refusal
from imgsort.filing.recovery import recover_locked
from imgsort.filing.unmounted import on_the_way, unmounted
from imgsort.filing.xmp_sidecars import describe
from imgsort.records.journal import Plan, Planned
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

AT_ONCE = 256
"""Files under one hold of the filing lock, or one word to the log: others who file wait half a
second at most."""


class WriteDown(Protocol):
    """Writes the plans down (TX1), with whatever belongs to the same transaction."""

    def __call__(self, plans: Sequence[Plan]) -> Sequence[Planned]: ...


Prepare = Callable[[Errand, Folders], Errand | Refusal]
"""A last look at a file, under the filing lock, before its name is reserved."""


def run_batch(  # noqa: PLR0913 - where, what, and how each of three callers differs
    workspace: Workspace,
    store: Store,
    errands: Sequence[Errand],
    record: WriteDown,
    *,
    prepare: Prepare = lambda errand, _: errand,
    numbers: Numbers | None = None,
    wait: bool = False,
) -> list[Done]:
    """Move what can be moved; the answers keep the order.

    ``wait``: rather write nothing down, and raise FilingPaused, than leave a file where it is
    because its destination can't take pictures at present.

    ``record`` is called exactly once, with the plans of all errands: what it writes holds for all
    or for none. Raises StorageFailed (exit: the next start recovers from the disk), FilingPaused if
    a dead mover's files wait for a missing folder, or what the store raises. Nothing is lost then:
    what was under way is completed by the next call that succeeds.
    """
    with workspace.filing_lock():
        unknown = recover_locked(workspace, store).unknown
        reserved = store.journal.reserved_targets() if unknown else ()
        names = NameReservations(numbers or Numbers(), reserved)
        bases = workspace.picture_folders
        below = on_the_way(workspace, store, (errand.wanted for errand in errands))
        with Folders(bases, unmounted(bases[1:], store, below)) as folders:
            ready = [_reserved(prepare(errand, folders), folders, names) for errand in errands]
            paused = [one.paused for one in ready if isinstance(one, Refusal) and one.paused]
            if wait and paused:
                raise paused[0]
            underway = list(zip(errands, _recorded(ready, record), strict=True))
            done: list[Done] = []
            for start in range(0, len(underway), AT_ONCE):
                mover = Mover(store, folders, names)
                done += _carried(underway[start : start + AT_ONCE], mover)
            describe(workspace, store, _pictures(store, done))
            return done


def _reserved(
    errand: Errand | Refusal, folders: Folders, names: NameReservations
) -> tuple[Plan, ...] | Refusal:
    if isinstance(errand, Refusal):
        return errand
    parent = folders.as_spelled(errand.wanted.parent)
    try:
        folder = folders.folder(parent, make=True)
        name = names.reserve(folder, errand.wanted.name, errand.tails())
    except OSError as problem:
        trouble = folders.paused(parent, problem)
        return Refusal(trouble.reason, trouble)
    return errand.plans(parent / name)


def _recorded(
    ready: Sequence[tuple[Plan, ...] | Refusal], record: WriteDown
) -> list[Load | Refusal]:
    """TX1."""
    failpoint("before-tx1")
    journal = iter(record([plan for one in ready if isinstance(one, tuple) for plan in one]))
    failpoint("after-tx1")
    return [one if isinstance(one, Refusal) else _load(islice(journal, len(one))) for one in ready]


def _load(journal: Iterator[Planned]) -> Load:
    picture, *sidecars = journal
    return Load(picture, tuple(sidecars))


def _carried(batch: Sequence[tuple[Errand, Load | Refusal]], mover: Mover) -> Iterator[Done]:
    """Place the files, and TX2."""
    mover.carry([load for _, load in batch if isinstance(load, Load)])
    mover.finish()
    for errand, load in batch:
        if isinstance(load, Refusal):
            yield Done(errand, errand.source, load)
        elif (landed := mover.done.get(load.picture.move_id)) is not None:
            yield Done(errand.known_as(load.picture.arrival_id), landed.target)
        else:
            yield Done(errand, errand.source, mover.refused[load.picture.move_id])


def _pictures(store: Store, done: Sequence[Done]) -> dict[int, Path]:
    """Where the picture of each arrival lies, if only what belongs to it was carried."""
    alone: set[int] = set()
    carried: dict[int, Path] = {}
    for one in done:
        arrival_id = one.errand.arrival_id
        if arrival_id is None:
            continue  # a new one that stays where it is
        if one.errand.cause == "sidecar":
            alone.add(arrival_id)
        else:
            carried[arrival_id] = one.path
    known = store.pictures.by_ids(alone) if alone else ()
    return {one.arrival_id: one.path for one in known if not one.missing} | carried
