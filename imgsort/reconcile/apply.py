"""Look at the picture folders, find out what a human did there, and write it down.

Called by the daemon (at start, on hints, on a timer) and by every command that relies on labels.
Looking and hashing hold nobody up; the filing lock is taken only when there is something to learn,
and what was seen is then checked once more.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgsort.disk.display import display
from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity, is_at
from imgsort.filing import recover_locked
from imgsort.filing.left_behind_sidecars import HandMove, fetch
from imgsort.filing.rejected_again import origin, send_back
from imgsort.filing.xmp_renewal import renewing
from imgsort.images.wholeness import is_cut_short
from imgsort.reconcile.compare import Differences, Sight, to_hash, trusted_moves
from imgsort.reconcile.examine import examine_adopted
from imgsort.reconcile.look import TreeLook, look_at
from imgsort.reconcile.meaning import Reconciled, reconcile
from imgsort.reconcile.moved_folders import resettled
from imgsort.reconcile.notices import notices
from imgsort.reconcile.renames import gone_folders
from imgsort.reconcile.scan import class_folders, hashed, waiting_files
from imgsort.records.files import (
    Adopted,
    DiskFile,
    Edited,
    KnownClass,
    KnownFile,
    Layout,
    Moved,
    Repathed,
    Snapshot,
    TreeChanges,
    Vanished,
)
from imgsort.records.labels import HumanLabel
from imgsort.store import Store
from imgsort.store.layouts import layout_of, note_stations_first
from imgsort.workspace.workspace import Workspace

TRIES = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcileSummary:
    """What one look at the folders came to."""

    labelled: int = 0
    """Pictures that a human put into a class: corrections, and new files."""
    withdrawn: int = 0
    never_use: int = 0
    renamed: tuple[str, ...] = ()
    """``cat -> kitten``."""
    retired: tuple[str, ...] = ()
    """Classes whose pictures a human put into others, and whose folders are gone."""
    restored: tuple[str, ...] = ()
    """Retired classes whose folders a human made anew."""
    adopted: int = 0
    edited: int = 0
    """Files with other bytes in their places."""
    moved: int = 0
    """Known files found at another path, whether that said anything or not."""
    missing: int = 0
    waiting: int = 0
    """Files too young to tell what they are; look again in a while."""
    notices: tuple[str, ...] = ()
    """What a human should know or decide, a sentence each."""
    trips: tuple[HandMove, ...] = ()
    """Where known pictures went, for ``filing.fetching``."""

    @property
    def learned(self) -> bool:
        """Is there anything to say?"""
        return bool(
            self.labelled
            or self.withdrawn
            or self.never_use
            or self.renamed
            or self.retired
            or self.restored
            or self.adopted
            or self.edited
            or self.missing
        )

    def __str__(self) -> str:
        counts = (
            (self.labelled, "put into a class by hand"),
            (self.withdrawn, "taken back"),
            (self.never_use, "never to be used"),
            (self.adopted, "new here"),
            (self.edited, "changed in place"),
            (self.missing, "missing"),
        )
        parts = [f"{count:,} {what}" for count, what in counts if count]
        parts += [f"class renamed: {one}" for one in self.renamed]
        parts += [f"class retired: {one}" for one in self.retired]
        parts += [f"class in use again: {one}" for one in self.restored]
        return "; ".join(parts) or "nothing was moved by hand"


@dataclass(slots=True)
class Hashes:
    """Content of files that were hashed before; the daemon keeps one from look to look."""

    stopping: Callable[[], bool] = lambda: False
    """Asked before each file; then a look ends with nothing learned."""
    _known: dict[tuple[str, Identity], str] = field(default_factory=dict)

    def of(self, files: Sequence[DiskFile]) -> dict[str, str]:
        """By path. Files that were not asked about this time are forgotten."""
        keys = {(file.path, file.identity): file for file in files}
        self._known = {key: self._known[key] for key in keys if key in self._known}
        fresh = [file for key, file in keys.items() if key not in self._known]
        found = hashed(fresh, self.stopping)
        self._known.update(
            ((file.path, file.identity), found[file.path]) for file in fresh if file.path in found
        )
        return {path: digest for (path, _), digest in self._known.items()}


def apply_reconcile(
    workspace: Workspace, store: Store, run_id: int | None, *, adopt_library: bool = False
) -> ReconcileSummary:
    """Make the log agree with the folders, and open what is new there: for commands.

    Sidecars that were left behind go after their pictures.

    As ``reconcile_folders``; ``adopt_library`` takes new pictures as labelled, however many there
    are: their labels count as imported.
    """
    with renewing(workspace, store):
        summary = reconcile_folders(workspace, store, run_id, adopt_library=adopt_library)
        fetch(workspace, store, run_id, summary.trips)
        examine_adopted(workspace, store)
    return summary


def reconcile_folders(
    workspace: Workspace,
    store: Store,
    run_id: int | None,
    *,
    adopt_library: bool = False,
    hashes: Hashes | None = None,
) -> ReconcileSummary:
    """Make the log agree with the folders; the caller doesn't hold the filing lock.

    Raises FilingPaused where a picture folder is missing, StorageFailed, or what the store raises.
    """
    note_stations_first(workspace, store)
    layout = layout_of(workspace, store)
    looker = _Looker(workspace, store, layout, hashes or Hashes(), adopt_library)
    for _ in range(TRIES):
        look = looker.look()
        if not look.disk.steady:
            continue
        changes: TreeChanges | None = look.seen.changes
        if looker.hashes.stopping():
            break
        if look.again:
            with workspace.filing_lock():
                _send_back(workspace, store, look.again)
        if changes:
            with workspace.filing_lock():
                recover_locked(workspace, store)
                changes = _still_true(look.seen.changes, store)
                if changes:
                    store.files.apply(run_id, changes)
                    failpoint("tree-learned")
        if changes is not None:
            summary = _summary(changes, look, store, looker.layout)
            return _without_emptied(workspace, store, look, summary, layout)
    return ReconcileSummary(waiting=1)


def _without_emptied(
    workspace: Workspace,
    store: Store,
    look: "_Look",
    summary: ReconcileSummary,
    layout: Layout,
) -> ReconcileSummary:
    """Retire the classes that a human has emptied into others and whose folders are gone."""
    if retired := [one.id for one in look.gone if one.retired]:
        store.classes.forget_folders(retired)
    gone = _unheld({one.id: one.name for one in look.gone if not one.retired}, store, layout)
    given_up, unused = store.classes.emptied(gone, workspace.sorted) if gone else ({}, ())
    if given_up:
        with workspace.filing_lock():
            recover_locked(workspace, store)
            gone = {one: name for one, name in given_up.items() if not _is_there(layout, name)}
            gone = _unheld(gone, store, layout)
            given_up, _ = store.classes.emptied(gone, workspace.sorted)
            store.classes.retire_emptied(given_up)
    told = tuple(
        f"{workspace.sorted.name}/{display(name)} was removed and {display(name)} never used; "
        f"`imgsort classes retire {display(name)}` gives it up, or else its folder comes back with "
        f"its first picture."
        for name in unused
    )
    return replace(
        summary,
        retired=tuple(display(name) for name in given_up.values()),
        notices=(*summary.notices, *told),
    )


def _is_there(layout: Layout, name: str) -> bool:
    if layout.reading is None:
        return Path(layout.sorted, name).is_dir()
    return any(folder.class_name == name for folder in class_folders(layout))


def _unheld(gone: dict[int, str], store: Store, layout: Layout) -> dict[int, str]:
    """Without those that pictures lie in, or were last seen in; of the first folders below sorted/
    the store tells by itself."""
    if layout.reading is None or not gone:
        return gone
    held = {layout.place_of(one.location).class_name for one in store.files.known()}
    return {one: name for one, name in gone.items() if name not in held}


@dataclass(frozen=True, slots=True)
class _Look:
    disk: Snapshot
    seen: Reconciled
    gone: tuple[KnownClass, ...]
    """Classes whose folders are no longer there."""
    again: tuple[tuple[KnownFile, DiskFile], ...]
    """What was rejected and has changed since."""


@dataclass(frozen=True, slots=True)
class _Looker:
    """One look at disk and log, without any lock."""

    workspace: Workspace
    store: Store
    layout: Layout
    hashes: Hashes
    unlimited: bool

    def look(self) -> _Look:
        look = look_at(self.layout, self.store)
        if self._resettle(look):
            look = look_at(self.layout, self.store)
        disk, found, classes = look.disk, look.found, look.classes
        found.lost = [one for one in found.lost if not is_at(one.location, one.identity)]
        digests: dict[str, str] = {}
        spoken: dict[str, HumanLabel] = {}
        again: tuple[tuple[KnownFile, DiskFile], ...] = ()
        if found:
            disk = replace(disk, inbox=self._inbox(found))
            on_their_way = {str(path) for path in self.store.journal.reserved_targets()}
            found.strangers = [one for one in found.strangers if one.path not in on_their_way]
            found.same = [
                (one, file)
                for one, file in found.same
                if not (one.missing and file.path in on_their_way)
            ]
            trusted = trusted_moves(found, disk, classes, self.layout)
            wanted = to_hash(found, disk, trusted, self.layout, unlimited=self.unlimited)
            digests = self.hashes.of(wanted)
            spoken = self.store.labels.current()
            again = self._changed(found, digests)
            changed = {file.path for _, file in again}
            found.strangers = [one for one in found.strangers if one.path not in changed]
        saving = {path for path in digests if is_cut_short(path)} if found.strangers else ()
        sight = Sight(
            *(disk, found, digests, classes, spoken, self.layout),
            as_before=look.as_before,
            cut_short=saving,
        )
        seen = reconcile(sight, unlimited=self.unlimited)
        unclear = set(look.unclear).difference(one.location for one in found.lost)
        seen = replace(seen, unclear=tuple(sorted(unclear.union(seen.unclear))))
        gone = gone_folders(classes, seen.changes.renamed, disk, self.layout)
        return _Look(disk, seen, gone, again)

    def _changed(
        self, found: Differences, digests: dict[str, str]
    ) -> tuple[tuple[KnownFile, DiskFile], ...]:
        """What imgsort rejected, and lies there with other bytes now."""
        strangers = {file.path: file for file in found.strangers}
        rejected = [
            (one, strangers[one.location])
            for one in (*found.lost, *found.absent)
            if one.decision == "rejected" and one.location in strangers
        ]
        if not rejected:
            return ()
        histories = self.store.history.of([known.arrival_id for known, _ in rejected])
        ours = {one.arrival_id for one in histories if origin(one) is not None}
        return tuple(
            (known, file)
            for known, file in rejected
            if known.arrival_id in ours
            and self.layout.place_of(file.path).room == "rejected"
            and _is_other(known, file, digests)
        )

    def _resettle(self, look: TreeLook) -> bool:
        """Learn that picture folders go by other paths than before, if they do."""
        known = {one.arrival_id: one for one in (*look.found.lost, *look.found.absent)}
        moved = resettled(known.values(), look.disk.files, self.layout, is_at)
        if not moved:
            return False
        with self.workspace.filing_lock():
            recover_locked(self.workspace, self.store)
            now = {one.arrival_id: one for one in self.store.files.known(moved.paths)}
            firm = {
                arrival: path
                for arrival, path in moved.paths.items()
                if now.get(arrival) == known[arrival]
            }
            self.store.files.resettle(moved.folders, firm)
        return True

    def _inbox(self, found: Differences) -> tuple[DiskFile, ...]:
        """The files that may have been sent back. What copy mode left there was not."""
        copied = {
            one.sha256 for one in self.store.journal.originals({one.sha256 for one in found.lost})
        }
        sizes = {one.size for one in found.lost if one.sha256 not in copied}
        themselves = {one.identity for one in found.lost}
        files = [
            file
            for file in waiting_files(self.layout, {one.size for one in found.lost})
            if file.identity.size in sizes or file.identity in themselves
        ]
        left = self.store.journal.known_copies([file.identity for file in files]) if files else ()
        return tuple(file for file in files if file.identity not in left)


def _is_other(known: KnownFile, file: DiskFile, digests: dict[str, str]) -> bool:
    if known.size != file.identity.size:
        return True
    return digests.get(file.path, known.sha256) != known.sha256


def _send_back(
    workspace: Workspace, store: Store, again: Sequence[tuple[KnownFile, DiskFile]]
) -> None:
    recover_locked(workspace, store)
    files = {known.arrival_id: file for known, file in again}
    places = [
        (Path(files[one.arrival_id].path), files[one.arrival_id].identity, source)
        for one in store.history.of(files)
        if (source := origin(one)) is not None
    ]
    for path in send_back(workspace, places):
        _log.info("%s has changed since it was rejected: it is looked at again", display(path))


def _still_true(changes: TreeChanges, store: Store) -> TreeChanges | None:
    """What holds now that nobody else moves anything; None: look again.

    With a class renamed it is all or nothing, or a file left behind would look corrected later.
    """
    every: list[Moved | Edited | Vanished | Repathed] = [
        *changes.moved,
        *changes.edited,
        *changes.vanished,
        *changes.repathed,
    ]
    before = {one.known.arrival_id: one.known for one in every}
    now = {one.arrival_id: one for one in store.files.known(before)} if before else {}
    firm = {arrival_id for arrival_id, one in before.items() if now.get(arrival_id) == one}
    left = {one.known.location for one in every if not one.known.missing}
    back = [one for one in changes.moved if one.known.missing]
    files = [*(one.file for one in changes.adopted), *(one.file for one in back)]
    landed = store.files.known_paths(file.path for file in files) - left
    checked = replace(
        changes,
        moved=tuple(one for one in changes.moved if _has_moved(one, firm, landed)),
        edited=tuple(one for one in changes.edited if _was_edited(one, firm)),
        vanished=tuple(one for one in changes.vanished if _has_vanished(one, firm)),
        repathed=tuple(one for one in changes.repathed if one.known.arrival_id in firm),
        adopted=tuple(one for one in changes.adopted if _is_new(one, landed)),
    )
    return None if changes.renamed and checked != changes else checked


def _has_moved(one: Moved, firm: set[int], landed: set[str]) -> bool:
    here, before = one.file.path, one.known.location
    if one.known.missing and here in landed:
        return False  # it was put back and filed again: another arrival has it by now
    if one.known.arrival_id not in firm or not is_at(here, one.file.identity):
        return False
    return here == before or not is_at(before, one.known.identity)


def _was_edited(one: Edited, firm: set[int]) -> bool:
    return one.known.arrival_id in firm and is_at(one.file.path, one.file.identity)


def _has_vanished(one: Vanished, firm: set[int]) -> bool:
    known = one.known
    return known.arrival_id in firm and not is_at(known.location, known.identity)


def _is_new(one: Adopted, landed: set[str]) -> bool:
    return one.file.path not in landed and is_at(one.file.path, one.file.identity)


def _summary(changes: TreeChanges, look: _Look, store: Store, layout: Layout) -> ReconcileSummary:
    kinds = [label.kind for label in changes.labels()]
    return ReconcileSummary(
        labelled=kinds.count("label"),
        withdrawn=kinds.count("withdrawn"),
        never_use=kinds.count("never_use"),
        renamed=tuple(f"{display(one.old)} -> {display(one.new)}" for one in changes.renamed),
        restored=tuple(display(one.name) for one in changes.restored),
        adopted=len(changes.adopted),
        edited=len(changes.edited),
        moved=sum(one.known.location != one.file.path for one in changes.moved),
        missing=len(changes.vanished),
        waiting=len(look.seen.waiting),
        notices=notices(look.seen, look.disk, store, layout),
        trips=tuple(
            HandMove(one.known.arrival_id, one.known.path, Path(one.file.path), one.file.changed_at)
            for one in changes.moved
            if one.known.location != one.file.path
        ),
    )
