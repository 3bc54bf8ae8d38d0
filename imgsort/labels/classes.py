"""Classes as such: rename one, merge two, retire one, bring it back; and take that back.

Labels keep their words, pictures stay or move through the journal. A retired class is gone from
what models may say and learn; its pictures and its history stay.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from imgsort.disk.display import display
from imgsort.disk.durable import sync_folder
from imgsort.disk.failpoints import failpoint
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.filing import recover_locked
from imgsort.filing.class_renaming import rename_folders
from imgsort.filing.errand import Applied, Errand
from imgsort.filing.relocate import run_errands
from imgsort.labels.apply import class_of, place_of
from imgsort.labels.named_classes import require_in_use
from imgsort.reconcile.scan import class_folders
from imgsort.records.class_changes import ClassChange, ClassStanding
from imgsort.records.class_part import class_of_folder
from imgsort.records.files import Layout
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.closest_name import closest
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ClassByName:
    """A class that was asked for by its name."""

    id: int
    name: str


def in_use(store: Store, name: str) -> ClassByName:
    """Raises ImgsortError for a class that isn't there, or is retired."""
    live = {known: number for number, known in store.classes.names().items()}
    if name in live:
        return ClassByName(live[name], name)
    require_in_use(store, [name])
    raise unknown(name, live)


def unknown(name: str, known: Sequence[str] | dict[str, int]) -> ImgsortError:
    """There is no such class; the closest is named."""
    near = closest(name, known)
    if near is None:
        return ImgsortError(
            f"There is no class {display(name)}; `imgsort classes` lists those there are."
        )
    return ImgsortError(
        f"There is no class {display(name)}, but there is {display(near)}; name that, or see "
        f"`imgsort classes`."
    )


def retired(store: Store, name: str) -> ClassByName:
    """The one of that name that was given up last. Raises ImgsortError."""
    found = {known: number for number, known in sorted(store.classes.retired().items())}
    if name in store.classes.names().values():
        raise NothingToDo(f"The class {display(name)} is in use; there is nothing to bring back.")
    if name not in found:
        raise unknown(name, found)
    return ClassByName(found[name], name)


def rename(
    workspace: Workspace,
    store: Store,
    run_id: int,
    change: ClassChange,
    undone: Sequence[int] = (),
) -> list[tuple[Path, Path]]:
    """The class and its folders go by another name, in which all its files stay. Raises
    ImgsortError where that name is taken. Returns the folders' paths, before and after."""
    with workspace.filing_lock():
        recover_locked(workspace, store)
        layout = layout_of(workspace, store)
        if layout.reading is not None:
            return _renamed_in_stations(workspace, store, layout, run_id, change, undone)
        before = folder_of(workspace, change.old) or workspace.sorted / change.old
        after = workspace.sorted / change.new
        if after.exists() and not (before.exists() and after.samefile(before)):
            raise _taken(after)
        if before.is_dir():
            try:
                before.rename(after)
                sync_folder(workspace.sorted)
                failpoint("class-folder-renamed")
            except OSError as problem:
                raise _unfit(before, problem) from problem
        store.files.rename_class(run_id, change, [(before, after)], undone)
    return [(before, after)]


def _taken(folder: Path) -> ImgsortError:
    return ImgsortError(
        f"{folder} is there already; remove it or move it away, then rename the class."
    )


def _unfit(folder: Path, problem: OSError) -> ImgsortError:
    return ImgsortError(
        f"{folder} can't be renamed ({problem.strerror}); look after that, then try again."
    )


def _renamed_in_stations(  # noqa: PLR0913, PLR0917 - what to rename, and who says so
    workspace: Workspace,
    store: Store,
    layout: Layout,
    run_id: int,
    change: ClassChange,
    undone: Sequence[int],
) -> list[tuple[Path, Path]]:
    """The log first: see ``filing.class_renaming``. The caller holds the filing lock."""
    known = [
        one for one in store.files.known() if layout.place_of(one.location).class_name == change.old
    ]
    for one in known:
        if not one.missing and not one.path.exists():
            raise ImgsortError(
                f"{one.path} can't be reached; put it back (mount its disk?), then rename the "
                f"class."
            )
    there = folders_of(workspace, layout, change.old)
    last = {Path(folder) for one in known if (folder := layout.class_folder(one.location))}
    folders = [(one, one.with_name(change.new)) for one in sorted(last.union(there), reverse=True)]
    for before, after in folders:
        if after.exists() and not (before.exists() and after.samefile(before)):
            raise _taken(after)
    store.files.rename_class(run_id, change, folders, undone)
    failpoint("class-renamed-in-log")
    try:
        rename_folders((before, after) for before, after in folders if before.is_dir())
    except OSError as problem:
        back = [(after, before) for before, after in folders]
        store.files.rename_class(run_id, change.back(), back)
        raise _unfit(workspace.sorted, problem) from problem
    return folders


