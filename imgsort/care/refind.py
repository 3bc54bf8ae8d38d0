"""Make a log that knows too little agree with the files that lie in the picture folders.

After a restore or a rebuild a file without a row was, as far as anybody can tell, put there by
imgsort itself: it gets a row, filed as what its folder says. That is nobody's word, so it makes no
label; nor does a known file that lies in another folder than the log remembers.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from imgsort.disk.identity import Identity
from imgsort.filing import recover_locked
from imgsort.reconcile.compare import Sight, to_hash, trusted_moves
from imgsort.reconcile.look import look_at
from imgsort.reconcile.meaning import reconcile
from imgsort.reconcile.scan import hashed, waiting_files
from imgsort.records.files import Adopted, Layout, Moved, TreeChanges, Vanished
from imgsort.store import Store
from imgsort.store.care import CareLog
from imgsort.store.layouts import layout_of, note_stations_first
from imgsort.workspace.workspace import Workspace

_LATER = float("inf")


@dataclass(frozen=True, slots=True)
class Refound:
    """What the folders taught the log."""

    found: int
    """Files that got a new row."""
    moved: int
    """Known files at another place."""
    missing: int
    """Known files that are nowhere."""

    def as_dict(self) -> dict[str, int]:
        return {"found": self.found, "moved": self.moved, "missing": self.missing}


def refind_locked(workspace: Workspace, store: Store, log: CareLog, run_id: int) -> Refound:
    """Look through the folders once. The caller holds the filing lock, and no daemon runs.

    Raises FilingPaused where a picture folder is missing, StorageFailed, or what the store raises.
    """
    recover_locked(workspace, store)
    note_stations_first(workspace, store)
    layout = layout_of(workspace, store)
    # Nothing is too young to be taken: whoever moves pictures meanwhile is seen by the next look.
    look = look_at(layout, store)
    disk = replace(look.disk, taken_at=_LATER)
    found, classes = look.found, look.classes
    trusted = trusted_moves(found, disk, classes, layout)
    hashes = hashed(to_hash(found, disk, trusted, layout, unlimited=True), lambda: False)
    sight = Sight(disk, found, hashes, classes, {}, layout)
    changes = wordless(reconcile(sight, unlimited=True).changes, layout)
    if changes:
        store.files.apply(run_id, changes)
    if workspace.config.filing.mode == "copy":
        log.note_sources(_originals(changes.adopted, layout))
    return Refound(
        found=len(changes.adopted),
        moved=sum(one.known.location != one.file.path for one in changes.moved),
        missing=len(changes.vanished),
    )


def wordless(changes: TreeChanges, layout: Layout) -> TreeChanges:
    """The same changes, none of them a human's word. Pure."""
    return replace(
        changes,
        moved=tuple(Moved(one.known, one.file, None) for one in changes.moved),
        vanished=tuple(Vanished(one.known, None) for one in changes.vanished),
        adopted=tuple(_found_again(one, layout) for one in changes.adopted),
    )


def _found_again(one: Adopted, layout: Layout) -> Adopted:
    place = layout.place_of(one.file.path)
    return replace(one, label=None, found_again=True, filed_as=place.class_name)


def _originals(adopted: Collection[Adopted], layout: Layout) -> dict[str, Identity]:
    """The files of the inbox that adopted ones are copies of: they must not be copied again."""
    wanted = {one.sha256 for one in adopted}
    sizes = {one.file.identity.size for one in adopted}
    candidates = waiting_files(layout, sizes)
    digests = hashed(candidates, lambda: False)
    return {
        digests[file.path]: file.identity for file in candidates if digests.get(file.path) in wanted
    }
