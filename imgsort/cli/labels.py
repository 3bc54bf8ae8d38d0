"""`label` and `export`: what people say of pictures."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import counted, print_json
from imgsort.cli.sitting import Sitting, sitting
from imgsort.display import display
from imgsort.errors import ImgsortError, NothingToDo

if TYPE_CHECKING:
    from imgsort.labelers import Labelled
    from imgsort.labelling import NewLabel
    from imgsort.matching import Matched

SHOWN = 20
_PAIR = 2


@app.command()
@reported
def label(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH_OR_ID... LABEL",
            help="Pictures (path, id of the log, sha256 or its beginning, name), then the class.",
            show_default=False,
        ),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", help="Labels of many pictures, one a line; all or none."),
    ] = None,
    newest_wins: Annotated[
        bool,
        typer.Option("--newest-wins", help="With --from-csv: contradictions go by their time."),
    ] = False,
    skip_unmatched: Annotated[
        bool, typer.Option("--skip-unmatched", help="With --from-csv: leave out what isn't here.")
    ] = False,
    representative: Annotated[
        bool,
        typer.Option(
            "--representative", help="With --from-csv: nobody picked these for being wrong."
        ),
    ] = False,
    new_class: Annotated[
        bool, typer.Option("--new-class", help="Make a class whose name is much like another's.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Say what pictures are; each moves to the folder of its class."""
    words = words or []
    if from_csv is None and len(words) < _PAIR:
        raise typer.BadParameter("name pictures and then the class, or give --from-csv FILE.")
    if from_csv is not None and words:
        raise typer.BadParameter("--from-csv names the pictures; give no others.")
    if from_csv is None and (newest_wins or skip_unmatched or representative):
        raise typer.BadParameter("--newest-wins and the like go with --from-csv.")
    workspace = opened(context, here)
    from imgsort.matching import Rules
    from imgsort.speaking import require_in_use, spoken

    with sitting(workspace, "label") as now:
        repeated: list[NewLabel] = []
        if from_csv is None:
            labels, repeated = spoken(workspace, now.store, words[:-1], words[-1])
        else:
            rules = Rules(newest_wins, representative)
            labels = _from_file(now, from_csv, rules, skip_unmatched, as_json)
        names = {one.class_name for one in (*labels, *repeated) if one.class_name}
        require_in_use(now.store, names)
        require_plain(now, names, new_class)
        tell_labelled(now, now.put(labels, repeated), as_json)


def _from_file(
    now: Sitting, file: Path, rules: Any, skip_unmatched: bool, as_json: bool
) -> "list[NewLabel]":
    from imgsort.labels_csv import read_labels
    from imgsort.matching import match

    read = read_labels(file)
    say(read.said())
    found = now.find([line.picture for line in read.lines])
    matched = match(read.lines, found, now.store.current_labels(), rules)
    amiss = [*read.bad, *matched.unmatched]
    _list([f"Line {one.line} ({display(one.text)}): {one.reason}." for one in amiss])
    _list(
        f"Line {one.line} ({display(one.text)}) says {one.there}, but {one.here}."
        for one in matched.conflicts
    )
    refused = read.bad or matched.conflicts or (matched.unmatched and not skip_unmatched)
    if refused and as_json:
        print_json(_refusal(matched, amiss))
    if read.bad or matched.conflicts or (matched.unmatched and not skip_unmatched):
        raise ImgsortError(_advice(matched, len(read.bad)))
    if not matched.labels:
        raise NothingToDo(
            f"{file} says nothing new: {matched.already:,} labels are known, "
            f"{matched.outdated:,} are older than yours, {len(matched.unmatched):,} match no "
            f"picture, {read.blank:,} lines are blank."
        )
    return list(matched.labels)


def _refusal(matched: "Matched", amiss: Sequence[Any]) -> dict[str, Any]:
    return {
        "labelled": 0,
        "unmatched": [{"line": a.line, "text": a.text, "reason": a.reason} for a in amiss],
        "conflicts": [
            {"line": one.line, "text": one.text, "here": one.here, "there": one.there}
            for one in matched.conflicts
        ],
    }


def _advice(matched: "Matched", bad: int) -> str:
    if matched.conflicts:
        step = "settle them, or let the later word win with --newest-wins"
        what = f"{counted(len(matched.conflicts), 'contradiction')} of what was said before"
    elif bad:
        what, step = f"{counted(bad, 'line')} can't be used", "correct what is listed above"
    else:
        what = f"{counted(len(matched.unmatched), 'line')} without a picture here"
        step = "correct what is listed above, or leave it out with --skip-unmatched"
    return f"Nothing was labelled: {what}; {step}."


def _list(lines: Any) -> None:
    listed = list(lines)
    for line in listed[:SHOWN]:
        say(line)
    if len(listed) > SHOWN:
        say(f"… and {len(listed) - SHOWN:,} more (--json lists all).")


def require_plain(now: Sitting, names: Collection[str], allowed: bool) -> None:
    """Say which classes are new; refuse what may be a slip for a known one."""
    from imgsort.speaking import new_classes

    for name in new_classes(now.store, names, allowed=allowed):
        say(f"{display(name)} is a new class.")


def tell_labelled(now: Sitting, done: "Labelled", as_json: bool) -> None:
    """What was written down and what moved."""
    for one in done.left:
        say(f"{display(os.fspath(one.path))} is labelled but stays where it is: {one.reason}.")
    counts = done.counts()
    now.summary = f"{len(done.written):,} labelled, {files_moved(len(done.moved)).rstrip('.')}"
    if as_json:
        print_json(labelled_dict(done))
        return
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"
    typer.echo(f"Labelled: {display(listed)}. {files_moved(len(done.moved))}")


def files_moved(number: int) -> str:
    return f"{counted(number, 'file')} moved."


def labelled_dict(done: "Labelled") -> dict[str, Any]:
    """For scripts."""
    return {
        "labelled": len(done.written),
        "by_class": done.counts(),
        "moved": [
            {
                "id": one.errand.arrival_id,
                "from": display(os.fspath(one.errand.source)),
                "to": display(os.fspath(one.path)),
            }
            for one in done.moved
        ],
        "left": [
            {"id": o.errand.arrival_id, "path": display(os.fspath(o.path)), "reason": o.reason}
            for o in done.left
        ],
    }


@app.command()
@reported
def export(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of to stdout.")
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Print every label as CSV by content; `label --from-csv` reads it in another workspace."""
    workspace = opened(context, here)
    from dataclasses import asdict

    from imgsort.exporting import exported, write_labels
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        labels = list(exported(store))
    if as_json:
        print_json([asdict(one) for one in labels])
        return
    if output is None:
        write_labels(labels, sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            write_labels(labels, file)
    except OSError as problem:
        raise ImgsortError(
            f"{output} can't be written ({problem.strerror}); name another file."
        ) from None
    typer.echo(f"{len(labels):,} labels written to {output}.")
