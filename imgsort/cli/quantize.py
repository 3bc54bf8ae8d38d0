"""`quantize`: make the int8 form of the backbone, and find out whether it may be used."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import decoding, print_json, print_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imgsort.models.quantize import Quantized


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
        int, typer.Option(help="So many pictures, drawn at random.", min=100, max=3000)
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
    for line in _next_step(done, in_use=workspace.config.model.precision == "int8"):
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


def _next_step(done: "Quantized", *, in_use: bool) -> "Iterator[str]":
    if done.measured.speedup <= 1:
        yield "int8 is kept, but on this machine it is no faster: nothing speaks for using it."
    elif in_use:
        yield "int8 is in use already; a running daemon takes a new form at its next start."
    else:
        yield (
            'Switch it on with precision = "int8" under [model] in config.toml, then start the '
            "daemon anew."
        )