def merge(
    workspace: Workspace, store: Store, run_id: int, source: ClassByName, into: ClassByName
) -> Applied:
    """What is called, or lies as, one class belongs to the other, and the first is retired.

    Pictures a person called so are called the other; those that only lie there move without a
    word. Raises as ``run_errands``.
    """
    current = store.labels.current()
    said = {sha256: word for sha256, word in current.items() if word.class_id == source.id}
    words = [_renamed(word, into.name) for word in said.values()]
    layout = layout_of(workspace, store)
    folders = folders_of(workspace, layout, source.name)
    lying = {one.arrival_id: one for one in _lying(workspace, store, layout, source.name)}
    lying |= {one.arrival_id: one for one in store.pictures.with_contents(said)}
    errands = [
        errand
        for picture in lying.values()
        if (
            errand := _errand(workspace, layout, picture, current.get(picture.sha256), source, into)
        )
    ]
    change = [ClassChange(source.id, "retired", source.name, source.name, into=into.id)]
    done = run_errands(
        workspace,
        store,
        errands,
        lambda plans: store.journal.record_decided(run_id, plans, words, change),
    )
    remove_if_empty(store, source, folders)
    return Applied(run_id, tuple(done), tuple(words))


def _renamed(word: HumanLabel, name: str) -> NewLabel:
    return NewLabel(word.sha256, "label", name, "cli", word.representative)


def _errand(  # noqa: PLR0913, PLR0917 - a picture, and what is known of it
    workspace: Workspace,
    layout: Layout,
    picture: LoggedPicture,
    word: HumanLabel | None,
    source: ClassByName,
    into: ClassByName,
) -> Errand | None:
    """None for a picture that stays: it is gone, lies right, or is never to be used."""
    if picture.missing or picture.identity is None or (word and word.kind == "never_use"):
        return None
    name = into.name if word is None or word.class_id in {None, source.id} else word.class_name
    if name is None or class_of(layout, picture.path) == name:
        return None
    return Errand.of(picture, place_of(workspace, picture, name), "label")


def _lying(workspace: Workspace, store: Store, layout: Layout, name: str) -> list[LoggedPicture]:
    """What lies as this class."""
    if layout.reading is None:
        return store.pictures.below(folder_of(workspace, name) or workspace.sorted / name)
    lying = (one for one in store.files.known() if layout.place_of(one.location).class_name == name)
    return store.pictures.by_ids([one.arrival_id for one in lying])


def folder_of(workspace: Workspace, name: str) -> Path | None:
    """The folder of a class, however its name is composed on the disk."""
    if (path := workspace.sorted / name).is_dir():
        return path
    return next(
        (one for one in workspace.sorted.iterdir() if class_of_folder(one.name) == name), None
    )


def folders_of(workspace: Workspace, layout: Layout, name: str) -> list[Path]:
    """The folders of a class that are there: one in each station where stations come first."""
    if layout.reading is None:
        folder = folder_of(workspace, name)
        return [] if folder is None else [folder]
    there = class_folders(layout)
    return [workspace.sorted / folder.name for folder in there if folder.class_name == name]


def remove_if_empty(store: Store, source: ClassByName, folders: Sequence[Path]) -> None:
    """Folders of folders without a file go; a file that somebody put there keeps them."""
    for folder in folders:
        for path in sorted(folder.rglob("*"), reverse=True):
            with suppress(OSError):
                path.rmdir()
        with suppress(OSError):
            folder.rmdir()
    if not any(folder.exists() for folder in folders):
        store.classes.forget_folders([source.id])


def standings(workspace: Workspace, store: Store) -> list[ClassStanding]:
    """Every class, in the order of their names."""
    found = store.classes.standings(workspace.sorted)
    layout = layout_of(workspace, store)
    if layout.reading is None:
        return found
    lying = Counter(layout.place_of(path).class_name for path, _ in store.files.known_places())
    return [replace(one, pictures=lying[one.name]) for one in found]


def take_back(
    workspace: Workspace, store: Store, run_id: int, changes: Sequence[ClassChange]
) -> tuple[list[str], list[tuple[Path, Path]]]:
    """Undo what was done to classes, newest first. Returns why some of it stays, and the folders
    that got other names, before and after."""
    stays: list[str] = []
    renamed: list[tuple[Path, Path]] = []
    for change in changes:
        back, undone = change.back(), [] if change.id is None else [change.id]
        live = store.classes.names()
        if back.new in {name for one, name in live.items() if one != back.class_id}:
            stays.append(f"another class is called {display(back.new)} by now")
        elif back.kind != "renamed":
            store.classes.change(run_id, [back], undone)
        elif live.get(back.class_id) != back.old:
            stays.append(f"{display(back.old)} was renamed or retired since")
        else:
            renamed += rename(workspace, store, run_id, back, undone)
    return stays, renamed
