"""A class with a folder in each station gets another name: the log first, then folder by folder.

Were it the other way round, a program killed between two stations would leave half of a class under
the new name and half under the old, as if a person had corrected the one half. So the log has the
new paths before any folder has, and what a killed command left is completed by the next mover.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from imgsort.disk.durable import sync_folder
from imgsort.disk.failpoints import failpoint
from imgsort.disk.identity import is_at
from imgsort.records.class_part import class_of_folder
from imgsort.records.files import KnownFile
from imgsort.store import Store
from imgsort.store.layouts import layout_of, puts_stations_first
from imgsort.workspace.workspace import Workspace


def rename_folders(folders: Iterable[tuple[Path, Path]]) -> None:
    """All of them, or none. Raises OSError."""
    done: list[tuple[Path, Path]] = []
    try:
        for before, after in folders:
            before.rename(after)
            done.append((before, after))
            sync_folder(after.parent)
            failpoint("class-folder-renamed")
    except OSError:
        for before, after in reversed(done):
            with suppress(OSError):
                after.rename(before)
        raise


def complete_renames(workspace: Workspace, store: Store) -> None:
    """Rename the folders that a killed command left. The caller holds the filing lock."""
    renames = store.classes.unfinished_renames()
    if not renames or not puts_stations_first(workspace, store):
        return
    layout = layout_of(workspace, store)
    lying: defaultdict[str, list[KnownFile]] = defaultdict(list)
    for one in store.files.known():
        if not one.missing and (folder := layout.class_folder(one.location)):
            lying[folder].append(one)
    for old, new in renames:
        for folder, files in lying.items():
            if class_of_folder(folder.rpartition("/")[2]) == new:
                with suppress(OSError):  # the next mover tries again
                    rename_folders(_left(Path(folder), old, files))


def _left(folder: Path, old: str, files: Sequence[KnownFile]) -> Iterator[tuple[Path, Path]]:
    """The folder as it is called still, where the files are that should be in ``folder``."""
    if folder.exists():
        return
    for before in folder.parent.iterdir():
        if class_of_folder(before.name) == old and any(
            is_at(f"{before}{one.location[len(str(folder)) :]}", one.identity) for one in files
        ):
            yield before, folder
            return
