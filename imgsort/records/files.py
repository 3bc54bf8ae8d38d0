"""What lies in the picture folders, and what the log believes lies there: values, no disk.

Paths are absolute text as ``os.fsdecode`` gives it where they come by the hundred thousand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal, Self

from imgsort.disk.identity import Identity
from imgsort.images import READABLE_SUFFIXES
from imgsort.records.class_part import Reading, class_of_folder
from imgsort.records.journal import Decision
from imgsort.records.labels import NewLabel
from imgsort.workspace.template import UNKNOWN, split_name
from imgsort.workspace.workspace import Workspace

Room = Literal["class", "unsure", "rejected", "inbox", "astray"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies, as far as that says something about it."""

    room: Room
    """``astray``: outside, loose in sorted/, in a folder whose name can't be a class, or where it
    can't be told which folder is the class."""
    class_name: str | None = None
    """Set exactly when the room is ``class``. Folders nested in a class belong to it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The four picture folders as text, without a slash at the end."""

    inbox: str
    sorted: str
    unsure: str
    rejected: str
    readable: frozenset[str] = field(default=READABLE_SUFFIXES, kw_only=True)
    """Suffixes of the files that are pictures, lower case and with their dot."""
    reading: Reading | None = field(default=None, kw_only=True)
    """None: the class is the first folder below sorted/, whatever it is called. Else see
    ``store.layouts.layout_of``."""

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        folders = (str(folder) for folder in workspace.picture_folders)
        return cls(*folders, readable=workspace.config.decode.suffixes)

    def has_picture(self, path: str) -> bool:
        """Is it one by its name? A sidecar is none."""
        return suffix_of(path) in self.readable

    def place_of(self, path: str) -> Place:
        """The place of an absolute path."""
        if path.startswith(f"{self.sorted}/"):
            name = self._class_at(path)
            return Place("astray") if name is None else Place("class", name)
        if path.startswith(f"{self.unsure}/"):
            return Place("unsure")
        if path.startswith(f"{self.rejected}/"):
            return Place("rejected")
        return Place("inbox" if path.startswith(f"{self.inbox}/") else "astray")

    def folders_to(self, path: str) -> tuple[str, ...]:
        """The folders from sorted/ to a file in it; none for one that is loose, or elsewhere."""
        if not path.startswith(f"{self.sorted}/"):
            return ()
        way, slash, _ = path[len(self.sorted) + 1 :].rpartition("/")
        return tuple(way.split("/")) if slash else ()

    def class_folder(self, path: str) -> str | None:
        """The class's folder that a file lies in, absolute; one class may have several."""
        if self.place_of(path).class_name is None:
            return None
        folders = self.folders_to(path)
        part = self._class_part(folders)
        return None if part is None else "/".join((self.sorted, *folders[: part + 1]))

    def station_of(self, path: str) -> str:
        """The way in the inbox that a picture in a class folder would have come; ``""`` where its
        place doesn't tell."""
        if self.reading is None or not self.reading.tells_ways:
            return ""
        folders = self.folders_to(path)
        way = folders[: self._class_part(folders) or 0]
        known = way if self.reading.stations is None else takewhile(UNKNOWN.__ne__, way)
        return "/".join(known)

    def is_class_folder(self, folders: tuple[str, ...]) -> bool:
        """Would a picture right in it belong to a class for the last of these ``folders``?"""
        return self._class_part(folders) == len(folders) - 1

    def is_unclear(self, path: str) -> bool:
        """Does a file lie in folders of which nobody can tell which is its class?"""
        return (
            self.reading is not None
            and bool(self.folders_to(path))
            and self.place_of(path).class_name is None
        )

    def _class_at(self, path: str) -> str | None:
        if self.reading is None:
            folder, slash, _ = path[len(self.sorted) + 1 :].partition("/")
            return class_of_folder(folder) if slash else None
        folders = self.folders_to(path)
        part = self.reading.class_part(folders)
        return None if part is None else class_of_folder(folders[part])

    def _class_part(self, folders: tuple[str, ...]) -> int | None:
        return 0 if self.reading is None else self.reading.class_part(folders)


def suffix_of(path: str) -> str:
    """Lower case, with its dot."""
    return split_name(path.rpartition("/")[2])[1].lower()


