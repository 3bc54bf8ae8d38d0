"""`classes`: which there are; rename, merge, retire and bring back."""

import os
from typing import Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.groups import Whole
from imgsort.cli.output import counted, print_json, print_table
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.labels.session import CommandSession, session

classes = typer.Typer(
    cls=Whole,
    no_args_is_help=False,
    help="List, rename, merge and retire classes.",
    rich_markup_mode=None,
)
app.add_typer(classes, name="classes", invoke_without_command=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@classes.callback()
@reported
def overview(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """List the classes when no subcommand is named."""
    if here is not None:
        context.obj = here
    if context.invoked_subcommand is None:
        list_classes(context, as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"put --json behind {context.invoked_subcommand}.")


@classes.command("list")
@reported
def list_classes(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Every class, with its labels and the pictures in its folder; the retired are marked."""
    workspace = opened(context, here)
    from dataclasses import asdict

    from imgsort.labels.classes import standings
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        found = standings(workspace, store)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(
        ("class", "labels", "pictures", ""),
        (
            (one.name, f"{one.labels:,}", f"{one.pictures:,}", "retired" if one.retired else "")
            for one in found
        ),
    )


@classes.command()
@reported
def rename(
    context: typer.Context,
    old: Name,
    new: Annotated[str, typer.Argument(metavar="NEW_NAME", show_default=False)],
    new_class: Annotated[
        bool, typer.Option("--new-class", help="Also where NEW_NAME is much like another's.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Give a class and its folder another name; every label and model follows."""
    from imgsort.labels import classes as changing
    from imgsort.records.class_changes import ClassChange
    from imgsort.workspace.class_names import checked_label

    name = checked_label(new)
    with session(opened(context, here), "classes", say) as now:
        one = changing.in_use(now.store, old)
        _require_free(now, one.name, name, new_class)
        change = ClassChange(one.id, "renamed", one.name, name)
        changing.rename(now.workspace, now.store, now.run_id, change)
        _tell(now, f"{display(one.name)} is called {display(name)} now.", {}, as_json)


def _require_free(now: CommandSession, old: str, new: str, new_class: bool) -> None:
    if new == old:
        raise NothingToDo(f"The class is called {display(new)} already; there is nothing to do.")
    if new in now.store.classes.names().values():
        raise ImgsortError(
            f"There is a class {display(new)} already; `imgsort classes merge {display(old)} "
            f"{display(new)}` makes one of the two."
        )
    if new in now.store.classes.retired().values():
        raise ImgsortError(
            f"The class {display(new)} is retired; bring it back with `imgsort classes restore "
            f"{display(new)}`, then merge the two."
        )
    from imgsort.labels.named_classes import new_classes

    new_classes(now.store, [new], allowed=new_class, besides=old)


@classes.command()
@reported
def merge(
    context: typer.Context,
    source: Name,
    into: Annotated[str, typer.Argument(metavar="INTO", show_default=False)],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make one class part of another: its labels and pictures go there, and it is retired."""
    from imgsort.labels import classes as changing

    with session(opened(context, here), "classes", say) as now:
        one, other = changing.in_use(now.store, source), changing.in_use(now.store, into)
        if one == other:
            raise NothingToDo("That is one class; name two.")
        done = changing.merge(now.workspace, now.store, now.run_id, one, other)
        for left in done.left:
            say(f"{display(os.fspath(left.path))} stays where it is: {left.reason}.")
        _tell(
            now,
            f"{display(one.name)} is part of {display(other.name)} now: "
            f"{counted(len(done.labels), 'label')}, {counted(len(done.moved), 'file')} moved. "
            f"Until the next `imgsort retrain` what the model takes for {display(one.name)} goes "
            f"to unsure/.",
            {
                "labels": len(done.labels),
                "moved": len(done.moved),
                "left": len(done.left),
            },
            as_json,
        )


@classes.command()
@reported
def retire(context: typer.Context, name: Name, here: Here = None, as_json: Json = False) -> None:
    """Give a class up: models say it no more; its pictures and its history stay."""
    from imgsort.labels import classes as changing
    from imgsort.records.class_changes import ClassChange
    from imgsort.store.layouts import layout_of

    with session(opened(context, here), "classes", say) as now:
        one = changing.in_use(now.store, name)
        gone = ClassChange(one.id, "retired", one.name, one.name)
        now.store.classes.change(now.run_id, [gone])
        layout = layout_of(now.workspace, now.store)
        folders = changing.folders_of(now.workspace, layout, one.name)
        changing.remove_if_empty(now.store, one, folders)
        shown = display(one.name)
        _tell(
            now,
            f"{shown} is retired: nothing is filed under it from now on, and the next `imgsort "
            f"retrain` leaves it out. Its pictures stay where they are, its labels are kept; "
            f"`imgsort classes restore {shown}` brings it back.",
            {},
            as_json,
        )


@classes.command()
@reported
def restore(context: typer.Context, name: Name, here: Here = None, as_json: Json = False) -> None:
    """Bring a retired class back, with the labels it had."""
    from imgsort.labels import classes as changing
    from imgsort.records.class_changes import ClassChange

    with session(opened(context, here), "classes", say) as now:
        one = changing.retired(now.store, name)
        back = ClassChange(one.id, "restored", one.name, one.name)
        now.store.classes.change(now.run_id, [back])
        _tell(
            now,
            f"{display(one.name)} is in use again; a model that had learned it files under it, "
            f"others learn it with the next `imgsort retrain`.",
            {},
            as_json,
        )


def _tell(now: CommandSession, sentence: str, more: dict[str, Any], as_json: bool) -> None:
    now.summary = sentence.partition(":")[0].partition(";")[0].rstrip(".")
    if as_json:
        print_json({"run": now.run_id, **more})
        return
    typer.echo(sentence)
    typer.echo(f"`imgsort undo --run {now.run_id}` takes that back.")
