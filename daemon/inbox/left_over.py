"""What `run` leaves in the inbox for its kind, told by its name. Pure."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from imgsort.filing.sidecars import RAW_SUFFIXES
from imgsort.images.optional_formats import format_of
from imgsort.images.optional_formats import told as more_told

_VIDEO = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".mts", ".m2ts", ".webm", ".wmv", ".mpg", ".mpeg",
     ".3gp", ".asf", ".flv", ".vob"}
)  # fmt: skip
_NOUNS = {"video": ("video", "videos"), "raw": ("RAW", "RAW"), "other": ("other", "others")}


def kind_of(name: str) -> str:
    """``video``, ``raw`` (of a camera), ``other``, or what decode.more_formats may name."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in _VIDEO:
        return "video"
    return format_of(suffix) or ("raw" if suffix in RAW_SUFFIXES else "other")


def told(kinds: Mapping[str, int]) -> str:
    """``2 videos, 1 RAW``, and how to have the rest read where that is possible."""
    listed = [
        f"{kinds[kind]:,} {one if kinds[kind] == 1 else several}"
        for kind, (one, several) in _NOUNS.items()
        if kinds.get(kind)
    ]
    more = more_told(kinds)
    return ", ".join([*listed, more] if more else listed)
