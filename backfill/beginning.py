"""A job is begun: its source looked at, its pictures listed, its model kept. Or it is found."""

import hashlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from imgsort.backfill import manifest
from imgsort.backfill.job import (
    FORMAT,
    Job,
    JobCard,
    ModelPin,
    being_made,
    differences,
    folder_of,
    found,
    write_card,
)
from imgsort.backfill.listing import ArchiveEntry, LeftOut, walked
from imgsort.backfill.manifest import Listed
from imgsort.backfill.pinned import keep_model, pin_of
from imgsort.backfill.ready_list import is_list, listed
from imgsort.backfill.remote import is_address
from imgsort.backfill.repeats import once, repeats
from imgsort.backfill.units import units_of
from imgsort.disk.display import display
from imgsort.errors import BackfillMisused, BackfillProblem, NothingToDo
from imgsort.models.serving import open_serving
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

_EACH = 10_000
Counting = Callable[[int], None]
"""Is told every now and then how many pictures are listed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job is to be."""

    source: str
    """A folder, a list, or an address, as it was typed."""
    name: str | None = None
    limit: int | None = None
    embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """A source that may be read."""

    place: str
    """Absolute, or an address."""
    is_list: bool

    @property
    def is_local(self) -> bool:
        return not is_address(self.place)


def archive_at(workspace: Workspace, source: str) -> Archive:
    """Raises BackfillProblem where there is none, BackfillMisused for the workspace's own."""
    named = source.removeprefix("file://")
    if is_address(named):
        return Archive(named.rstrip("/") if not is_list(named) else named, is_list(named))
    place = os.path.normpath(Path(named).absolute())
    path = Path(place)
    if not path.exists():
        raise BackfillProblem(
            f"{display(place)} doesn't exist; name a folder, a list or an address."
        )
    real = path.resolve()
    own = (*workspace.picture_folders, workspace.state, workspace.trash, workspace.backfill)
    inside = any(_is_in(real, folder.resolve()) for folder in own)
    if path.is_dir() and (inside or real == workspace.root.resolve()):
        raise BackfillMisused(
            f"{display(place)} is this workspace's own, and its pictures are sorted already; "
            f"`imgsort refile` shows what the active model would say of them."
        )
    return Archive(place, path.is_file())


def _is_in(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def name_of(wish: Wish, archive: Archive) -> str:
    """The same for the same words, so that the same command goes on. Pure."""
    if wish.name is not None:
        return wish.name
    last = archive.place.rstrip("/").rpartition("/")[2]
    slug = re.sub(r"[^A-Za-z0-9]+", "-", last).strip("-").lower()[:40] or "archive"
    told = f"{archive.place}\0{wish.limit}\0{wish.embeddings}"
    return f"{slug}-{hashlib.sha256(os.fsencode(told)).hexdigest()[:8]}"


def pictures_of(
    workspace: Workspace, archive: Archive, wish: Wish, seen: LeftOut, scratch: Path
) -> Iterator[ArchiveEntry]:
    """What is to be judged, each once."""
    readable = workspace.config.decode.suffixes
    own = (*workspace.picture_folders, workspace.state, workspace.backfill, workspace.root)
    seen.own = frozenset(os.fspath(folder) for folder in own)
    if not archive.is_list:
        entries = walked(archive.place, readable, seen)
    else:
        first = (one.path for one in listed(archive.place, readable, LeftOut()))
        doubles = repeats(first, scratch)
        seen.skipped["lines that name a picture again"] = len(doubles)
        entries = once(listed(archive.place, readable, seen), doubles)
    return entries if wish.limit is None else islice(entries, wish.limit)


def counted(entries: Iterable[ArchiveEntry], tell: Counting) -> Iterator[ArchiveEntry]:
    for number, entry in enumerate(entries, 1):
        if number % _EACH == 0:
            tell(number)
        yield entry


def begun(workspace: Workspace, wish: Wish, tell: Counting) -> Job:
    """The job of this wish: the one there is, or a new one.

    Raises BackfillProblem where the one there is was begun otherwise, NothingToDo where there is
    no picture.
    """
    archive = archive_at(workspace, wish.source)
    folder = folder_of(workspace, name_of(wish, archive))
    with Store.open(workspace.database, root=workspace.root) as store:
        pin = pin_of(workspace, store, open_serving(workspace, store, idle=True))
    workspace.backfill.mkdir(parents=True, exist_ok=True)
    with being_made(folder):
        before = found(folder)
        if before is None:
            return _made(workspace, wish, archive, folder, pin, tell)
    now = _card(workspace, wish, archive, pin, Listed(0, 0), LeftOut())
    if told := differences(before, now):
        raise BackfillProblem(
            f"The job {display(folder.name)} was begun otherwise ({'; '.join(told)}); go on as it "
            f"was, or begin another with --job."
        )
    return Job(folder, before)


def _made(  # noqa: PLR0913, PLR0917 - what a job is made of
    workspace: Workspace, wish: Wish, archive: Archive, folder: Path, pin: ModelPin, tell: Counting
) -> Job:
    seen = LeftOut()
    units = workspace.config.backfill.unit_images
    try:
        entries = counted(pictures_of(workspace, archive, wish, seen, folder), tell)
        made = manifest.written(folder / "manifest", entries, units)
        if not made.pictures:
            raise nothing_in(archive, seen)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    keep_model(workspace, folder, pin.version)
    (folder / "parts").mkdir(exist_ok=True)
    card = _card(workspace, wish, archive, pin, made, seen)
    write_card(folder, card)
    return Job(folder, card)


def nothing_in(archive: Archive, seen: LeftOut) -> NothingToDo:
    left = f" ({told})" if (told := in_words(seen.skipped)) else ""
    return NothingToDo(
        f"There is no picture in {display(archive.place)}{left}; name another folder or list."
    )


def in_words(skipped: "dict[str, int]") -> str:
    """What is not judged, as a list."""
    return ", ".join(f"{kind} ({number:,})" for kind, number in skipped.items() if number)


def _card(  # noqa: PLR0913, PLR0917 - what a card is made of
    workspace: Workspace, wish: Wish, archive: Archive, pin: ModelPin, made: Listed, seen: LeftOut
) -> JobCard:
    return JobCard(
        format=FORMAT,
        id=str(uuid.uuid4()),
        source=archive.place,
        limit=wish.limit,
        embeddings=wish.embeddings,
        unit_images=workspace.config.backfill.unit_images,
        pictures=made.pictures,
        size=made.size,
        skipped=dict(seen.skipped),
        closed=tuple(seen.closed),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        model=pin,
        decode=workspace.config.decode.model_dump(mode="json"),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """What a job would have to judge."""

    pictures: int
    size: int
    units: int
    skipped: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def counted_only(workspace: Workspace, archive: Archive, wish: Wish, tell: Counting) -> Counted:
    """List everything and keep nothing. Raises NothingToDo where there is no picture."""
    seen = LeftOut()
    pictures = size = 0
    with tempfile.TemporaryDirectory(prefix="imgsort-backfill-") as scratch:
        found = pictures_of(workspace, archive, wish, seen, Path(scratch))
        for entry in counted(found, tell):
            pictures += 1
            size += entry.size or 0
    if not pictures:
        raise nothing_in(archive, seen)
    units = units_of(pictures, workspace.config.backfill.unit_images)
    return Counted(pictures, size, units, dict(seen.skipped))
