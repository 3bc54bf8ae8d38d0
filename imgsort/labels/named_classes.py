"""What a person says of pictures by name, checked before anything is written."""

from collections.abc import Collection, Sequence
from pathlib import Path

from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.labels.apply import astray, news, twin
from imgsort.models.wordnet import IMAGENET_CLASSES
from imgsort.records.labels import NewLabel
from imgsort.store import Store
from imgsort.store.lookup import Finder, Meant, Name
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.slips import slip
from imgsort.workspace.workspace import Workspace


def spoken(
    workspace: Workspace, store: Store, pictures: Sequence[str], class_name: str
) -> tuple[list[NewLabel], list[NewLabel]]:
    """What is new, and what was said before of contents with a file that lies elsewhere.

    Raises ImgsortError for a picture that isn't known or can't be read, NothingToDo without either.
    """
    class_name = checked_label(class_name)
    labels = {}
    names = [Name(one) for one in pictures]
    for text, found in zip(pictures, Finder(workspace, store, Path.cwd()).find(names), strict=True):
        if not isinstance(found, Meant):
            raise ImgsortError(f"{display(text)}: {found.reason}; nothing was labelled.")
        if not any(one.readable for one in found.pictures):
            raise ImgsortError(
                f"{display(text)} could not be read as a picture, so a label would teach nothing; "
                f"nothing was labelled."
            )
        labels[found.sha256] = NewLabel(found.sha256, "label", class_name, "cli", False)
    fresh = news(labels.values(), store.labels.current(labels))
    said_before = [label for label in labels.values() if label not in fresh]
    elsewhere = astray(workspace, store, said_before)
    repeated = [label for label in said_before if label.sha256 in elsewhere]
    if not fresh and not repeated:
        raise NothingToDo(
            f"You have called {'it' if len(pictures) == 1 else 'them'} {class_name} before; there "
            f"is nothing to do."
        )
    return fresh, repeated


def new_classes(
    store: Store, names: Collection[str], *, allowed: bool, besides: str | None = None
) -> list[str]:
    """Which of these classes aren't there yet. Raises ImgsortError, unless ``allowed``, for what is
    only another spelling of a known one, or may be a slip for it. ``besides``: a class that goes by
    such a name from now on."""
    known = set(store.classes.names().values()) - {besides}
    fresh = sorted(set(names) - known - set(store.classes.retired().values()))
    own = own_classes(store) - {besides} if fresh else set()
    for name in fresh if not allowed else ():
        if (other := twin(name, known)) is not None:
            raise ImgsortError(
                f"There is no class {name}, but there is {other}; say {other}, or add --new-class "
                f"to have both."
            )
        if (near := slip(name, own if is_word(name) else known)) is not None:
            raise ImgsortError(
                f"There is no class {name}, which may be a slip for {near}; say {near}, or add "
                f"--new-class to have both."
            )
    return fresh


def own_classes(store: Store) -> set[str]:
    """Classes that a person made, named or uses: ImageNet's thousand, which come with an `init`
    without words, are only those of them that have a label."""
    classes = store.classes.names()
    if len(classes) < IMAGENET_CLASSES:
        return set(classes.values())
    from imgsort.models.vocabulary import imagenet_names

    used = {label.class_name for label in store.labels.current().values()}
    return {name for name in classes.values() if name in used} | (
        set(classes.values()) - set(imagenet_names())
    )


def is_word(name: str) -> bool:
    """Whether a name stands for some ImageNet class: then it is no slip for another's."""
    from imgsort.models.wordnet import senses

    return bool(senses(name))


def require_in_use(store: Store, names: Collection[str]) -> None:
    """Refuse a class that was given up: what is said of it would teach nothing."""
    retired = set(store.classes.retired().values()) - set(store.classes.names().values())
    for name in sorted(retired & set(names)):
        raise ImgsortError(
            f"The class {display(name)} is retired; bring it back with `imgsort classes restore "
            f"{display(name)}`, or name another."
        )
