"""`init`: make a workspace."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, reported, root_of, say
from imgsort.cli.output import print_json, print_table
from imgsort.disk.display import display
from imgsort.errors import BadLabel, NothingToDo

if TYPE_CHECKING:
    from imgsort.models.vocabulary import Vocabulary


@app.command(context_settings={"allow_extra_args": True})
@reported
def init(
    context: typer.Context,
    classes: Annotated[
        str | None,
        typer.Option(help="Class names such as cat,dog,snake. Default: the 1,000 of ImageNet."),
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="auto, resnet50 or efficientnet-lite0 (works offline).")
    ] = "auto",
    weights: Annotated[
        Path | None, typer.Option(help="ResNet50 weights that you have as a file.")
    ] = None,
    learn_only: Annotated[
        bool,
        typer.Option(
            "--learn-only",
            help="Take no word for ImageNet's: the classes learn from your labels alone.",
        ),
    ] = False,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="A folder with one folder for each class: import it and learn from it at once.",
        ),
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make a workspace with a first model that works without any label."""
    _require_nothing_more(context.args, classes)
    _require_fitting(learn_only and classes is None, from_ is not None and as_json)
    root = root_of(context, here)
    from imgsort.care import init as founding
    from imgsort.models.vocabulary import split_words
    from imgsort.workspace.workspace import enclosing_workspace

    founding.check(root, backbone, weights)
    if from_ is not None:
        _require_data_set(root, from_)
    typed = [] if classes is None else split_words(classes)
    if learn_only:
        typed = [f"{word.partition('=')[0]}=" for word in typed]
    vocabulary = None if classes is None else _clear(typed, ask=not as_json)
    say("Preparing the backbone (once, about half a minute)…")
    founded = founding.found(root, vocabulary, backbone, weights)
    if founded.backbone_reason:
        say(founded.backbone_reason)
    if as_json:
        print_json(founding.summary(founded, vocabulary))
        return
    if vocabulary is not None:
        _tell_words(vocabulary)
    if founded.knows_nothing:
        say(
            "These weights have no classification top, so the model knows no class yet: every "
            "image goes to unsure/ until a model has learned from your labels."
        )
    outer = enclosing_workspace(founded.workspace.root)
    if outer is not None:
        say(f"It lies in another workspace, {display(outer)}, which leaves it alone.")
    if from_ is not None:
        _learn_from(context, founded.workspace.root, from_)
    made, inbox = display(founded.workspace.root), display(founded.workspace.inbox)
    typer.echo(f"{made} is ready. Drop images into {inbox} and type:")
    typer.echo(f"  imgsort -C {shlex.quote(made)} run")


def _require_nothing_more(words: list[str], classes: str | None) -> None:
    """Raises BadParameter where names of classes, or a folder, stand where nothing should."""
    if not words:
        return
    if classes is None:
        raise typer.BadParameter(f"{words[0]} is too much; name the folder with -C in front.")
    names = ",".join(word.strip(",") for word in (classes, *words))
    raise typer.BadParameter(
        f"class names are joined by commas, without blanks: --classes {shlex.quote(names)}"
    )


def _require_fitting(nothing_to_learn: bool, three_answers: bool) -> None:
    if nothing_to_learn:
        raise typer.BadParameter("--learn-only goes with --classes.")
    if three_answers:
        raise typer.BadParameter("--json doesn't go with --from: it is three commands in one.")


def _tell_words(vocabulary: "Vocabulary") -> None:
    headings = ("class", "ImageNet classes", "for example", "note")
    rows = vocabulary.rows()
    print_table(headings, ((r.word, r.classes, ", ".join(r.examples), r.note) for r in rows))
    if any(word.sense for word in vocabulary.words):
        say(
            "Where a word means something else to you, write it with = behind it (patches=), "
            "or --learn-only for all: then it learns from your labels alone."
        )


def _require_data_set(root: Path, directory: Path) -> None:
    """Before anything is made. Raises BadDataSet."""
    from imgsort.labels.dataset_folder import find
    from imgsort.workspace.config import Config
    from imgsort.workspace.workspace import Workspace

    find(directory, Workspace(root.absolute(), Config()))


def _learn_from(context: typer.Context, root: Path, directory: Path) -> None:
    """`import` and the first `retrain`; the workspace stands whatever comes of it."""
    from imgsort.cli.import_ import import_
    from imgsort.cli.retrain import retrain

    say(f"Importing {display(directory)}…")
    import_(context, directory, match=False, new_class=True, here=root)
    say("Learning from it…")
    try:
        retrain(context, here=root)
    except typer.Exit as left:  # what lacks, or why the first model stays, has been told
        if left.exit_code != NothingToDo.exit_code:
            raise


def _clear(typed: list[str], *, ask: bool) -> "Vocabulary":
    """What the words stand for; on a terminal, ask which meaning of an ambiguous one is meant."""
    from imgsort.models.vocabulary import resolve

    if not typed:
        raise BadLabel("--classes names no class; give some such as cat,dog,snake or leave it out.")
    vocabulary = resolve(typed)
    while ask and sys.stdin.isatty() and vocabulary.ambiguous:
        word = vocabulary.ambiguous[0]
        say(f"{word.name} means several things:")
        for number, meaning in enumerate(word.candidates, 1):
            say(f"  {number}  {meaning.gloss}: {', '.join(meaning.examples)}")
        answer = typer.prompt("Which one? Number", type=int, err=True)
        if 1 <= answer <= len(word.candidates):
            chosen = word.candidates[answer - 1].wnid
            typed[vocabulary.words.index(word)] = f"{word.name}={chosen}"
            vocabulary = resolve(typed)
    if ask and sys.stdin.isatty():
        vocabulary = _without_slips(vocabulary, typed)
    vocabulary.require_clear()
    return vocabulary


def _without_slips(vocabulary: "Vocabulary", typed: list[str]) -> "Vocabulary":
    """Ask about each word that stands for nothing and is much like one that does."""
    from imgsort.models.vocabulary import resolve
    from imgsort.workspace.slips import slip

    corrected = list(typed)
    for place, word in enumerate(vocabulary.words):
        meant = slip(word.name, word.suggestions) if word.sense is None else None
        if meant is None:
            continue
        question = f"{display(word.name)} stands for nothing; {meant}?"
        if typer.confirm(question, default=True, err=True):
            corrected[place] = meant
    return vocabulary if corrected == typed else resolve(corrected)
