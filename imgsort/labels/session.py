"""One invocation in which a person speaks of pictures: an open log, a run, folders caught up."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.filing.errand import Applied
    from imgsort.records.labels import NewLabel
    from imgsort.store import Store
    from imgsort.store.lookup import Meant, Name, Unmatched

_PATIENCE_SECONDS = 3.0
"""New files are believed after two; copies need half a minute, nobody should wait for those."""


@dataclass(slots=True)
class CommandSession:
    workspace: Workspace
    store: "Store"
    run_id: int
    newest: int
    """The newest arrival when the command began; what was filed since, nobody has seen."""
    summary: str = "nothing was done"
    """What the run did, for the log."""

    def find(self, names: "Sequence[Name]") -> "list[Meant | Unmatched]":
        from imgsort.store.lookup import Finder

        return Finder(self.workspace, self.store, Path.cwd()).find(names)

    def put(self, labels: "Sequence[NewLabel]", repeated: "Sequence[NewLabel]" = ()) -> "Applied":
        """Write labels down and move their files, and those of the ``repeated``, which hold."""
        from imgsort.labels.apply import put_labels

        return put_labels(self.workspace, self.store, self.run_id, labels, repeated)


@contextmanager
def session(
    workspace: Workspace, kind: str, tell: Callable[[str], None]
) -> Iterator[CommandSession]:
    """Open the log, learn what was moved by hand, and end the run whatever happens.

    ``tell`` is given what was learned, a sentence each.
    """
    from imgsort.filing import recover
    from imgsort.filing.xmp_renewal import renewing
    from imgsort.store import Store

    workspace.require_folders()
    with Store.open(workspace.database, root=workspace.root) as store:
        if store.journal.unfinished():
            recover(workspace, store)  # an earlier command, or the daemon, was killed at it
        newest = store.lists.newest()
        now = CommandSession(workspace, store, store.runs.begin(kind), newest)
        try:
            _catch_up(now, tell)
            with renewing(workspace, store):
                yield now
        finally:
            store.runs.end(now.run_id, now.summary)


def _catch_up(now: CommandSession, tell: Callable[[str], None]) -> None:
    """Learn what was moved by hand; files that were put there a moment ago need that moment."""
    from imgsort.reconcile.apply import apply_reconcile

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        seen = apply_reconcile(now.workspace, now.store, now.run_id)
        if seen.learned:
            tell(f"Learned from the folders first: {seen}.")
        if not seen.waiting or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    if seen.waiting:
        tell(
            f"{seen.waiting:,} files were put there only now and aren't known yet; in half a "
            f"minute they are."
        )
    for notice in seen.notices:
        tell(notice)
