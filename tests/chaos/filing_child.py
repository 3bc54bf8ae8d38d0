"""Files a batch, or recovers, in a process that may die at a fail point.

``forks`` tells how it is ordered to.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import Identity
from imgsort.filing import Candidate, Filer, InboxPicture, mover, place, recover
from imgsort.filing import no_replace as renaming
from imgsort.filing.folders import Spot
from imgsort.images import ImageFacts
from imgsort.images.outcome import Picture, Refused
from imgsort.records.journal import Plan, Planned
from imgsort.records.model_card import ClassEntry, ModelCard
from imgsort.records.verdict import Score, Verdict, shortfall
from imgsort.store import Store, engine
from imgsort.store.journal import JournalTopic
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace
from tests.chaos.forks import serve

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
INTRUDER = b"somebody else's file"
FACTS = ImageFacts(8, 8, "JPEG", None, None, 0)
PIXELS = np.zeros((1, 1, 3), np.uint8)


def make_database(path: Path) -> None:
    """An empty log that knows model 1 and its classes."""
    migrate(path)
    with Store.open(path, root=path.parent, checkpointer=True) as store:
        classes = store.classes.ensure(("cat", "dog"))
        entries = tuple(ClassEntry(number, name) for name, number in classes.items())
        store.predictions.add_model(
            ModelCard(
                version=1,
                kind="imagenet",
                backbone="none",
                backbone_id="none",
                precision="float32",
                classes=entries,
                temperature=1.0,
                thresholds=(0.7, 0.7),
                metrics={},
                parent=None,
                created_at=NOW.isoformat(),
                checksums={},
            )
        )


def file_inbox(workspace: Workspace, store: Store, *, troubled: bool) -> None:
    """File what is in the inbox and wasn't copied before.

    ``troubled``: one picture has changed since it was judged, another's place is taken by somebody
    between the plan and the move.
    """
    filer = Filer(workspace, store, store.runs.begin("run"))
    found = sorted(path for path in workspace.inbox.rglob("*.jpg"))
    identities = {path: Identity.of(path.stat()) for path in found}
    copied = store.journal.known_copies(identities.values())
    fresh = {path: identity for path, identity in identities.items() if identity not in copied}
    batch = [_judged(workspace, path, identity) for path, identity in fresh.items()]
    if troubled:
        batch = [_stale(judged) for judged in batch]
        store.journal.record_decided = _with_intruder(store)  # type: ignore[method-assign]
    filer.file(batch)


def _judged(workspace: Workspace, path: Path, identity: Identity) -> InboxPicture:
    """What a picture shows is what its content says."""
    content = path.read_bytes()
    sha256, word = hashlib.sha256(content).hexdigest(), content.split()[0].decode()
    subfolder = os.fsencode(path.parent.relative_to(workspace.inbox)).replace(b".", b"")
    candidate = Candidate(path, subfolder, NOW, 0.0)
    if word == "broken":
        return InboxPicture(candidate, Refused(path, identity, sha256, "the file is cut short"))
    unsure = word == "unsure"
    verdict = Verdict(
        label="cat" if unsure else word,
        confidence=0.4 if unsure else 0.9,
        decision="unsure" if unsure else "filed",
        doubt=shortfall(0.4, 0.7) if unsure else None,
        top_k=(Score("cat", 0.4), Score("dog", 0.1)),
    )
    return InboxPicture(candidate, Picture(path, identity, sha256, FACTS, PIXELS), verdict, 1)


def _stale(judged: InboxPicture) -> InboxPicture:
    outcome = judged.outcome
    if outcome.path.name != "changed.jpg" or not isinstance(outcome, Picture):
        return judged
    before = Identity(outcome.identity.dev, outcome.identity.ino, outcome.identity.size, 1)
    picture = Picture(outcome.path, before, outcome.sha256, FACTS, PIXELS)
    return replace(judged, outcome=picture)


def _with_intruder(store: Store) -> Any:
    record_decided = store.journal.record_decided

    def recorded(run_id: int, plans: Sequence[Plan]) -> list[Planned]:
        planned = record_decided(run_id, plans)
        for one in planned:
            if one.source.name == "contested.jpg" and not one.target.exists():
                one.target.write_bytes(INTRUDER)
        return planned

    return recorded


def _refusing(number: int) -> Callable[[Spot, Spot], None]:
    def refuse(source: Spot, target: Spot) -> None:
        raise OSError(number, os.strerror(number), source.name, None, target.name)

    return refuse


def _take_away(way: str) -> None:
    """Be a file system that can't do everything."""
    if way.endswith(("no-noreplace", "no-links")):
        vars(renaming)["rename_noreplace"] = _refusing(errno.EINVAL)
    if way.endswith("no-links"):
        vars(renaming)["link"] = _refusing(errno.EPERM)
    if way == "only-copies":
        rename, refuse = renaming.rename_noreplace, _refusing(errno.EXDEV)

        def renamed_within(source: Spot, target: Spot) -> None:
            (rename if source.folder is target.folder else refuse)(source, target)

        renaming.rename_noreplace = renamed_within


def _break(variant: str) -> None:
    """Take away what protects the pictures, so that the tests can show that they would notice."""
    if variant == "no-content-fsync":
        vars(mover)["make_durable"] = lambda _files: None
    elif variant == "unsynced-log":
        connect = engine.connect

        def careless(*args: Any, **options: Any) -> Any:
            connection = connect(*args, **options)
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection

        vars(engine)["connect"] = careless
    elif variant == "moved-before-recorded":
        JournalTopic.record_decided = _moved_first  # type: ignore[method-assign, assignment]
    elif variant == "forgetful-copy":
        vars(place)["copy"] = _half_copied


def _moved_first(_journal: JournalTopic, _run_id: int, plans: Sequence[Plan]) -> list[Planned]:
    for plan in plans:
        plan.target.parent.mkdir(exist_ok=True)
        plan.source.rename(plan.target)
        failpoint("moved-unrecorded")
    return []


def _half_copied(descriptor: int, expected: Identity, _sha256: str, target: Spot) -> Identity:
    """A copy under its final name from the first byte on, never synced."""
    with target.path.open("xb") as copied:
        copied.write(os.pread(descriptor, expected.size // 2, 0))
        copied.flush()
        failpoint("part-half")
        copied.write(os.pread(descriptor, expected.size, expected.size // 2))
    return Identity.of(target.path.stat())


def act(order: dict[str, Any]) -> None:
    root = Path(order["root"])
    if order["action"] == "make-database":
        make_database(root / "imgsort.db")
        return
    _take_away(order["way"])
    _break(order["broken"])
    os.environ["IMGSORT_FAILPOINT"] = order["failpoint"]
    workspace = Workspace.open(root)
    with Store.open(workspace.database, root=root, checkpointer=True) as store:
        if order["action"] == "recover":
            recover(workspace, store)
        else:
            file_inbox(workspace, store, troubled=order["action"] == "file-troubled")


if __name__ == "__main__":
    serve(act)
