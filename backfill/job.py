"""A job: its folder, its card (job.json), and the lock that keeps its runs apart."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from imgsort.backfill.units import Shard, size_of, units_of
from imgsort.disk.display import display
from imgsort.disk.durable import replace_file
from imgsort.errors import BackfillBusy, BackfillMisused, BackfillProblem
from imgsort.workspace.workspace import Workspace

FORMAT = 1
"""Of job.json; a file with a higher one was written by a newer imgsort."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_CARD = "job.json"


@dataclass(frozen=True, slots=True)
class ModelPin:
    """The model a job keeps from its first picture to its last."""

    version: int
    head: str
    """SHA-256 of its numbers."""
    backbone_id: str
    backbones: str
    """The folder that has the backbone, where it is seen."""
    device: str
    precision: str
    batch_size: int
    top_k: int
    confidence: float | None
    """``model.confidence``."""
    names: dict[str, str]
    """What its classes were called, by id."""
    retired: tuple[str, ...]
    """Ids of classes that nothing is filed under."""
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class JobCard:
    """job.json: written last, so that a job is whole or none."""

    format: int
    id: str
    """Of this job and no other, whatever its name."""
    source: str
    """As it was named; bytes that are no UTF-8 as ``os.fsdecode`` has them."""
    limit: int | None
    embeddings: bool
    unit_images: int
    pictures: int
    size: int
    """Bytes of all pictures, as far as the list tells."""
    skipped: dict[str, int]
    """What lies there and is not judged: how many of each kind."""
    closed: tuple[str, ...]
    """Folders that could not be looked into, the first few."""
    made_at: str
    """ISO 8601, UTC."""
    model: ModelPin
    decode: dict[str, Any]
    """The section ``[decode]`` of the time."""

    @property
    def units(self) -> int:
        return units_of(self.pictures, self.unit_images)

    def pictures_in(self, unit: int) -> int:
        return size_of(unit, self.pictures, self.unit_images)

    def rendered(self) -> bytes:
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    @classmethod
    def parsed(cls, text: bytes) -> Self:
        """Raises ValueError, TypeError or KeyError where the text is no such card."""
        table: dict[str, Any] = json.loads(text)
        if table["format"] > FORMAT:
            raise ValueError("a newer imgsort wrote it")
        pin = table["model"]
        pin |= {"retired": tuple(pin["retired"]), "thresholds": tuple(pin["thresholds"])}
        return cls(**{**table, "closed": tuple(table["closed"]), "model": ModelPin(**pin)})


@dataclass(frozen=True, slots=True)
class Job:
    """A job's folder and what its card says."""

    folder: Path
    card: JobCard

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest"

    @property
    def parts(self) -> Path:
        return self.folder / "parts"

    @property
    def failures(self) -> Path:
        return self.folder / "failed"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def backbones(self) -> Path:
        """A copy for machines that don't see the workspace's own."""
        return self.folder / "backbones"

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises BackfillProblem."""
        card = found(folder)
        if card is None:
            known = sorted(path.parent.name for path in folder.parent.glob(f"*/{_CARD}"))
            listed = f"there are {', '.join(known)}" if known else "there is none yet"
            raise BackfillProblem(f"There is no backfill job {display(folder.name)}; {listed}.")
        return cls(folder, card)


def found(folder: Path) -> JobCard | None:
    """The card in a job's folder; None where there is no job yet. Raises BackfillProblem."""
    path = folder / _CARD
    try:
        return JobCard.parsed(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError) as problem:
        raise BackfillProblem(
            f"{display(path)} can't be read ({problem}); remove the job's folder and begin anew."
        ) from None


def write_card(folder: Path, card: JobCard) -> None:
    """The job exists from here on."""
    replace_file(folder / _CARD, card.rendered())


def folder_of(workspace: Workspace, name: str) -> Path:
    """Raises BackfillMisused for what can't be a job's name."""
    if not _NAME.fullmatch(name):
        raise BackfillMisused(
            f"A job can't be called {name!r}; use letters, digits, dots, dashes and underscores."
        )
    return workspace.backfill / name


def differences(before: JobCard, now: JobCard) -> list[str]:
    """What a job was begun with and what it would go on with, where that is not the same. Pure."""
    old, new = before.model, now.model
    pairs = (
        ("the source", display(before.source), display(now.source)),
        ("--limit", before.limit, now.limit),
        ("--embeddings", before.embeddings, now.embeddings),
        ("the model", f"v{old.version}", f"v{new.version}"),
        ("the backbone", old.backbone_id, new.backbone_id),
        ("the precision", old.precision, new.precision),
    )
    told = [f"{what} was {was}, now {is_}" for what, was, is_ in pairs if was != is_]
    if not told and old.head != new.head:
        told.append(f"the numbers of model v{old.version} are others")
    if not told and (old.thresholds, old.names) != (new.thresholds, new.names):
        told.append("the model's thresholds or the names of its classes have changed")
    return told


@contextmanager
def held(folder: Path, shard: Shard) -> Iterator[None]:
    """Be the one run of a job, or of one shard of it. Raises BackfillBusy."""
    with ExitStack() as stack:
        whole = _opened(folder / "lock", stack)
        if shard.is_whole:
            _take(whole, fcntl.LOCK_EX, folder, "")
        else:
            _take(whole, fcntl.LOCK_SH, folder, " as a whole")
            own = _opened(folder / f"lock-{shard.number}-of-{shard.of}", stack)
            _take(own, fcntl.LOCK_EX, folder, f", shard {shard}")
        yield


@contextmanager
def being_made(folder: Path) -> Iterator[None]:
    """Wait to be the one that makes a job: the shards of an array all start at once."""
    with ExitStack() as stack:
        fcntl.flock(_opened(folder.with_name(f".{folder.name}.making"), stack), fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)
        yield


def _opened(path: Path, stack: ExitStack) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o664)
    stack.callback(os.close, descriptor)
    return descriptor


def _take(descriptor: int, how: int, folder: Path, what: str) -> None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackfillBusy(
            f"Another `imgsort backfill` is at the job {display(folder.name)}{what}; wait until it "
            f"is done."
        ) from None
