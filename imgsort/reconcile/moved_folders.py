"""A picture folder goes by another path: renamed, on another disk, or reached by a link. Pure.

config.toml names it anew and the log has the old paths, so every file in it looks moved. None was:
where files lie as before below the folder, what was known of them is known below its new path.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgsort.disk.identity import Identity
from imgsort.records.files import DiskFile, KnownFile, Layout


@dataclass(frozen=True, slots=True)
class Resettled:
    """What the log has to learn before the folders are compared with it."""

    folders: Mapping[str, str]
    """The former path of a picture folder -> its path now; absolute."""
    paths: Mapping[int, str]
    """Arrival -> the path of its file below the folder's new one."""

    def __bool__(self) -> bool:
        return bool(self.paths)


def is_outside(layout: Layout, path: str) -> bool:
    """Below none of the folders that sort pictures?"""
    return _base(layout, path) is None


def resettled(
    known: Iterable[KnownFile],
    files: Mapping[str, DiskFile],
    layout: Layout,
    is_there: Callable[[str, Identity], bool],
) -> Resettled:
    """``known``: files that a look at the folders didn't find where the log has them; ``files``:
    what it found and the log doesn't expect. ``is_there`` is asked of a path and a file.

    Of a folder that was copied, and still lies there, only those that the new one has.
    """
    outside = [one for one in known if is_outside(layout, one.location)]
    folders = _folders(outside, files.values(), layout) if outside else {}
    paths = {}
    for one in outside:
        former = next((base for base in folders if one.location.startswith(f"{base}/")), None)
        if former is not None:
            path = f"{folders[former]}{one.location[len(former) :]}"
            if path in files or one.missing or not is_there(one.location, one.identity):
                paths[one.arrival_id] = path
    return Resettled(folders, paths)


def _folders(
    outside: Sequence[KnownFile], files: Iterable[DiskFile], layout: Layout
) -> dict[str, str]:
    """Former -> present, as most files of one name and size say that lie the same way down."""
    by_look: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for one in outside:
        by_look[one.name, one.size].append(one.location)
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for file in files:
        base = _base(layout, file.path)
        if base is None:
            continue
        way = file.path[len(base) :]
        for location in by_look.get((way.rpartition("/")[2], file.identity.size), ()):
            if location.endswith(way):
                votes[base][location[: -len(way)]] += 1
    chosen = {count.most_common(1)[0][0]: base for base, count in votes.items()}
    # A picture that was moved out of sorted/cat lies the same way down in unsure/ as it did there.
    return {
        former: base
        for former, base in chosen.items()
        if former and not any(former.startswith(f"{other}/") for other in chosen)
    }


def _base(layout: Layout, path: str) -> str | None:
    bases = (layout.sorted, layout.unsure, layout.rejected)
    return next((base for base in bases if path.startswith(f"{base}/")), None)
