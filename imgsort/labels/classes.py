"""Classes as such: rename one, merge two, retire one, bring it back; and take that back.

Labels keep their words, pictures stay or move through the journal. A retired class is gone from
what models may say and learn; its pictures and its history stay.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imgsort.disk.display import display
from imgsort.disk.durable import sync_folder
from imgsort.disk.failpoints import failpoint
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.filing import recover_locked
from imgsort.filing.errand import Applied, Errand
from imgsort.filing.relocate import run_errands
from imgsort.labels.apply import place_of
from imgsort.labels.named_classes import require_in_use
from imgsort.records.class_changes import ClassChange
from imgsort.records.files import class_of_folder
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
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
) -> tuple[Path, Path]:
    """The class and its folder go by another name, in which all its files stay. Raises ImgsortError
    where that name is taken. Returns the folder's paths, before and after."""
    with workspace.filing_lock():
        recover_locked(workspace, store)
        before = folder_of(workspace, change.old) or workspace.sorted / change.old
        after = workspace.sorted / change.new
        if after.exists() and not (before.exists() and after.samefile(before)):
            raise ImgsortError(
                f"{after} is there already; remove it or move it away, then rename the class."
            )
        if before.is_dir():
            try:
                before.rename(after)
                sync_folder(workspace.sorted)
                failpoint("class-folder-renamed")
            except OSError as problem:
                raise ImgsortError(
                    f"{before} can't be renamed ({problem.strerror}); look after that, then try "
                    f"again."
                ) from problem
        store.files.rename_class(run_id, change, (before, after), undone)
    return before, after


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
    folder = folder_of(workspace, source.name) or workspace.sorted / source.name
    lying = {one.arrival_id: one for one in store.pictures.below(folder)}
    lying |= {one.arrival_id: one for one in store.pictures.with_contents(said)}
    errands = [
        errand
        for picture in lying.values()
        if (errand := _errand(workspace, picture, current.get(picture.sha256), source, into))
    ]
    change = [ClassChange(source.id, "retired", source.name, source.name, into=into.id)]
    done = run_errands(
        workspace,
        store,
        errands,
        lambda plans: store.journal.record_decided(run_id, plans, words, change),
    )
    remove_if_empty(store, source, folder)
    return Applied(run_id, tuple(done), tuple(words))


def _renamed(word: HumanLabel, name: str) -> NewLabel:
    return NewLabel(word.sha256, "label", name, "cli", word.representative)


def _errand(
    workspace: Workspace,
    picture: LoggedPicture,
    word: HumanLabel | None,
    source: ClassByName,
    into: ClassByName,
) -> Errand | None:
    """None for a picture that stays: it is gone, lies right, or is never to be used."""
    if picture.missing or picture.identity is None or (word and word.kind == "never_use"):
        return None
    name = into.name if word is None or word.class_id in {None, source.id} else word.class_name
    if name is None or _class_at(workspace, picture.path) == name:
        return None
    return Errand.of(picture, place_of(workspace, picture, name), "label")


def _class_at(workspace: Workspace, path: Path) -> str | None:
    with suppress(ValueError):
        return class_of_folder(path.relative_to(workspace.sorted).parts[0])
    return None


def folder_of(workspace: Workspace, name: str) -> Path | None:
    """The folder of a class, however its name is composed on the disk."""
    if (path := workspace.sorted / name).is_dir():
        return path
    return next(
        (one for one in workspace.sorted.iterdir() if class_of_folder(one.name) == name), None
    )


def remove_if_empty(store: Store, source: ClassByName, folder: Path) -> None:
    """A folder of folders without a file goes; a file that somebody put there keeps it."""
    for path in sorted(folder.rglob("*"), reverse=True):
        with suppress(OSError):
            path.rmdir()
    with suppress(OSError):
        folder.rmdir()
    if not folder.exists():
        store.classes.forget_folders([source.id])


def take_back(
    workspace: Workspace, store: Store, run_id: int, changes: Sequence[ClassChange]
) -> tuple[list[str], list[tuple[Path, Path]]]:
    """Undo what was done to classes, newest first. Returns why some of it stays, and the folders
    that got other names, before and after."""
    stays, renamed = [], []
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
            renamed.append(rename(workspace, store, run_id, back, undone))
    return stays, renamed
