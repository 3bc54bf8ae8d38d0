"""`confirm`: what lies there is right."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.labels.session import CommandSession, session

if TYPE_CHECKING:
    from imgsort.labels.confirm import Confirmation


@app.command()
@reported
def confirm(
    context: typer.Context,
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH_OR_FOLDER...",
            help="Class folders (sorted/cat), all of sorted/, an audit's folder, or pictures.",
            show_default=False,
        ),
    ],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Say that you looked through folders and that what is in them now is right."""
    workspace = opened(context, here)
    from imgsort.labels.audit import is_audit_folder
    from imgsort.labels.folder_pictures import confirmed, folder_named, locate

    folder = folder_named(workspace, places[0], Path.cwd())
    if folder is not None and is_audit_folder(folder):
        if len(places) > 1:
            raise ImgsortError(f"{folder} is an audit; confirm it by itself.")
        from imgsort.cli.audit import take_links

        take_links(workspace, folder, as_json)
        return
    with session(workspace, "confirm", say) as now:
        seen = replace(locate(workspace, now.store, places, Path.cwd()), until=now.newest)
        result = confirmed(workspace, now.store, seen)
        for one in result.contradictions:
            where = " and ".join(one.class_names)
            say(f"The same picture ({one.sha256[:12]}) lies in {where}; move one of the two.")
        now.store.labels.add(now.run_id, result.labels)  # confirming moves nothing
        now.summary = f"{result.confirmed} confirmed, {len(result.labels)} new labels"
        _tell_confirmed(result, as_json)
        if workspace.unsure in seen.folders:
            _tell_unsure(now, news=bool(result.labels))
        if not result.labels:
            raise NothingToDo("All of that was confirmed before, or there is no picture in it.")


def _tell_unsure(now: CommandSession, *, news: bool) -> None:
    """There is no class that its pictures could be confirmed to be. Raises NothingToDo without
    ``news`` of those that were moved out."""
    unsure = now.workspace.unsure
    waiting = sum(not one.missing for one in now.store.pictures.below(unsure))
    if not waiting:
        return
    what = f"the {counted(waiting, 'picture')} in it to their classes, then confirm those."
    if news:
        say(f"{unsure.name}/ is no class, so what lies in it has no label; move {what}")
        return
    raise NothingToDo(f"{unsure.name}/ is no class, so there is nothing to confirm; move {what}")


def _tell_confirmed(result: "Confirmation", as_json: bool) -> None:
    drawn = sum(one.representative for one in result.labels)
    if as_json:
        print_json(result.as_dict())
        return
    if not (result.confirmed or result.labels):
        return
    moved = f" ({result.moved_out:,} that you had moved out before)" if result.moved_out else ""
    typer.echo(
        f"{counted(result.confirmed, 'picture')} confirmed; {drawn:,} more count from now on when "
        f"a model is judged{moved}."
    )
    for name, number in result.waiting.items():
        folder = f"sorted/{name}" if name else "unsure"
        typer.echo(
            f"{number:,} came from {display(folder)} by hand: they count for training, and for "
            f"judging a model once you confirm that folder too."
        )