@dataclass(frozen=True, slots=True)
class DiskFile:
    """One regular file as a scan saw it."""

    path: str
    identity: Identity
    changed_at: float
    """ctime, seconds of the wall clock: when it was written, renamed or copied last."""


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """A folder that pictures of a class lie in."""

    name: str
    """Its way below sorted/; of more than one part only where stations come first."""
    dev: int
    ino: int
    renamed: bool
    """Its ctime is later than its mtime: it was renamed after its content last changed. A folder
    that has just been made, perhaps with the inode of a removed one, has both alike."""

    @property
    def class_name(self) -> str | None:
        """None where it can't be a class by its name."""
        return class_of_folder(self.name.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one scan saw."""

    files: Mapping[str, DiskFile]
    """By path: sorted/, unsure/ and rejected/, but for files that were expected as they are."""
    inbox: tuple[DiskFile, ...]
    """Files that may have been sent back, once somebody has looked for them."""
    folders: tuple[ClassFolder, ...]
    unseen: tuple[str, ...]
    """Folders that couldn't be looked into: nothing below them may be called gone."""
    empty: tuple[str, ...]
    """Picture folders that hold no file at all."""
    devices: Mapping[str, int]
    """The device of each picture folder that was looked through."""
    taken_at: float
    """Seconds of the wall clock."""
    naked: tuple[str, ...] = ()
    """Mount points whose disk is away; they are among the unseen."""
    bare: tuple[str, ...] = ()
    """Folders with nothing in them but what is hidden."""
    steady: bool = True
    """Was no folder in sorted/ made, renamed or removed meanwhile? Otherwise a class's new name may
    have been seen with its files under the old one, as if it were another class."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """An arrival whose file has landed, and where it was last."""

    arrival_id: int
    location: str
    """Its absolute path as text."""
    identity: Identity
    sha256: str
    decision: Decision
    class_name: str | None
    """The class the model filed it into, by its present name; None if it filed it into none."""
    missing: bool

    @property
    def path(self) -> Path:
        return Path(self.location)

    @property
    def name(self) -> str:
        return self.location.rpartition("/")[2]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.identity.size


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class there is now, or one that was given up."""

    id: int
    name: str
    dev: int | None
    """Of its folder when that was last seen; None while there is none."""
    ino: int | None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A known file lies elsewhere, lies there again, or is the same under another identity."""

    known: KnownFile
    file: DiskFile
    label: NewLabel | None


@dataclass(frozen=True, slots=True)
class Edited:
    """A known file has other bytes in its place: its picture was changed, or exchanged."""

    known: KnownFile
    file: DiskFile
    sha256: str
    by_hand: Decision
    """What its place makes of a file that no model judged."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A file that a human put there: a new arrival without a prediction."""

    file: DiskFile
    sha256: str
    decision: Decision
    label: NewLabel | None
    found_again: bool = False
    """It was filed before, and only the log has lost it (restore, rebuild-db)."""
    filed_as: str | None = None
    """The class that such a file counts as filed into; nobody's word."""
    subfolder: str = ""
    """Of the station that it was put into, as if it had come from there."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """A known file that is nowhere in the picture folders; ``label`` if it was sent back."""

    known: KnownFile
    label: NewLabel | None


@dataclass(frozen=True, slots=True)
class Repathed:
    """A missing file of a renamed class: were it there, it would be here."""

    known: KnownFile
    path: str


@dataclass(frozen=True, slots=True)
class RenamedClass:
    """A class goes by another name from now on."""

    class_id: int
    old: str
    new: str
    folders: tuple[tuple[str, str], ...] = ()
    """Its folders before and after, absolute."""


@dataclass(frozen=True, slots=True)
class FolderSeen:
    """Which folder bears a class's name now."""

    name: str
    dev: int
    ino: int


@dataclass(frozen=True, slots=True)
class TreeChanges:
    """What the log has to learn from one look at the folders; one transaction."""

    renamed: tuple[RenamedClass, ...] = ()
    repathed: tuple[Repathed, ...] = ()
    moved: tuple[Moved, ...] = ()
    edited: tuple[Edited, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    vanished: tuple[Vanished, ...] = ()
    folders: tuple[FolderSeen, ...] = ()
    """Classes that are made if they don't exist."""
    restored: tuple[KnownClass, ...] = ()
    """Retired classes whose folder somebody made anew."""

    def __bool__(self) -> bool:
        return any(
            (
                *(self.renamed, self.repathed, self.moved, self.edited),
                *(self.adopted, self.vanished, self.folders),
            )
        )

    def labels(self) -> list[NewLabel]:
        """What the human said, in the order in which it was done."""
        placed: list[Moved | Adopted] = [*self.moved, *self.adopted]
        placed.sort(key=lambda one: one.file.changed_at)
        said = [*(one.label for one in self.vanished), *(one.label for one in placed)]
        return [label for label in said if label is not None]
