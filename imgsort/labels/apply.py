"""Carry out what a person said: the label is written down, then the file moves to its class."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from imgsort.filing.errand import Applied, Errand
from imgsort.filing.planning import class_place
from imgsort.filing.relocate import run_errands
from imgsort.records.acts import NewAct
from imgsort.records.files import Layout
from imgsort.records.journal import Plan, Planned
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.singular import singulars
from imgsort.workspace.template import plain_name
from imgsort.workspace.workspace import Workspace


def class_of(layout: Layout, path: Path) -> str | None:
    """The class whose folder this absolute path lies in; folders below it belong to it."""
    return layout.place_of(str(path)).class_name


def put_labels(  # noqa: PLR0913, PLR0917 - where, what, and two things that go with it
    workspace: Workspace,
    store: Store,
    run_id: int,
    labels: Sequence[NewLabel],
    repeated: Sequence[NewLabel] = (),
    act: NewAct | None = None,
) -> Applied:
    """Append these labels, one a content, and bring every file of theirs where it belongs now.

    A class has its folder; a withdrawn word leads to unsure/, "never use" to rejected/. All of it
    is written down in one transaction; a crash is completed by the next mover. ``repeated``: words
    that hold already; only their files are brought. ``act``: of the review page, which waits with
    all of it, FilingPaused, while a folder can't take pictures. Raises as ``Filer.file``.
    """
    said = {label.sha256: label for label in (*labels, *repeated)}
    errands = _errands(workspace, store, said)

    def record(plans: Sequence[Plan]) -> Sequence[Planned]:
        return store.journal.record_decided(run_id, plans, labels, act=act)

    if not errands:
        record(())
        return Applied(run_id, (), tuple(labels))
    done = run_errands(workspace, store, errands, record, wait=act is not None)
    return Applied(run_id, tuple(done), tuple(labels))


def astray(workspace: Workspace, store: Store, labels: Iterable[NewLabel]) -> set[str]:
    """Those of these contents that have a file which isn't where the label says."""
    said = {label.sha256: label for label in labels}
    return {errand.sha256 for errand in _errands(workspace, store, said)}


def _errands(workspace: Workspace, store: Store, said: Mapping[str, NewLabel]) -> list[Errand]:
    layout = layout_of(workspace, store)
    return [
        errand
        for picture in store.pictures.with_contents(said)
        if (errand := _errand(workspace, layout, picture, said[picture.sha256])) is not None
    ]


def _errand(
    workspace: Workspace, layout: Layout, picture: LoggedPicture, label: NewLabel
) -> Errand | None:
    """None where the file lies right already, or where there is none."""
    if picture.missing or picture.identity is None:
        return None
    if label.class_name is not None:
        if class_of(layout, picture.path) == label.class_name:
            return None
        place = place_of(workspace, picture, label.class_name)
    else:
        folder = workspace.rejected if label.kind == "never_use" else workspace.unsure
        if folder in picture.path.parents:
            return None
        place = folder / plain_name(picture.own_name)
    return Errand.of(picture, place, "label")


def place_of(
    workspace: Workspace, picture: LoggedPicture, class_name: str | None, confidence: float = 1.0
) -> Path:
    """Where a picture of ``class_name`` belongs, unsure/ without one; full confidence: a person
    said so."""
    if class_name is None:
        return workspace.unsure / plain_name(picture.own_name)
    return class_place(
        workspace,
        class_name,
        name=picture.own_name,
        arrived_at=picture.arrived_at,
        captured_at=picture.captured_at,
        camera=picture.camera,
        confidence=confidence,
        subfolder=picture.subfolder,
    )


def news(labels: Iterable[NewLabel], current: Mapping[str, HumanLabel]) -> list[NewLabel]:
    """Those that say more than is known: another word, or that the picture is representative."""
    return [
        label
        for label in labels
        if (before := current.get(label.sha256)) is None
        or (before.kind, before.class_name) != (label.kind, label.class_name)
        or (label.representative and not before.representative)
    ]


def twin(name: str, known: Collection[str]) -> str | None:
    """A known class that ``name`` is only another spelling of: Cat, cats and CAT for cat."""
    if name in known:
        return None
    spellings = _spellings(name)
    return next((one for one in sorted(known) if spellings & _spellings(one)), None)


def _spellings(name: str) -> set[str]:
    plain = "_".join(unicodedata.normalize("NFC", name).casefold().replace("-", " ").split())
    return {plain, *singulars(plain)}
