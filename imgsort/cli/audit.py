"""`audit`: pictures drawn at random, judged by a person, and the honest accuracy."""

import secrets
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.labelled import files_moved, require_plain
from imgsort.cli.output import print_json, print_table
from imgsort.disk.display import display
from imgsort.errors import BadLabel, ImgsortError, NothingToDo
from imgsort.labels.session import CommandSession, session
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.labels.accuracy import Answer, Share
    from imgsort.labels.audit import Answers, Drawn

SKIP, STOP = "s", "q"


@app.command()
@reported
def audit(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(metavar="[N]", help="How many pictures to draw.", min=1)
    ] = 50,
    links: Annotated[
        bool, typer.Option("--links", help="Lay them out as a folder of links and audit.csv.")
    ] = False,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Take back the audit.csv you filled in.")
    ] = None,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="Draw only from what went to unsure/.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Draw as an earlier audit did.", min=0)
    ] = None,
    new_class: Annotated[
        bool, typer.Option("--new-class", help="Make a class whose name is much like another's.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Judge pictures drawn at random: the honest accuracy, and labels that count for judging."""
    workspace = opened(context, here)
    from imgsort.labels.audit import answers_from_csv, draw_audit, lay_out

    if answers is not None:
        with session(workspace, "answers", say) as now:
            _take(now, answers_from_csv(now.store, answers), new_class, as_json)
        return
    with session(workspace, "audit", say) as now:
        chosen = secrets.randbits(32) if seed is None else seed
        drawn = draw_audit(now.store, now.run_id, number, chosen, unsure=unsure)
        now.summary = f"drew {len(drawn.drawn)} of {drawn.candidates} pictures"
        among = "pictures that the model was unsure of" if unsure else "pictures"
        say(
            f"Drew {len(drawn.drawn):,} of {drawn.candidates:,} {among} (run {drawn.run_id}, "
            f"seed {drawn.seed})."
        )
        if not links:
            answered, skipped = _ask_all(now, drawn.drawn)
            if not answered:
                raise NothingToDo("Nothing was answered; the next audit may draw these again.")
            _tell(answered, skipped, as_json)
            return
        folder = lay_out(workspace, drawn)
    if as_json:
        print_json(
            {"folder": str(folder), "drawn": len(drawn.drawn), "run": drawn.run_id, "seed": chosen}
        )
        return
    typer.echo(f"{folder} has a link to each, in the folder of what it was taken for.")
    typer.echo("Move wrong ones to the right folder, remove those you can't tell, then type:")
    typer.echo(f"  imgsort -C {workspace.root} confirm {folder}")
    typer.echo("or fill in the column label of audit.csv (the class, or y for right), and type:")
    typer.echo(f"  imgsort -C {workspace.root} audit --answers {folder / 'audit.csv'}")


def take_links(workspace: Workspace, folder: Path, as_json: bool) -> None:
    """`confirm` on an audit's folder: each link lies where it belongs."""
    from imgsort.labels.audit import answers_from_links, clear

    with session(workspace, "answers", say) as now:
        _take(now, answers_from_links(now.store, folder), new_class=False, as_json=as_json)
    if clear(folder):
        say(f"{display(folder.name)} is recorded and removed.")


def _take(now: CommandSession, back: "Answers", new_class: bool, as_json: bool) -> None:
    """All answers of a list, or none."""
    from imgsort.labels.audit import unsaid

    for trouble in back.troubles:
        say(trouble)
    if back.troubles:
        raise ImgsortError(
            f"Nothing was recorded: {len(back.troubles):,} answers can't be used; correct them "
            f"and try again."
        )
    if not back.answers:
        raise NothingToDo("There are no answers; fill in the column label, or leave links there.")
    require_plain(now, {one.truth for one in back.answers}, new_class)
    done = now.put(unsaid(now.store, back.answers))
    for left in done.left:
        say(f"{display(str(left.path))} is labelled but stays where it is: {left.reason}.")
    now.summary = f"{len(back.answers)} answers, {len(done.moved)} files moved"
    say(files_moved(len(done.moved)))
    _tell(list(back.answers), back.skipped, as_json)


def _ask_all(now: CommandSession, drawn: "Collection[Drawn]") -> "tuple[list[Answer], int]":
    """Ask about each in turn; every answer is on disk before the next question."""
    from imgsort.labels.audit import label_of

    answered, skipped, known = [], 0, 0
    classes = set(now.store.classes.names().values())
    for number, one in enumerate(drawn, 1):
        truth = one.known
        if truth is not None:
            known += 1
        else:
            truth = _asked(one, f"{number} of {len(drawn)}", classes)
        if truth == STOP:
            break
        if truth == SKIP:
            skipped += 1
            continue
        answer = one.answer(truth)
        for left in now.put([label_of(answer)]).left:
            say(f"{display(str(left.path))} stays where it is: {left.reason}.")
        classes.add(truth)
        answered.append(answer)
    if known:
        say(f"{known:,} of them you had labelled before; they count as you called them.")
    return answered, skipped


def _asked(one: "Drawn", place: str, classes: Collection[str]) -> str:
    """A class name, SKIP or STOP. The end of the input stops as well."""
    picture = one.picture
    say(f"[{place}] {display(str(picture.path))}")
    guess = picture.guess
    says = "The model has no guess" if guess is None else f"The model says {display(guess)}"
    sure = "" if picture.confidence is None else f" ({picture.confidence:.2f}, {picture.decision})"
    right = "" if guess is None else "Enter: right, "
    doubtful = None
    while True:
        typer.echo(f"  {says}{sure}. {right}a class name, s: skip, q: stop > ", err=True, nl=False)
        line = sys.stdin.readline()
        text = line.strip()
        if not line:
            return STOP
        if not text and guess is not None:
            return guess
        if text in {SKIP, STOP}:
            return text
        if not text:
            continue
        name = _plain(text)
        if name is None:
            continue
        if name in classes or name == doubtful:
            return name
        doubtful = name
        say(f"  {display(name)} is no class yet ({_known(classes)}); type it again to make it one.")


def _plain(text: str) -> str | None:
    from imgsort.workspace.class_names import checked_label

    try:
        return checked_label(text)
    except BadLabel as problem:
        say(f"  {problem}")
        return None


def _known(classes: Collection[str]) -> str:
    listed = sorted(classes)
    return display(", ".join(listed[:8]) + (", …" if len(listed) > 8 else ""))  # noqa: PLR2004


def _tell(answered: "list[Answer]", skipped: int, as_json: bool) -> None:
    from imgsort.labels.accuracy import estimate

    result = estimate(answered, skipped)
    if as_json:
        print_json(result.as_dict())
        return
    typer.echo(f"Best guess right, of all drawn:  {result.overall}")
    typer.echo(f"Right, of what was filed:        {result.filed}")
    if result.classes:
        rows = ((one.name, *_cells(one.share)) for one in result.classes)
        print_table(("filed as", "right", "drawn", "precision", "95 % interval"), rows)
    if len(result.models) > 1:
        models = ", ".join(f"v{version}" for version in result.models)
        typer.echo(f"These are guesses of several models ({models}), as they were filed.")
    if skipped:
        typer.echo(
            f"{skipped:,} drawn pictures have no answer and count nowhere; if they were the hard "
            f"ones, the truth is lower."
        )


def _cells(share: "Share") -> tuple[object, ...]:
    low, high = share.interval.low, share.interval.high
    return share.right, share.of, f"{share.estimate or 0:.1%}", f"{low:.1%} to {high:.1%}"
