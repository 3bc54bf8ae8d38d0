"""filing.template of config.toml: where below sorted/ a picture goes, as a line such as
``{label}/{year}/{name}`` or ``{folder1}/{label}/{name}``.
"""

import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Self

LONGEST_NAME = 255
"""Bytes of one file or folder name (NAME_MAX on Linux)."""
UNKNOWN = "unknown"

_TOKENS = (
    *("label", "name", "stem", "ext"),
    *("year", "month", "day", "date"),
    *("camera", "confidence", "subfolder"),
    *(f"folder{depth}" for depth in range(1, 10)),
)
_DATES = {"year": "%Y", "month": "%m", "day": "%d", "date": "%Y-%m-%d"}
_PIECE = re.compile(r"\{(\w*)\}")
SUBFOLDER = "{subfolder}"
_LABEL = "{label}"
_STATION = re.compile(r"\{(?:subfolder|folder[1-9])\}")
_LISTED = " ".join(f"{{{token}}}" for token in _TOKENS[: _TOKENS.index("folder1") + 1])
# Longer than any real suffix; what follows the last dot of a sentence is no suffix.
_LONGEST_SUFFIX = 32


class BadTemplate(ValueError):
    """The template can't be used; str() is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template; ``parts`` are its folders below sorted/ and, last, the file name."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check ``text``. Raises BadTemplate."""
        parts = tuple(text.split("/"))
        _check_order(parts)
        for part in parts:
            _check(part)
        last = parts[-1]
        if not (last.endswith("{name}") or ("{stem}" in last and last.endswith("{ext}"))):
            raise _refusal("must end with {name}, or with {stem} and then {ext}")
        return cls(parts)

    @property
    def before(self) -> tuple[str, ...]:
        """What stands before the class's folder: tokens of the station, a folder each, or none."""
        return self.parts[: self.parts.index(_LABEL)]

    @property
    def after(self) -> tuple[str, ...]:
        """The folders below the class's."""
        return self.parts[len(self.before) + 1 : -1]

    def render(  # noqa: PLR0913 - every one of them can be a token
        self,
        *,
        label: str,
        name: bytes | str,
        arrived_at: datetime,
        captured_at: str | None,
        camera: str | None,
        confidence: float,
        subfolder: bytes | str = "",
    ) -> PurePath:
        """The path relative to sorted/. ``captured_at`` is ISO 8601 without a zone, from EXIF.
        ``subfolder`` is the way from the inbox to the picture's folder; as a part of its own it
        makes as many folders as it has, none for a picture right in the inbox.

        Nothing untrusted can leave its part: no part is empty, ``.`` or ``..``, begins with a dot,
        holds a slash or NUL, or is longer than LONGEST_NAME bytes. ``label`` must have passed
        ``class_names.checked_label`` and stands as it is.
        """
        picture = _Tokens(label, os.fsdecode(name), arrived_at, captured_at, camera, confidence)
        way = [each for each in os.fsdecode(subfolder).split("/") if each]
        folders: list[str] = []
        for part in self.parts:
            whole = [_PIECE.sub(lambda found: picture.value(found[1], way), part)]
            folders += way if part == SUBFOLDER else whole
        return PurePath(
            *(folder_name(folder) for folder in folders[:-1]), fitted(_plain(folders[-1]))
        )


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What tokens stand for in one picture's path; found out only for those that the template has,
    for there is a path to be made for every picture."""

    label: str
    name: str
    arrived_at: datetime
    captured_at: str | None
    camera: str | None
    confidence: float

    def value(self, token: str, way: list[str]) -> str:  # noqa: PLR0911 - a token each
        """``way``: the folders from the inbox to the picture's."""
        match token:
            case "label":
                return self.label
            case "name":
                return self.name
            case "stem":
                return split_name(self.name)[0]
            case "ext":
                return split_name(self.name)[1]
            case "camera":
                return _printable(self.camera or "")
            case "confidence":
                return f"{self.confidence:.2f}"
            case "subfolder":
                return "_".join(way) or UNKNOWN
        if token in _DATES:
            return f"{_day(self.captured_at) or self.arrived_at:{_DATES[token]}}"
        depth = int(token.removeprefix("folder"))
        return way[depth - 1] if depth <= len(way) else UNKNOWN


