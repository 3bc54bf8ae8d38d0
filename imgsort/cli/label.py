"""`label`: what people say of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.labels.session import CommandSession, session

if TYPE_CHECKING:
    from imgsort.labels.csv_match import Matched
    from imgsort.records.labels import NewLabel
from imgsort.cli.labelled import require_plain, tell_labelled

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
    from imgsort.labels.csv_match import MatchRules
    from imgsort.labels.named_classes import require_in_use, spoken

    with session(workspace, "label", say) as now:
        repeated: list[NewLabel] = []
        if from_csv is None:
            labels, repeated = spoken(workspace, now.store, words[:-1], words[-1])
        else:
            rules = MatchRules(newest_wins, representative)
            labels = _from_file(now, from_csv, rules, skip_unmatched, as_json)
        names = {one.class_name for one in (*labels, *repeated) if one.class_name}
        require_in_use(now.store, names)
        require_plain(now, names, new_class)
        tell_labelled(now, now.put(labels, repeated), as_json)


def _from_file(
    now: CommandSession, file: Path, rules: Any, skip_unmatched: bool, as_json: bool
) -> "list[NewLabel]":
    from imgsort.labels.csv_match import match
    from imgsort.labels.csv_read import read_labels

    read = read_labels(file)
    say(read.said())
    found = now.find([line.picture for line in read.lines])
    matched = match(read.lines, found, now.store.labels.current(), rules)
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
