"""`bench`: how fast is this machine?"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from imgsort.cli.app import Here, Json, app, reported, root_of, tell_preparing
from imgsort.cli.output import print_json, print_table, progress
from imgsort.errors import ImgsortError

LARGEST_PIXELS = 64_000_000


PICTURE_SIZES = {"500px": (500, 375), "12mp": (4000, 3000)}


@app.command()
@reported
def bench(
    context: typer.Context,
    images: Annotated[
        Path | None,
        typer.Option(help="Measure with the pictures of this folder.", show_default=False),
    ] = None,
    size: Annotated[
        str, typer.Option(help="Generated pictures: WIDTHxHEIGHT, 500px or 12mp.")
    ] = "500px",
    count: Annotated[int, typer.Option(help="Pictures a round.", min=8)] = 320,
    rounds: Annotated[int, typer.Option(help="Rounds; the medians are told.", min=1)] = 3,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="resnet50 or efficientnet-lite0; default: the workspace's.", show_default=False
        ),
    ] = None,
    random_weights: Annotated[
        bool,
        typer.Option(
            "--random-weights", help="Speed doesn't depend on the weights: do without them."
        ),
    ] = False,
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="What to run on.")] = "auto",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "int8"], typer.Option(help="How to calculate.")
    ] = "auto",
    batch_size: Annotated[int, typer.Option(help="Images a batch.", min=1, max=1024)] = 32,
    null_network: Annotated[
        bool,
        typer.Option(
            "--null-network",
            help="A network that costs nothing: what the main process costs besides.",
        ),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Images per second on this machine, stage by stage, beside the bare model."""
    from imgsort.daemon import bench as benching
    from imgsort.daemon.log_output import log_to_stderr
    from imgsort.models.backbones import InstalledBackbone, install
    from imgsort.models.serving import active_card
    from imgsort.workspace.config import Config, ModelSettings
    from imgsort.workspace.workspace import Workspace

    log_to_stderr("warning")
    root = root_of(context, here)
    stock = (
        benching.Stock.from_folder(images)
        if images is not None
        else benching.Stock.generated(*_dimensions(size), count)
    )
    with ExitStack() as stack:
        if backbone is None:
            workspace = Workspace.open(root)
            installed = InstalledBackbone.open(
                workspace.backbones, active_card(workspace).backbone_id
            )
            where = workspace.state
        else:
            where = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imgsort-bench-")))
            tell_preparing()
            installed = install(backbone, where, random_weights=random_weights)
        config = Config(
            model=ModelSettings(device=device, precision=precision, batch_size=batch_size)
        )
        if null_network:
            shown = benching.null_network(installed, stock, config, where, count)
            if as_json:
                print_json(shown.as_dict())
            else:
                typer.echo("\n".join(shown.lines()))
            return
        result = benching.bench(
            installed,
            stock,
            config,
            where,
            images=count,
            rounds=rounds,
            progress=lambda numbers: progress(numbers, rounds, "measuring"),
        )
    if as_json:
        print_json(result.as_dict())
        return
    print_table(("stage", "images/s", "core-ms an image"), result.rows())
    for line in result.lines():
        typer.echo(line)


def _dimensions(size: str) -> tuple[int, int]:
    if size in PICTURE_SIZES:
        return PICTURE_SIZES[size]
    width, times, height = size.lower().partition("x")
    numbers = times and width.isdigit() and height.isdigit()
    if numbers and 0 < int(width) * int(height) <= LARGEST_PIXELS:
        return int(width), int(height)
    raise ImgsortError(
        f"--size {size!r} is no picture size; give WIDTHxHEIGHT in pixels (up to 64 megapixels), "
        f"500px or 12mp."
    )