def split_name(name: str) -> tuple[str, str]:
    """Stem and suffix (with its dot, or "") of a file name, at its last dot."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem.strip(".") or len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        return name, ""
    return stem, dot + suffix


def fitted(name: str, insert: str = "", longest: int = LONGEST_NAME, tail: int = 0) -> str:
    """The name with ``insert`` before its suffix, the stem cut so that it has room.

    ``longest`` is in bytes; ``tail`` is the longest suffix that will follow the same stem.
    """
    stem, ext = split_name(name)
    room = longest - len(os.fsencode(insert)) - max(tail, len(os.fsencode(ext)))
    return cut(stem, room) + insert + ext


def cut(text: str, longest: int) -> str:
    """``text`` or as many of its first characters as have ``longest`` bytes.

    A byte that is not UTF-8 (a lone surrogate here) counts as a character.
    """
    if len(text) * 4 <= longest or len(os.fsencode(text)) <= longest:
        return text
    size = 0
    for position, character in enumerate(text):
        size += len(os.fsencode(character))
        if size > longest:
            return text[:position]
    return text


def plain_name(name: str) -> str:
    """A file's own name as it may stand below unsure/ or rejected/: unchanged, but never hidden."""
    return fitted(_plain(name))


def folder_name(text: str) -> str:
    """What a folder is called that a token such as ``{folder1}`` made of ``text``."""
    # {name} or {ext} may stand in a folder's part too.
    return cut(_plain(text.strip(" .")), LONGEST_NAME)


def _check_order(parts: tuple[str, ...]) -> None:
    """The class's folder comes first, or right after the station's."""
    if not _STATION.fullmatch(parts[0]):
        if parts[0] != _LABEL or len(parts) == 1:
            raise _refusal("must begin with {label}/")
        return
    if _LABEL not in parts[:-1]:
        raise _refusal(f"begins with {parts[0]}/ and has no {{label}}/ behind it")
    at = parts.index(_LABEL)
    for part in parts[:at]:
        if not _STATION.fullmatch(part):
            raise _refusal(
                f"has {part!r} before {{label}}/, where only {{subfolder}}, or {{folder1}}, "
                f"{{folder2}}… can stand"
            )
    if SUBFOLDER in parts[:at] and (at > 1 or SUBFOLDER in parts[at:]):
        raise _refusal(
            "has other folders of the station beside {subfolder}/{label}/, so that it could not be "
            "told which folder is the class"
        )


def _check(part: str) -> None:
    for token in _PIECE.findall(part):
        if token not in _TOKENS:
            raise _refusal(f"has the unknown token {{{token}}}")
    literal = _PIECE.sub("x", part)
    if "{" in literal or "}" in literal:
        raise _refusal("has an unbalanced brace")
    if part.strip() in {"", ".", ".."}:
        raise _refusal(f"has {part!r} for a folder or file name")
    if part.startswith("."):
        raise _refusal(f"has {part!r}, which begins with a dot and would be hidden")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in part):
        raise _refusal("has an invisible character")


def _refusal(problem: str) -> BadTemplate:
    return BadTemplate(f"the template {problem}; the tokens are {_LISTED}")


def _day(captured_at: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(captured_at) if captured_at else None
    except ValueError:
        return None


def _printable(text: str) -> str:
    shown = "".join(
        "_" if unicodedata.category(letter)[0] == "C" or letter in "/\\" else letter
        for letter in text
    )
    return shown.strip(" .") or UNKNOWN


def _plain(text: str) -> str:
    """One part of a path, never hidden: ours are the names that begin with a dot."""
    text = text.replace("/", "_").replace("\0", "_")
    if not text:
        return UNKNOWN
    return f"_{text}" if text.startswith(".") else text
