"""Undo or complete what a dead mover left in the journal."""

import errno
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity, NotARegularFile, sha256_of
from imgsort.filing.class_renaming import complete_renames
from imgsort.filing.copying import sweep
from imgsort.filing.destination import NameReservations, Numbers
from imgsort.filing.folders import Folder, Folders
from imgsort.filing.mover import Load, Mover, Refusal
from imgsort.filing.refusals import paused
from imgsort.filing.sync_contents import sync_content
from imgsort.filing.unmounted import on_the_way, unmounted
from imgsort.records.journal import Planned
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

# The coarsest clock of a file system that a copy may have been made on (FAT: two seconds).
_CLOCK_NS = 2_000_000_000
_GONE = Refusal("it is no longer where it was")
_UNREADABLE = Refusal("its destination can't be read")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the files that a dead mover left in the journal."""

    landed: int = 0
    redone: int = 0
    dropped: int = 0
    """Not moved: they are where they were, or a human has taken them away."""
    unknown: int = 0
    """Their destination can't be read at present; they stay in the journal."""


def recover(workspace: Workspace, store: Store) -> Recovered:
    """Bring journal and folders together; safe to repeat, and to die in.

    Raises FilingPaused if a picture folder is missing, StorageFailed, or what the store raises.
    """
    with workspace.filing_lock():
        return recover_locked(workspace, store)


def recover_locked(workspace: Workspace, store: Store) -> Recovered:
    """``recover`` for a caller that holds the filing lock."""
    complete_renames(workspace, store)
    rows = store.journal.unfinished()
    if not rows:
        return Recovered()
    failpoint("recovery-begun")
    bases = workspace.picture_folders
    below = on_the_way(
        workspace, store, (path for row in rows for path in (row.source, row.target))
    )
    with Folders(bases, unmounted(bases[1:], store, below)) as folders:
        _require(folders, bases)
        _sweep(folders, {row.target.parent for row in rows})
        failpoint("recovery-swept")
        names = NameReservations(Numbers(), {row.target for row in rows})
        recovery = _Recovery(folders, Mover(store, folders, names))
        for row in rows:
            recovery.judge(row)
        failpoint("recovery-judged")
        return recovery.complete()


@dataclass(frozen=True, slots=True)
class _Found:
    """A file with the content that the journal speaks of; its content is on the disk."""

    folder: Folder
    identity: Identity


@dataclass(slots=True)
class _Recovery:
    folders: Folders
    mover: Mover
    redo: list[Planned] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    """Arrivals whose picture is neither here nor there."""
    unknown: int = 0

    def judge(self, row: Planned) -> None:
        """Where is the file of this row? The target has it, else the source, else nobody.

        Content decides, not identity: device numbers change when a machine restarts.
        """
        source = self._source(row)
        try:
            target = _found(self.folders, row.target, row)
        except OSError:
            if source is None:
                self.unknown += 1
            else:
                self.mover.refuse(row, _UNREADABLE)
            return
        # From here on the source is what it is now.
        now = replace(row, identity=source.identity) if source else row
        if target and (source is None or row.mode == "copy" or _is_our_copy(target, source, row)):
            leftover = source is not None and row.mode == "move"
            self.mover.landed(now, target.identity, leftover=leftover)
            self.folders.touch(target.folder)
        elif source and (row.mode == "move" or source.identity == row.identity):
            # A copy's source is remembered as it was judged; touched since, it is judged again.
            self.redo.append(now)
        else:
            self.mover.refuse(row, _GONE)
            if row.cause != "sidecar" and row.arrival_id is not None:
                self.lost.add(row.arrival_id)

    def complete(self) -> Recovered:
        landed = len(self.mover.done)
        loads = []
        for load in _loads(self.redo):
            if load.picture.arrival_id in self.lost:
                self.mover.refuse(load.picture, _GONE)  # a sidecar that has nobody to follow
            else:
                loads.append(load)
        self.mover.carry(loads)
        self.mover.finish()
        return Recovered(
            landed=landed,
            redone=len(self.mover.done) - landed,
            dropped=len(self.mover.refused),
            unknown=self.unknown,
        )

    def _source(self, row: Planned) -> _Found | None:
        try:
            return _found(self.folders, row.source, row)
        except OSError:
            return None  # it can't be moved now; once it can be read it is a new arrival


def _found(folders: Folders, path: Path, row: Planned) -> _Found | None:
    """The file at ``path`` if it has the row's content. Raises OSError where it can't be told."""
    try:
        spot = folders.spot(path)
        descriptor = spot.open()
    except (FileNotFoundError, NotADirectoryError, NotARegularFile):
        return None
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            return None
        raise
    try:
        identity = Identity.of(os.fstat(descriptor))
        if identity.size != row.identity.size or sha256_of(descriptor) != row.sha256:
            return None
        sync_content(descriptor, path)
        return _Found(spot.folder, identity)
    finally:
        os.close(descriptor)


def _is_our_copy(target: _Found, source: _Found, row: Planned) -> bool:
    """Is it the copy we made of a source that is still there, rather than somebody else's file?

    Ours bears the time of the original: that of the plan, or the present one if the source was
    touched and an earlier recovery copied it.
    """
    times = (row.identity.mtime_ns, source.identity.mtime_ns)
    return any(abs(target.identity.mtime_ns - time) <= _CLOCK_NS for time in times)


def _loads(rows: Sequence[Planned]) -> list[Load]:
    """Put sidecars to their pictures again; one whose picture has landed goes alone."""
    pictures = {row.arrival_id for row in rows if row.cause != "sidecar"} - {None}
    followers: dict[int | None, list[Planned]] = {}
    leaders = []
    for row in rows:
        if row.cause == "sidecar" and row.arrival_id in pictures:
            followers.setdefault(row.arrival_id, []).append(row)
        else:
            leaders.append(row)
    return [Load(row, tuple(followers.get(row.arrival_id, ()))) for row in leaders]


def _require(folders: Folders, paths: Sequence[Path]) -> None:
    """Nothing may be called gone because its disk isn't mounted."""
    for path in paths:
        try:
            folders.folder(path)
        except OSError as problem:
            raise paused(path, problem) from problem


def _sweep(folders: Folders, paths: Collection[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # not there, or not readable: judge() says what that means
            sweep(folders.folder(path))
