"""A data set as people keep it: a folder for each class, perhaps levels deeper than it begins."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imgsort.disk.display import display
from imgsort.disk.identity import Identity, fingerprint, open_regular
from imgsort.errors import BadLabel
from imgsort.images import MORE_NAMES, suffixes_of
from imgsort.images.optional_formats import format_of, told
from imgsort.labels.dataset_level import BadDataSet, pictures, subfolders, tops_of
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.workspace import Workspace


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
class Unused:
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
    """Folders below it that were looked through; imgsort makes its own split."""

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
    readable = workspace.config.decode.suffixes
    tops = tops_of(root, readable)
    splits = [str(top.relative_to(root)) for top in tops if top != root]
    loose = [path for top in {root, *tops} for path in pictures(top, readable, deep=False)]
    found = [
        Found(path, name)
        for top in tops
        for folder in subfolders(top)
        for name in [_class_name(folder)]
        for path in pictures(folder, readable, deep=True)
    ]
    if not found:
        raise BadDataSet(
            f"{directory} has no folder with pictures in it; a data set has one folder for each "
            f"class.{_switched_off(root)}"
        )
    return DataSet(tuple(found), tuple(sorted(loose)), tuple(splits))


def _switched_off(root: Path) -> str:
    """What lies there of formats that are read on demand, as a sentence of its own."""
    found = pictures(root, suffixes_of(MORE_NAMES), deep=True)
    listed = told(Counter(format_of(path.suffix.lower()) or "" for path in found))
    return f" There are {listed}." if listed else ""


def _overlap(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


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


def hashed(found: Iterable[Found]) -> Iterator[Hashed | Unused]:
    """Read each file once; one that can't be read is left."""
    for one in found:
        try:
            yield Hashed(one, *fingerprint(open_regular(one.path)))
        except OSError as problem:
            yield Unused(one.path, f"it can't be read ({problem.strerror or problem})")
