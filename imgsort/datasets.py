"""A data set as people keep it: a folder for each class, perhaps below train, val and test."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imgsort.display import display
from imgsort.errors import BadLabel, ImgsortError
from imgsort.identity import Identity, open_regular, sha256_of
from imgsort.images import READABLE_SUFFIXES
from imgsort.labels import checked_label
from imgsort.workspace import Workspace

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


class BadDataSet(ImgsortError):
    """The folder is no data set; it needs one folder of pictures for each class."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture file of the data set and the class its folder says."""

    path: Path
    class_name: str


@dataclass(frozen=True, slots=True)
class Hashed:
    found: Found
    identity: Identity
    sha256: str


@dataclass(frozen=True, slots=True)
class Left:
    """A file that isn't imported; ``reason`` is part of a sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """What a data set folder holds."""

    found: tuple[Found, ...]
    loose: tuple[Path, ...]
    """Pictures in no class folder."""
    splits: tuple[str, ...]
    """train, val and test folders that were looked through; imgsort makes its own split."""

    @property
    def classes(self) -> list[str]:
        return sorted({one.class_name for one in self.found})


def find(directory: Path, workspace: Workspace) -> DataSet:
    """List the data set. Raises BadDataSet where its folders don't say which class is which."""
    root = directory.resolve()
    if not root.is_dir():
        raise BadDataSet(f"{directory} is no folder; name one that has a folder for each class.")
    own = next((base for base in workspace.picture_folders if _overlap(root, base.resolve())), None)
    if own is not None:
        raise BadDataSet(
            f"{directory} overlaps {own}, where this workspace keeps its pictures; name another "
            f"folder."
        )
    folders = _subfolders(root)
    splits = [folder for folder in folders if _is_split(folder)]
    if splits and len(splits) < len([folder for folder in folders if _holds_pictures(folder)]):
        others = next(folder for folder in folders if folder not in splits)
        raise BadDataSet(
            f"{directory} has {splits[0].name} beside {others.name}, so it isn't clear which "
            f"folders are classes; import {splits[0]} by itself."
        )
    tops = splits or [root]
    loose = [path for top in {root, *tops} for path in _pictures(top, deep=False)]
    found = [
        Found(path, name)
        for top in tops
        for folder in _subfolders(top)
        for name in [_class_name(folder)]
        for path in _pictures(folder, deep=True)
    ]
    if not found:
        raise BadDataSet(
            f"{directory} has no folder with pictures in it; a data set has one folder for each "
            f"class."
        )
    return DataSet(tuple(found), tuple(sorted(loose)), tuple(split.name for split in splits))


def _overlap(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _is_split(folder: Path) -> bool:
    """A folder called train that holds pictures itself is a class: of locomotives."""
    return (
        folder.name.casefold() in SPLITS
        and next(_pictures(folder, deep=False), None) is None
        and _holds_pictures(folder)
    )


def _holds_pictures(folder: Path) -> bool:
    return next(_pictures(folder, deep=True), None) is not None


def _subfolders(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
    )


def _pictures(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Links aren't followed; hidden files and folders are none of ours."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if deep and not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in READABLE_SUFFIXES:
                yield Path(parent, name)


def _class_name(folder: Path) -> str:
    try:
        return checked_label(folder.name)
    except BadLabel as problem:
        raise BadDataSet(f"{display(folder)}: {problem}") from None


def under(data_set: DataSet, names: Mapping[str, str]) -> DataSet:
    """The same data set with some of its classes called otherwise."""
    found = (
        replace(one, class_name=names.get(one.class_name, one.class_name)) for one in data_set.found
    )
    return replace(data_set, found=tuple(found))


def hashed(found: Iterable[Found]) -> Iterator[Hashed | Left]:
    """Read each file once; one that can't be read is left."""
    for one in found:
        try:
            descriptor = open_regular(one.path)
        except OSError as problem:
            yield Left(one.path, f"it can't be read ({problem.strerror or problem})")
            continue
        try:
            yield Hashed(one, Identity.of(os.fstat(descriptor)), sha256_of(descriptor))
        except OSError as problem:
            yield Left(one.path, f"it can't be read ({problem.strerror})")
        finally:
            os.close(descriptor)
