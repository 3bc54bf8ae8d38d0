"""`import`: a data set becomes labelled pictures."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.label import SHOWN
from imgsort.cli.output import counted, print_json, progress
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.labels.session import CommandSession, session

if TYPE_CHECKING:
    from collections.abc import Collection

    from imgsort.labels.dataset_folder import DataSet, Hashed, Unused
    from imgsort.labels.import_dataset import ImportPlan
    from imgsort.workspace.workspace import Workspace


@app.command("import")
@reported
def import_(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with one folder for each class.")
    ],
    match: Annotated[
        bool, typer.Option("--match", help="Take cats for your class cat, Dog for dog.")
    ] = False,
    new_class: Annotated[
        bool, typer.Option("--new-class", help="Make a class whose name is much like another's.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Copy a labelled data set into the workspace: DIR/cat/..., or DIR/train/cat/..."""
    workspace = opened(context, here)
    if directory.resolve() == workspace.sorted.resolve():
        _take_in_library(workspace, as_json)
        return
    from imgsort.labels.dataset_folder import find
    from imgsort.labels.import_dataset import require_something

    with session(workspace, "import", say) as now:
        data_set = _under_your_names(now, find(directory, workspace), match, new_class)
        if data_set.splits:
            listed = ", ".join(data_set.splits)
            say(
                f"Looked through {listed}; imgsort learns from all of them, and tests each picture "
                f"by heads that haven't seen it."
            )
        files, left = _read(data_set)
        todo = _planned(now, files)
        require_something(todo)
        moved = len(now.put(todo.known).moved)
        refused = _copy(now, todo)
        left += refused
        copied = len(todo.copies) - len(refused)
        now.summary = f"{copied} copied, {len(todo.known)} labelled, {moved} moved"
        _tell(data_set, todo, copied, left, as_json)
        if not (copied or todo.known):
            raise ImgsortError(
                f"Nothing of {directory} could be imported; see above, and correct that."
            )


def _read(data_set: "DataSet") -> "tuple[list[Hashed], list[Unused]]":
    from imgsort.labels.dataset_folder import Hashed, Unused, hashed

    read = list(progress(hashed(data_set.found), len(data_set.found), "reading"))
    return (
        [one for one in read if isinstance(one, Hashed)],
        [one for one in read if isinstance(one, Unused)],
    )


def _planned(now: CommandSession, files: "list[Hashed]") -> "ImportPlan":
    from imgsort.labels.import_dataset import plan

    lying = now.store.pictures.with_contents({one.sha256 for one in files})
    here = {one.sha256 for one in lying if one.readable and not one.missing}
    return plan(files, here, now.store.labels.current())


def _take_in_library(workspace: "Workspace", as_json: bool) -> None:
    """What people put into sorted/ themselves becomes labelled where it lies."""
    from imgsort.reconcile.apply import apply_reconcile

    with session(workspace, "import", say) as now:
        taken = apply_reconcile(workspace, now.store, now.run_id, adopt_library=True)
        now.summary = str(taken)
        if not taken.adopted:
            raise NothingToDo(
                f"Every picture in {workspace.sorted} is known already; drop new ones into "
                f"{workspace.inbox}, or import another folder."
            )
        if as_json:
            print_json({"adopted": taken.adopted, "labelled": taken.labelled})
        else:
            typer.echo(
                f"{counted(taken.adopted, 'picture')} taken in where they lie, "
                f"{taken.labelled:,} labelled by their folders."
            )


def _under_your_names(
    now: CommandSession, data_set: "DataSet", match: bool, new_class: bool
) -> "DataSet":
    """Its classes as this workspace calls them. Raises ImgsortError where that isn't clear."""
    from imgsort.labels.apply import twin
    from imgsort.labels.dataset_folder import under
    from imgsort.labels.named_classes import own_classes, require_in_use

    require_in_use(now.store, data_set.classes)
    known = own_classes(now.store)
    twins = {name: other for name in data_set.classes if (other := twin(name, known)) is not None}
    if twins and not new_class:
        pairs = ", ".join(f"{name} ({other} here)" for name, other in twins.items())
        if not match:
            raise ImgsortError(
                f"The data set has classes that you spell otherwise: {pairs}; add --match to take "
                f"them for yours, or --new-class to have both."
            )
        say(f"Taken for yours: {pairs}.")
        data_set = under(data_set, twins)
    if not new_class:
        _require_no_slip(set(data_set.classes) - known, known)
    return data_set


def _require_no_slip(names: "Collection[str]", known: "Collection[str]") -> None:
    from imgsort.workspace.slips import slip

    slips = {name: near for name in sorted(names) if (near := slip(name, known)) is not None}
    if slips:
        pairs = ", ".join(f"{name} ({near}?)" for name, near in slips.items())
        raise ImgsortError(
            f"The data set has classes that may be slips of the pen for yours: {pairs}; rename "
            f"their folders, or add --new-class to have both."
        )


def _copy(now: CommandSession, todo: "ImportPlan") -> "list[Unused]":
    """Returns what could not be copied."""
    from imgsort.images.outcome import NoAttempts
    from imgsort.images.pool import open_decoder
    from imgsort.labels.import_dataset import BATCH, Importer, in_batches
    from imgsort.models.backbones import BACKBONES
    from imgsort.models.serving import active_card

    if not todo.copies:
        return []
    # At the size that pictures are decoded at here anyhow, so that the facts come out alike.
    size = BACKBONES[active_card(now.workspace).backbone].input_size
    left: list[Unused] = []
    batches = -(-len(todo.copies) // BATCH)
    with open_decoder(now.workspace.config.decode, size, NoAttempts()) as decoder:
        importer = Importer(now.workspace, now.store, now.run_id, decoder)
        for batch in progress(in_batches(todo.copies), batches, f"copying, {BATCH} at a time"):
            try:
                left += importer.copy(batch)
            finally:
                now.summary = f"{importer.copied} copied"
    return left


def _tell(
    data_set: "DataSet",
    todo: "ImportPlan",
    copied: int,
    left: "list[Unused]",
    as_json: bool,
) -> None:
    for one in [*todo.conflicts, *left][:SHOWN]:
        say(f"{display(os.fspath(one.path))}: {one.reason}.")
    if (more := len(todo.conflicts) + len(left) - SHOWN) > 0:
        say(f"… and {more:,} more (--json lists all).")
    if data_set.loose:
        say(f"{counted(len(data_set.loose), 'picture')} in no class folder: left alone.")
    if as_json:
        print_json(_summary(data_set, todo, copied, left))
        return
    others = (
        (len(todo.known), "here already and labelled now"),
        (todo.already, "known already"),
        (todo.duplicates, "twice in it"),
        (len(todo.conflicts), "in conflict"),
        (len(left), "not copied"),
    )
    told = "".join(f", {number:,} {what}" for number, what in others if number)
    typer.echo(f"{counted(copied, 'picture')} copied and labelled{told}.")


def _summary(
    data_set: "DataSet", todo: "ImportPlan", copied: int, left: "list[Unused]"
) -> dict[str, Any]:
    return {
        "files": len(data_set.found),
        "classes": data_set.classes,
        "copied": copied,
        "labelled_here": len(todo.known),
        "already": todo.already,
        "duplicates": todo.duplicates,
        "conflicts": [_left(one) for one in todo.conflicts],
        "unreadable": [_left(one) for one in left],
        "loose": [display(os.fspath(path)) for path in data_set.loose],
    }


def _left(one: "Unused") -> dict[str, str]:
    return {"path": display(os.fspath(one.path)), "reason": one.reason}
