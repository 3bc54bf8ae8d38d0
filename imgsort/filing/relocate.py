"""Bring logged pictures to other folders: one transaction plans them all, then they move.

The same journal and the same mover as for new arrivals; sidecars travel along.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from imgsort.filing.batch import WriteDown, run_batch
from imgsort.filing.errand import Done, Errand
from imgsort.filing.folders import Folders
from imgsort.filing.mover import Refusal
from imgsort.filing.refusals import why
from imgsort.filing.sidecar_listing import Companions
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


def run_errands(
    workspace: Workspace,
    store: Store,
    errands: Sequence[Errand],
    record: WriteDown,
    *,
    wait: bool = False,
) -> list[Done]:
    """As ``run_batch``, for files that lie in picture folders: each is looked at before it moves,
    and its sidecars are found."""
    companions = Companions.of_workspace(workspace)

    def prepare(errand: Errand, folders: Folders) -> Errand | Refusal:
        try:
            identity = folders.spot(errand.source).identity_of(errand.identity, errand.sha256)
        except OSError as problem:
            return Refusal(f"it can't be opened ({why(problem)})")
        if identity is None:
            return Refusal("it is no longer the picture that was logged")
        sidecars = companions.read(folders, errand.source, datetime.now(UTC))
        return replace(errand, identity=identity, sidecars=sidecars)

    return run_batch(workspace, store, errands, record, prepare=prepare, wait=wait)
