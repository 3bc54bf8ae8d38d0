"""What lies in an archive: a folder, or what fsspec knows (``s3://bucket/prefix``), walked once.

Names are kept byte for byte. Links are never followed, folders of other workspaces never entered.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from imgsort.backfill.remote import etag_of, file_system, is_address
from imgsort.disk.display import display
from imgsort.errors import BackfillProblem
from imgsort.reconcile.scan import LITTER_FOLDERS
from imgsort.workspace.workspace import is_workspace

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A picture of the archive, as far as it is known without opening it."""

    path: bytes
    """Absolute, or an address with its scheme."""
    size: int | None = None
    mtime_ns: int | None = None
    etag: str | None = None


@dataclass(slots=True)
class LeftOut:
    """What a walk left out, counted; shared by whoever walks."""

    skipped: Counter[str] = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    """Folders of this workspace, wherever they lie: not looked into."""

    def shut(self, folder: str) -> None:
        self.skipped["folders that can't be looked into"] += 1
        if len(self.closed) < _EXAMPLES:
            self.closed.append(display(folder))


def walked(source: str, readable: Collection[str], seen: LeftOut) -> Iterator[ArchiveEntry]:
    """Every picture below a folder or an address. Raises BackfillProblem where that can't be read.

    ``readable``: suffixes of pictures, lower case.
    """
    walk = _objects if is_address(source) else _files
    yield from walk(source, readable, seen)


def is_picture(name: str, readable: Collection[str]) -> bool:
    return PurePosixPath(name).suffix.lower() in readable


def _files(source: str, readable: Collection[str], seen: LeftOut) -> Iterator[ArchiveEntry]:
    waiting = [source]
    while waiting:
        folder = waiting.pop()
        below: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if (one := _file(entry, readable, seen, below)) is not None:
                        yield one
        except OSError as problem:
            if folder == source:
                raise BackfillProblem(
                    f"{display(source)} can't be read ({problem.strerror}); correct its owner or "
                    f"mode, or mount it."
                ) from None
            seen.shut(folder)
        waiting += sorted(below, reverse=True)


def _file(
    entry: "os.DirEntry[str]", readable: Collection[str], seen: LeftOut, below: list[str]
) -> ArchiveEntry | None:
    """A picture, or None; folders to look into go into ``below``."""
    if entry.is_symlink():
        seen.skipped["links"] += 1
    elif entry.is_dir(follow_symlinks=False):
        if entry.name.startswith((".", "~")) or entry.name.lower() in LITTER_FOLDERS:
            seen.skipped["hidden folders"] += 1
        elif entry.path in seen.own or is_workspace(entry.path):
            seen.skipped["folders of imgsort workspaces"] += 1
        else:
            below.append(entry.path)
    elif entry.name.startswith((".", "~")):
        seen.skipped["hidden files"] += 1
    elif not is_picture(entry.name, readable):
        seen.skipped["files that are no pictures by their names"] += 1
    elif not entry.is_file(follow_symlinks=False):
        seen.skipped["pipes, sockets and devices"] += 1
    else:
        with suppress(FileNotFoundError):  # gone again
            status = entry.stat(follow_symlinks=False)
            return ArchiveEntry(os.fsencode(entry.path), status.st_size, status.st_mtime_ns)
    return None


def _objects(source: str, readable: Collection[str], seen: LeftOut) -> Iterator[ArchiveEntry]:
    scheme = source.partition("://")[0]
    try:
        system = file_system(source)
        root = system._strip_protocol(source)  # fsspec has no other way to ask
        for _, _, files in system.walk(root, detail=True, on_error="raise"):
            for key, found in files.items():
                if not key or str(found["name"]).endswith("/"):
                    continue
                if not is_picture(key, readable):
                    seen.skipped["files that are no pictures by their names"] += 1
                    continue
                yield _object(scheme, found)
    except BackfillProblem:
        raise
    except Exception as problem:  # noqa: BLE001 - providers raise what they like
        raise unreadable(source, problem) from None


def _object(scheme: str, found: dict[str, Any]) -> ArchiveEntry:
    size = found.get("size")
    path = os.fsencode(f"{scheme}://{str(found['name']).lstrip('/')}")
    return ArchiveEntry(path, None if size is None else int(size), None, etag_of(found))


def unreadable(source: str, problem: Exception) -> BackfillProblem:
    """The provider's sentence, for a person."""
    said = display(" ".join(str(problem).split())) or type(problem).__name__
    return BackfillProblem(
        f"{display(source)} can't be read: {said.rstrip('.')}; check its name and your credentials."
    )
