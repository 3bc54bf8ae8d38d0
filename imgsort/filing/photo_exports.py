"""What photo exports call the JSON file of a picture. Pure: names in, names out.

Google Takeout writes ``IMG_1.jpg.supplemental-metadata.json`` since 2024 and ``IMG_1.jpg.json``
before, cuts the name after 46 characters, and puts the number of a doublet at the end:
``IMG_1.jpg.supplemental-metadata(1).json`` belongs to ``IMG_1(1).jpg``.
"""

import re
from collections.abc import Iterable

from imgsort.disk.composed import composed
from imgsort.workspace.template import split_name

SUFFIX = ".json"
_ADDED = ".supplemental-metadata"
_NUMBER = re.compile(r"\(\d+\)$")
_CUT_AFTER = 40
"""Characters; below that nothing was cut, whatever they count."""


def pictures_meant(stem: str) -> list[str]:
    """The pictures a JSON file may belong to; ``stem`` is its name without .json."""
    number = _NUMBER.search(stem)
    base = stem[: number.start()] if number else stem
    head, dot, added = base.rpartition(".")
    bases = [base]
    if dot and _ADDED.startswith(f".{added}"):
        bases.append(head)
    return [_numbered(one, number[0] if number else "") for one in bases]


def cut_short(stem: str, pictures: Iterable[str]) -> str | None:
    """The one picture whose name was too long for its JSON file to have all of it."""
    number = _NUMBER.search(stem)
    base = stem[: number.start()] if number else stem
    if len(base) < _CUT_AFTER:
        return None
    found = [
        picture
        for picture in pictures
        if _without(picture, number[0] if number else "").startswith(base)
    ]
    return found[0] if len(found) == 1 else None


def _numbered(picture: str, number: str) -> str:
    stem, suffix = split_name(picture)
    return f"{stem}{number}{suffix}"


def _without(picture: str, number: str) -> str:
    stem, suffix = split_name(picture)
    return composed(f"{stem.removesuffix(number)}{suffix}{_ADDED}")
