"""File batches of judged pictures: decide where each goes, then bring it there."""

from collections.abc import Sequence

from imgsort.filing.batch import run_batch
from imgsort.filing.destination import Numbers
from imgsort.filing.errand import Done
from imgsort.filing.folders import Folders
from imgsort.filing.inbox_picture import InboxPicture
from imgsort.filing.planning import errand
from imgsort.filing.sidecar_listing import Companions, Sidecar
from imgsort.records.journal import Plan, Planned
from imgsort.records.labels import HumanLabel
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


class Filer:
    """Files batches for one run. Not to be shared by threads; other processes may file as well."""

    def __init__(self, workspace: Workspace, store: Store, run_id: int) -> None:
        self._workspace = workspace
        self._store = store
        self._run_id = run_id
        self._companions = Companions.of_workspace(workspace)
        self._numbers = Numbers()

    def file(self, batch: Sequence[InboxPicture]) -> list[Done]:
        """File what can be filed; the answers keep the order. Raises as ``run_batch``."""
        labels = self._labels(batch)
        errands = [
            errand(self._workspace, picture, sidecars, labels.get(picture.outcome.sha256))
            for picture, sidecars in zip(batch, self._sidecars(batch), strict=True)
        ]
        return run_batch(self._workspace, self._store, errands, self._record, numbers=self._numbers)

    def _labels(self, batch: Sequence[InboxPicture]) -> dict[str, HumanLabel]:
        """What people have said of these contents before, in classes that there are."""
        labels = self._store.labels.current({picture.outcome.sha256 for picture in batch})
        live = self._store.classes.names() if labels else {}
        return {
            sha256: label
            for sha256, label in labels.items()
            if label.class_id is None or label.class_id in live
        }

    def _sidecars(self, batch: Sequence[InboxPicture]) -> list[tuple[Sidecar, ...]]:
        """Hashed before the lock is taken."""
        candidates = (picture.candidate for picture in batch)
        with Folders(self._workspace.picture_folders) as folders:
            return [self._companions.read(folders, one.path, one.arrived_at) for one in candidates]

    def _record(self, plans: Sequence[Plan]) -> Sequence[Planned]:
        return self._store.journal.record_decided(self._run_id, plans) if plans else ()
