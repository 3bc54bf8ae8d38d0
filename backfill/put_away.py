"""Filing an archive's pictures by what a job said of them, as the daemon files its own."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from imgsort.backfill import parts
from imgsort.backfill.ingest import picture
from imgsort.backfill.job import Job
from imgsort.backfill.remote import is_address
from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.errors import BackfillMisused, BackfillProblem
from imgsort.filing import Candidate, Filer, InboxPicture, recover
from imgsort.images.outcome import Picture, Refused
from imgsort.models.registry import Registry
from imgsort.records.archive_pictures import ArchivePicture
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

FilingMode = Literal["move", "copy"]
MOST_UNASKED = 100_000
"""Pictures that are moved without --yes."""
_BATCH = 64


@dataclass(slots=True)
class PutAway:
    """What became of the files."""

    filed: int = 0
    known: int = 0
    """Copied before, or moved."""
    left: list[tuple[Path, str]] = field(default_factory=list)
    """Files that stayed, and why; the first few."""
    stayed: int = 0


def refuse_filing(source: str, mode: FilingMode, pictures: int, *, sure: bool) -> None:
    """Raise BackfillMisused where an archive can't be filed that way."""
    if is_address(source):
        raise BackfillMisused(
            f"Pictures behind an address can't be filed (--file {mode}); leave that out: they are "
            f"judged where they lie."
        )
    if mode == "move" and pictures > MOST_UNASKED and not sure:
        raise BackfillMisused(
            f"--file move would move {pictures:,} pictures out of {display(source)}; add --yes if "
            f"that is what you want."
        )


def put_away(
    workspace: Workspace, store: Store, job: Job, mode: FilingMode, tell: Callable[[int], None]
) -> PutAway:
    """File every picture of the job's parts that still is the file that was judged.

    Once each, whatever was killed before. Raises as ``run_batch``, and BadPart.
    """
    workspace.require_folders()
    recover(workspace, store)
    card = Registry(job.models).card(job.card.model.version)
    store.predictions.add_model(card)
    run_id = store.runs.begin("backfill")
    filing = workspace.config.filing.model_copy(update={"mode": mode})
    config = workspace.config.model_copy(update={"filing": filing})
    filer = Filer(replace(workspace, config=config), store, run_id)
    done = PutAway()
    try:
        for unit in sorted(parts.there(job.parts)):
            rows = parts.checked(
                job.parts, job.card.id, unit, job.card.pictures_in(unit)
            ).to_pylist()
            for start in range(0, len(rows), _BATCH):
                batch = [picture(row) for row in rows[start : start + _BATCH]]
                ready = list(_ready(workspace, job, batch, done))
                _file(store, filer, ready, done)
                tell(len(batch))
    finally:
        store.runs.end(run_id, f"{done.filed:,} pictures of {display(job.card.source)} filed")
    return done


def _file(store: Store, filer: Filer, ready: Sequence[InboxPicture], done: PutAway) -> None:
    copied = store.journal.known_copies([one.outcome.identity for one in ready])
    fresh = [one for one in ready if one.outcome.identity not in copied]
    done.known += len(ready) - len(fresh)
    if not fresh:
        return
    for one in filer.file(fresh):
        if one.paused is not None:
            raise BackfillProblem(
                f"{one.paused.folder} can't take pictures: {one.paused.reason}; then run the same "
                f"command again, what is filed already isn't filed twice."
            )
        if one.moved:
            done.filed += 1
        else:
            _left(done, one.errand.source, one.reason or "it could not be moved")


def _ready(
    workspace: Workspace, job: Job, batch: Sequence[ArchivePicture], done: PutAway
) -> Iterator[InboxPicture]:
    """Those whose file is the one that was judged, and lies in none of our own folders."""
    own = [folder.resolve() for folder in workspace.picture_folders]
    for one in batch:
        path = Path(os.fsdecode(one.path))
        if one.sha256 is None or is_address(os.fsdecode(one.path)):
            continue  # it was not read
        if any(folder in path.resolve().parents for folder in own):
            _left(done, path, "it lies in this workspace already")
            continue
        try:
            identity = Identity.of(path.lstat())
        except FileNotFoundError:
            done.known += 1
            continue
        except OSError as problem:
            _left(done, path, problem.strerror or str(problem))
            continue
        if (identity.size, identity.mtime_ns) != (one.size, one.mtime_ns):
            _left(done, path, "it changed since it was judged")
            continue
        yield _judged(job, one, path, identity)


def _left(done: PutAway, path: Path, reason: str) -> None:
    done.stayed += 1
    if len(done.left) < 10:  # noqa: PLR2004 - as many as a person reads
        done.left.append((path, reason))


def _judged(job: Job, one: ArchivePicture, path: Path, identity: Identity) -> InboxPicture:
    sha256 = one.sha256 or ""
    if one.facts is None:
        reason = "it can't be read" if one.reason is None else one.reason.sentence
        outcome: Picture | Refused = Refused(path, identity, sha256, reason)
    else:
        outcome = Picture(path, identity, sha256, one.facts, np.empty((0, 0, 3), np.uint8))
    below = Path(job.card.source) in path.parents
    folder = os.path.relpath(path.parent, job.card.source) if below else "."
    inside = b"" if folder == "." else os.fsencode(folder)
    return InboxPicture(
        Candidate(path, inside, datetime.now(UTC), time.monotonic()),
        outcome,
        one.verdict,
        None if one.verdict is None else job.card.model.version,
    )
