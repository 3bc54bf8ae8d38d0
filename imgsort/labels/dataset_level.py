"""At which level of an unpacked data set do the class folders lie?

Archives put a folder around it, perhaps twice, and divide it by purpose before they divide it by
class. Where two levels could be the classes the folder is refused: a class called images that
holds everything would be labels that judge models.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.reconcile.scan import LITTER_FOLDERS

_SPLIT = re.compile(
    r"(?:.*[^a-z])?(?:train(?:ing|val)?|val(?:id|idation)?|test(?:ing)?|dev|eval(?:uation)?|holdout)"
    r"(?:[^a-z]*(?:data|set|split|image|img|picture|photo|part|fold)s?)*[^a-z]*"
)
_NO_CLASS = re.compile(
    r"(?:.*[^a-z])?(?:data|dataset|image|img|pic|picture|photo|jpe?g|png|raw|download|class|"
    r"categorie|archive|all)(?:e?s|set|sets)?[^a-z]*"
)
_DEEPEST = 8

Suffixes = Collection[str]


class BadDataSet(ImgsortError):
    """The folder is no data set; it needs one folder of pictures for each class."""


def tops_of(folder: Path, readable: Suffixes) -> list[Path]:
    """The folders right in which the class folders lie. Raises BadDataSet where that isn't clear.

    More than one: train, val and test, by these or similar names. ``readable``: suffixes of
    pictures.
    """
    return _below(folder, _DEEPEST, readable)


def _below(folder: Path, depth: int, readable: Suffixes) -> list[Path]:
    bearers = [one for one in subfolders(folder) if holds_pictures(one, readable)]
    closed = [one for one in bearers if next(pictures(one, readable, deep=False), None) is None]
    splits = [one for one in closed if is_split(one.name)]
    if splits and len(splits) < len(bearers):
        other = next(one for one in bearers if one not in splits)
        raise BadDataSet(
            f"{folder} has {splits[0].name} beside {other.name}, so it isn't clear which folders "
            f"are classes; import {splits[0]} by itself."
        )
    if depth and splits:
        return [top for split in splits for top in _below(split, depth - 1, readable)]
    if depth and len(bearers) == len(closed) == 1 and _is_wrapper(folder, closed[0], readable):
        return _below(closed[0], depth - 1, readable)
    nameless = [one for one in bearers if is_split(one.name) or len(bearers) == 1]
    if nameless and all(names_no_class(one.name) for one in bearers):
        listed = " and ".join(one.name for one in bearers[:3])
        raise BadDataSet(
            f"{folder} has only {listed}, which names no class; import a folder that has one "
            f"folder for each class."
        )
    if bearers == closed:
        _require_one_meaning(folder, closed)
    return [folder]


def is_split(name: str) -> bool:
    """train, val, test and what data sets make of these words."""
    return _SPLIT.fullmatch(name.casefold()) is not None


def names_no_class(name: str) -> bool:
    """images, dataset: a word for what the whole is."""
    return is_split(name) or _NO_CLASS.fullmatch(name.casefold()) is not None


def _is_wrapper(folder: Path, only: Path, readable: Suffixes) -> bool:
    """The only folder there: put around the data set by who packed it?"""
    inner = [one.name for one in subfolders(only) if holds_pictures(one, readable)]
    named_so = names_no_class(only.name) or only.name.casefold() == folder.name.casefold()
    return named_so or (bool(inner) and all(names_no_class(name) for name in inner))


def _require_one_meaning(folder: Path, closed: list[Path]) -> None:
    """Folders that hold only folders: are these the classes, or those below them?

    A date or a number below is no class, and what is below one alone of several divides that one.
    """
    below = {
        one: {each.name for each in subfolders(one) if re.search(r"[^\W\d_]", each.name)}
        for one in closed
    }
    if not closed:
        return
    counts = Counter(name for names in below.values() for name in names)
    shared = [name for name, count in counts.items() if count > 1]
    alone = len(closed) == 1 and len(below[closed[0]]) > 1
    if alone or shared:
        first, names = closed[0], sorted(shared or below[closed[0]])
        raise BadDataSet(
            f"{folder} could have {first.name} for a class, or {' and '.join(names[:2])} in it; "
            f"import {first} if it holds the classes, else put the pictures of each class right "
            f"into its folder."
        )


def holds_pictures(folder: Path, readable: Suffixes) -> bool:
    return next(pictures(folder, readable, deep=True), None) is not None


def subfolders(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.is_symlink() and not _is_litter(entry.name)
    )


def pictures(folder: Path, readable: Suffixes, *, deep: bool) -> Iterator[Path]:
    """Links aren't followed; hidden files and folders are none of ours."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if deep and not _is_litter(name))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in readable:
                yield Path(parent, name)


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in LITTER_FOLDERS
