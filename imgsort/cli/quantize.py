"""`quantize`: make the int8 form of the backbone, and find out whether it may be used."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import decoding, print_json, print_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgsort.models.backbones.int8 import First
    from imgsort.models.quantize import Quantized
    from imgsort.workspace.config import ModelSettings


@app.command()
@reported
def quantize(
    context: typer.Context,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Pictures to work with; default: those in sorted/ and unsure/, else the inbox.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(help="So many pictures, drawn at random.", min=100, max=100_000)
    ] = 300,
    again: Annotated[
        bool,
        typer.Option("--again", help="Make a new int8 form though a sound one is there."),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make int8 from your pictures; keep it if it decides as float32 does on others of them."""
    workspace = opened(context, here)
    from imgsort.models.classify import pictures_in
    from imgsort.models.quantize import QuantizeTerms, own_pictures, quantize

    readable = workspace.config.decode.suffixes
    paths = own_pictures(workspace, count) if images is None else pictures_in([images], readable)
    say("Calibrating and measuring (about a minute)…")
    with decoding() as progress:
        done = quantize(workspace, paths, QuantizeTerms(count, again), progress)
    if as_json:
        print_json(done.as_dict())
        return
    print_pairs(_facts(done))
    typer.echo("")
    for line in _next_step(done, workspace.config.model):
        typer.echo(line)


def _facts(done: "Quantized") -> "Iterator[tuple[str, object]]":
    figures, found = done.measured, done.measured.agreement
    yield "model", f"v{done.card.version} on {done.card.backbone}"
    yield "int8 form", f"{done.record.precision}, {'new' if done.made else 'as it was'}"
    yield "calibrated on", f"{len(done.record.calibrated_on):,} pictures"
    yield "measured on", f"{found.pictures:,} others"
    yield (
        "same decision",
        f"{found.same_decisions:,} ({found.decided_alike:.1%}; "
        f"at least {figures.lower_bound:.1%} with 95 % confidence)",
    )
    yield "same best class", f"{found.same_labels:,} ({found.labelled_alike:.1%})"
    yield "mean cosine", f"{found.mean_cosine:.4f}"
    yield "speed", f"{figures.speedup:.2f} times float32's, the network alone"
    if figures.first is not None:
        yield from _first(figures.first, figures.speedup)


def _first(first: "First", alone: float) -> "Iterator[tuple[str, object]]":
    """What it is with the exact network where it is close."""
    exact = first.exact
    yield (
        f"with {exact} where close",
        f"{first.same_decisions:,} of {first.pictures:,} the same (at least "
        f"{first.lower_bound:.2%} with 95 % confidence)",
    )
    yield (
        f"asked again in {exact}",
        f"{first.asked_again:,} ({first.share_asked:.1%}); {first.speedup(alone):.2f} times "
        f"float32's speed",
    )


def _next_step(done: "Quantized", settings: "ModelSettings") -> "Iterator[str]":
    first, alone = done.measured.first, done.measured.speedup
    if settings.precision == "auto" and first is not None:
        yield from _by_itself(first, alone)
    if done.measured.speedup <= 1:
        yield "int8 is kept, but on this machine it is no faster: nothing speaks for using it."
    elif settings.precision == "int8":
        yield "int8 is in use already; a running daemon takes a new form at its next start."
    elif done.measured.alone:
        yield (
            'Switch it on with precision = "int8" under [model] in config.toml, then start the '
            "daemon anew."
        )


def _by_itself(first: "First", alone: float) -> "Iterator[str]":
    from imgsort.models.quantize import QuantizeTerms
    from imgsort.models.runtimes.choice import has_vnni
    from imgsort.models.screening import shortcoming

    why = shortcoming(first, alone, QuantizeTerms().promise)
    if not has_vnni():
        why = "this CPU doesn't sum up int8 in hardware (VNNI)"
    if why is None:
        yield f"The daemon uses it by itself, with {first.exact} where it is close."
    else:
        yield f"The daemon doesn't use it by itself: {why}."
