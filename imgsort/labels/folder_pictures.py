"""What a person means by `confirm`: which folders and pictures, and what follows from them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.labels.apply import class_of
from imgsort.labels.confirm import UNSURE, Confirmation, LookedAt, confirmation
from imgsort.reconcile.scan import class_folders
from imgsort.records.files import Layout
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.store.listing import Wanted
from imgsort.store.lookup import Finder, Meant, Name, Unmatched, lies_there
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """Folders and single pictures that a person says are right as they are."""

    folders: tuple[Path, ...]
    """Absolute: sorted/, unsure/ or folders in sorted/."""
    pictures: tuple[LoggedPicture, ...]
    sheets: tuple[Path, ...] = ()
    """Folders of which ``pictures`` are all that lay there when somebody looked."""
    until: int | None = None
    """The newest arrival of then: what a model filed since, nobody has seen."""


def folder_named(workspace: Workspace, text: str, here: Path) -> Path | None:
    """The folder that is meant: from here, from the workspace, or by the bare name of a class."""
    for base in (here, workspace.root, workspace.sorted):
        with suppress(OSError, ValueError):
            if (path := base / Path(text).expanduser()).is_dir():
                return path
    return None


def locate(workspace: Workspace, store: Store, texts: Sequence[str], here: Path) -> LookedThrough:
    """Raises ImgsortError for the first that is neither a class folder nor a picture in one."""
    folders, names = [], []
    layout = layout_of(workspace, store)
    for text in texts:
        folder = folder_named(workspace, text, here)
        if folder is not None:
            folders.append(_inside(workspace, folder))
        elif in_stations := [one for one in class_folders(layout) if one.class_name == text]:
            folders += [workspace.sorted / one.name for one in in_stations]
        else:
            names.append(Name(text))
    pictures = []
    for found in Finder(workspace, store, here).find(names):
        if isinstance(found, Unmatched):
            raise ImgsortError(f"{found.text!r} can't be confirmed: {found.reason}.")
        pictures += _lying(layout, found)
    return LookedThrough(tuple(folders), tuple(pictures))


def _inside(workspace: Workspace, folder: Path) -> Path:
    """The folder as the log writes it, whatever links lead there."""
    real = folder.resolve()
    for base in (workspace.sorted, workspace.unsure):
        if real == base.resolve():
            return base
    with suppress(ValueError):
        return workspace.sorted / real.relative_to(workspace.sorted.resolve())
    raise ImgsortError(
        f"{folder} is no class folder; name one in {workspace.sorted}, or pictures in it."
    )


def _lying(layout: Layout, meant: Meant) -> list[LoggedPicture]:
    there = [one for one in meant.pictures if not one.missing and class_of(layout, one.path)]
    if not there:
        raise ImgsortError(
            f"{meant.pictures[0].path} lies in no class folder, so there is nothing to confirm; "
            f"say what it is with `imgsort label`."
        )
    return there


def confirmed(workspace: Workspace, store: Store, seen: LookedThrough) -> Confirmation:
    """What follows for the labels. Nothing is written."""
    layout = layout_of(workspace, store)
    lying = [
        *(one for folder in seen.folders for one in store.pictures.below(folder)),
        *seen.pictures,
    ]
    # What was moved a moment ago may still be logged here, and is not what was looked at.
    lying = [one for one in lying if _was_there(one, seen.until) and lies_there(one)]
    copies = store.pictures.with_contents({one.sha256 for one in lying})
    whole = _whole(workspace, store, layout, (*seen.folders, *seen.sheets))
    corrected = [
        one
        for one in store.pictures.corrected(whole - {UNSURE}, unsure=UNSURE in whole)
        if _was_there(one, seen.until)
    ]
    return confirmation(
        [_place(layout, one) for one in lying if one.readable],
        [_place(layout, one) for one in copies if not one.missing],
        [_place(layout, one) for one in corrected],
        whole,
        store.labels.current({one.sha256 for one in (*lying, *corrected)}),
    )


def _was_there(picture: LoggedPicture, until: int | None) -> bool:
    """When somebody looked; what people put there themselves always was."""
    return until is None or picture.model is None or picture.arrival_id <= until


def _place(layout: Layout, picture: LoggedPicture) -> LookedAt:
    name = class_of(layout, picture.path)
    known = layout.reading is None or name in layout.reading.classes
    return LookedAt(picture.sha256, name if known else None, _origin(picture))


def _origin(picture: LoggedPicture) -> str | None:
    if picture.model is None:
        return None
    return UNSURE if picture.decision == "unsure" else picture.guess


def _whole(workspace: Workspace, store: Store, layout: Layout, folders: Sequence[Path]) -> set[str]:
    """The origins that have been looked through as a whole."""
    found = set()
    for folder in folders:
        if folder == workspace.unsure:
            found.add(UNSURE)
        elif folder == workspace.sorted:
            found.update(store.classes.names().values())
        elif layout.reading is None and folder.parent == workspace.sorted:
            found.add(class_of(layout, folder / "picture") or folder.name)
    if layout.reading is not None and folders:
        found |= _whole_in_stations(store, layout, folders)
    # Emptied by hand, every picture the model was unsure of has got a label: none was picked.
    if folders and not store.lists.count(Wanted(folders=(workspace.unsure,))):
        found.add(UNSURE)
    return found


def _whole_in_stations(store: Store, layout: Layout, folders: Sequence[Path]) -> set[str]:
    """Classes of which every picture, in whatever station, lies in what was looked through."""
    bases = tuple(f"{folder}/" for folder in folders)
    inside = {name for folder in folders if (name := class_of(layout, folder / "picture"))}
    outside = set[str]()
    for path, _ in store.files.known_places():
        name = layout.place_of(path).class_name
        if name is not None:
            (inside if path.startswith(bases) else outside).add(name)
    return inside - outside
