"""Walk the inbox, entry by entry, as far as the caller wants to go."""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import randrange

from imgsort.daemon.inbox.file_kinds import MAGIC_BYTES, FileKind, NameRules, looks_like_picture
from imgsort.daemon.inbox.left_over import kind_of
from imgsort.disk.composed import spellings
from imgsort.disk.identity import open_regular
from imgsort.filing.sidecars import RAW_SUFFIXES, is_sidecar, possible_owners
from imgsort.reconcile.scan import DEEPEST
from imgsort.workspace.template import split_name
from imgsort.workspace.workspace import is_workspace

EXAMPLES = 20
ORPHANS = 1000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(slots=True)
class Tally:
    """How many, and the first few by name."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)


@dataclass(slots=True)
class Survey:
    """What one walk of the inbox saw and left alone; names are ways down from the inbox."""

    ignored: int = 0
    """Litter, hidden files, and what watch.ignore names."""
    writing: int = 0
    """Names that programs give to files they have not finished."""
    unsupported: Tally = field(default_factory=Tally)
    kinds: Counter[str] = field(default_factory=Counter)
    """Of the unsupported, by what they are (``imgsort.daemon.inbox.left_over``)."""
    special: Tally = field(default_factory=Tally)
    """Links, pipes, sockets, devices and folders named like a picture."""
    closed: Tally = field(default_factory=Tally)
    """Folders that can't be looked into."""
    workspaces: Tally = field(default_factory=Tally)
    """Other workspaces, which their own daemons look after."""
    orphans: list[str] = field(default_factory=list)
    """Of the unsupported: sidecars, and camera RAW, whose picture isn't there (any more). Of more
    than ORPHANS another draw at each walk, so that each gets its turn."""
    complete: bool = False
    _orphans_seen: int = 0

    def add_orphan(self, way: str) -> None:
        self._orphans_seen += 1
        if len(self.orphans) < ORPHANS:
            self.orphans.append(way)
        elif (place := randrange(self._orphans_seen)) < ORPHANS:  # noqa: S311 - fair, not secret
            self.orphans[place] = way


@dataclass(frozen=True, slots=True)
class _Folder:
    descriptor: int
    path: str
    way: str
    """Down from the inbox, ending in a slash unless it is the inbox itself."""


@dataclass(slots=True)
class Walk:
    """Iterate over the paths of files that may be pictures, in no order. Links are never followed.

    Files that are removed or added meanwhile may or may not come up. Raises OSError when the inbox
    itself can't be listed.
    """

    inbox: Path
    names: NameRules
    survey: Survey

    def __iter__(self) -> Iterator[str]:
        yield from self._within(_Folder(os.open(self.inbox, _OPEN), f"{self.inbox}/", ""))
        self.survey.complete = True

    def _within(self, folder: _Folder) -> Iterator[str]:
        """Closes the folder's descriptor."""
        try:
            with os.scandir(folder.descriptor) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        yield from self._below(folder, entry.name)
                    elif self._is_wanted(folder, entry):
                        yield folder.path + entry.name
        finally:
            os.close(folder.descriptor)

    def _below(self, above: _Folder, name: str) -> Iterator[str]:
        way = above.way + name
        if not self.names.enters(name, above.way):
            self.survey.ignored += 1
            return
        if self.names.kind(name, above.way) is FileKind.PICTURE:
            self.survey.special.add(way)  # it stays a folder; the pictures in it are looked at
        if way.count("/") >= DEEPEST:
            self.survey.closed.add(way)
            return
        try:
            descriptor = os.open(name, _OPEN | os.O_NOFOLLOW, dir_fd=above.descriptor)
            if is_workspace(descriptor):
                os.close(descriptor)
                self.survey.workspaces.add(way)
                return
            yield from self._within(_Folder(descriptor, f"{above.path}{name}/", f"{way}/"))
        except FileNotFoundError:
            return
        except OSError:
            self.survey.closed.add(way)

    def _is_wanted(self, folder: _Folder, entry: "os.DirEntry[str]") -> bool:
        name = entry.name
        kind = self.names.kind(name, folder.way)
        if kind in {FileKind.PICTURE, FileKind.NAMELESS} and not entry.is_file(
            follow_symlinks=False
        ):
            self.survey.special.add(folder.way + name)
            return False
        if kind is FileKind.NAMELESS:
            kind = sniffed(Path(folder.path, name), self.inbox, self.names.readable)
        if kind is FileKind.UNSUPPORTED and not self._travels(folder, name):
            self.survey.unsupported.add(folder.way + name)
            self.survey.kinds[kind_of(name)] += 1
            if self._may_travel(name):
                self.survey.add_orphan(folder.way + name)
        elif kind is FileKind.WRITING and not name.startswith("."):
            self.survey.writing += 1
        elif kind in {FileKind.WRITING, FileKind.LITTER, FileKind.IGNORED}:
            self.survey.ignored += 1
        return kind is FileKind.PICTURE

    def _travels(self, folder: _Folder, name: str) -> bool:
        """Is it a sidecar whose picture is there?"""
        if not self._may_travel(name):
            return False
        possible = possible_owners(name, self.names.spellings)
        spelled = (form for one in possible for form in spellings(one))
        siblings = [one for one in spelled if _is_in(folder.descriptor, one)]
        return is_sidecar(name, siblings, self.names.sidecars, self.names.readable)

    def _may_travel(self, name: str) -> bool:
        suffix = split_name(name)[1].lower()
        return suffix in self.names.sidecars or suffix in RAW_SUFFIXES


def sniffed(path: Path, inbox: Path, readable: Collection[str] = ()) -> FileKind:
    """PICTURE or UNSUPPORTED, for a file whose name doesn't say."""
    start = b""
    with suppress(OSError):
        descriptor = open_regular(path, (inbox,))
        try:
            start = os.pread(descriptor, MAGIC_BYTES, 0)
        finally:
            os.close(descriptor)
    return FileKind.PICTURE if looks_like_picture(start, readable) else FileKind.UNSUPPORTED


def _is_in(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True
