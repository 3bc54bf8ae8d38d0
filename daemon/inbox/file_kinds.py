"""What a name in the inbox says about its file, before anything is opened. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath

from imgsort.disk.composed import composed
from imgsort.reconcile.scan import LITTER_FOLDERS

LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "icon\r"})
BEING_WRITTEN = frozenset(
    {".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".!qb"}
)
MAGIC_BYTES = 16


class FileKind(Enum):
    """What becomes of a file, going by its name."""

    PICTURE = auto()
    NAMELESS = auto()
    """No suffix: its first bytes decide."""
    WRITING = auto()
    LITTER = auto()
    IGNORED = auto()
    """The user said so in watch.ignore."""
    UNSUPPORTED = auto()
    """Camera RAW, video, documents: not ours to read, left where it is and named in status."""


@dataclass(frozen=True, slots=True)
class NameRules:
    """The rules for names; ``ignore`` holds shell patterns, those with a slash match the whole way
    down from the inbox, others the bare name. A slash at the end means folders alone."""

    readable: Collection[str]
    """Suffixes of the files we read, lower case."""
    ignore: Sequence[str] = ()
    sidecars: Sequence[str] = ()
    """Suffixes of the files that travel with a picture, lower case."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """The suffixes we read as cameras and people write them."""
        return (*self.readable, *(suffix.upper() for suffix in self.readable))

    def kind(self, name: str, folder: str = "") -> FileKind:
        """Which kind ``name`` is of; ``folder`` is the way to it from the inbox, ending in a slash
        unless it is the inbox itself ("")."""
        lower = name.lower()
        if lower in LITTER or name.startswith("._"):
            return FileKind.LITTER
        suffix = PurePosixPath(lower).suffix
        if name.startswith((".", "~")) or suffix in BEING_WRITTEN:
            return FileKind.WRITING
        if self.ignore and self._ignored(name, folder):
            return FileKind.IGNORED
        if suffix in self.readable:
            return FileKind.PICTURE
        return FileKind.UNSUPPORTED if suffix else FileKind.NAMELESS

    def enters(self, name: str, folder: str = "") -> bool:
        """May a folder of this name be looked into? Hidden ones and litter may not."""
        if name.startswith((".", "~")) or name.lower() in LITTER_FOLDERS:
            return False
        return not (self.ignore and self._ignored(name, folder, is_folder=True))

    def reaches(self, relative: str) -> bool:
        """Would a walk from the inbox come by this file (a way down from the inbox)?"""
        *folders, _ = relative.split("/")
        ways = ("".join(f"{name}/" for name in folders[:depth]) for depth in range(len(folders)))
        return all(self.enters(name, way) for name, way in zip(folders, ways, strict=True))

    def _ignored(self, name: str, folder: str, *, is_folder: bool = False) -> bool:
        way, bare = composed(folder + name), composed(name)
        patterns = map(_Pattern.of, self.ignore)
        return any(one.fits(way, bare) for one in patterns if is_folder or not one.folders_only)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One of watch.ignore, as written but for its slashes at both ends."""

    text: str
    whole_way: bool
    folders_only: bool

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, written: str) -> "_Pattern":
        text = composed(written.removeprefix("./"))
        return cls(text.strip("/"), "/" in text.rstrip("/"), text.endswith("/"))

    def fits(self, way: str, bare: str) -> bool:
        return fnmatchcase(way if self.whole_way else bare, self.text)


def looks_like_picture(start: bytes, readable: Collection[str] = ()) -> bool:
    """Do a file's first ``MAGIC_BYTES`` bytes announce a format we read?

    Signatures as in the formats' own specifications; two letters, as BMP and Netpbm have them, are
    too weak a sign. ``readable``: suffixes, for the formats that are read on demand.
    """
    if start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return True
    if start.startswith((b"II*\0", b"MM\0*")):
        return True
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return True
    if start.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return ".jp2" in readable
    return start[4:8] == b"ftyp" and start[8:12] in {b"avif", b"heic", b"heix", b"mif1"}
