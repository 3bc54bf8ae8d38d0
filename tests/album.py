"""A workspace without a daemon: pictures get where the tests want them, and into the log."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.reconcile.apply import ReconcileSummary, reconcile_folders
from imgsort.records.journal import Arrival, Landed, Plan
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace
from tests.logbook import FACTS, NOON, new_store, verdict

LONG_AGO = 1_600_000_000


@dataclass(frozen=True)
class Album:
    """A workspace without a daemon: pictures get where the tests want them, and into the log."""

    workspace: Workspace
    store: Store

    @property
    def sorted(self) -> Path:
        return self.workspace.sorted

    def filed(
        self,
        name: str,
        said: str = "cat",
        content: bytes | None = None,
        *,
        landed: bool = True,
        moved_from: Path | None = None,
        facts: ImageFacts = FACTS,
    ) -> Path:
        """A picture that the daemon filed under ``said``, or put into unsure/ or rejected/;
        ``landed``: and that the log has."""
        judged: Verdict | None = verdict(said, 0.9)
        folder = self.sorted / said
        if said == "unsure":
            judged, folder = verdict("cat", 0.4), self.workspace.unsure
        elif said == "rejected":
            judged, folder = None, self.workspace.rejected
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if moved_from is not None:
            moved_from.rename(path)
        else:
            path.write_bytes(content or f"picture {name}".encode())
            os.utime(path, (LONG_AGO, LONG_AGO + len(name)))
        plan = Plan(
            source=self.workspace.inbox / name,
            target=path,
            identity=Identity.of(path.stat()),
            sha256=sha256(path),
            mode="move",
            cause="file",
            arrival=Arrival(
                name=name.encode(),
                subfolder=b"",
                arrived_at=NOON,
                decision=judged.decision if judged else "rejected",
                reason=judged.reason if judged else "the file is cut short",
                facts=facts,
                verdict=judged,
                model=1 if judged else None,
            ),
        )
        planned = self.store.journal.record_decided(self.store.runs.begin("run"), [plan])[0]
        if landed:
            self.store.journal.mark_landed([Landed(planned.move_id, path, plan.identity, NOON)])
        return path

    def look(self, **options: bool) -> ReconcileSummary:
        return reconcile_folders(self.workspace, self.store, None, **options)  # type: ignore[arg-type]

    def words(self) -> dict[str, str]:
        """The newest word on each file that is in the log and there, by its path in sorted/."""
        current = self.store.labels.current()
        root = self.workspace.root
        return {
            str(one.path.relative_to(root)): current[one.sha256].class_name
            or current[one.sha256].kind
            for one in self.store.files.known()
            if one.sha256 in current and not one.missing
        }

    def paths(self) -> set[str]:
        """Where the log believes files are."""
        return {
            str(one.path.relative_to(self.workspace.root))
            for one in self.store.files.known()
            if not one.missing
        }

    def tree(self) -> set[str]:
        folders = self.workspace.picture_folders[1:]
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.workspace.root)) for path in files}


@contextmanager
def new_album(root: Path) -> Iterator[Album]:
    workspace = Workspace(root, Config())
    for folder in workspace.picture_folders:
        folder.mkdir(parents=True)
    with new_store(workspace.root) as store:
        yield Album(workspace, store)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
