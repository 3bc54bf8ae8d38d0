"""`report`: what is known of a model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo

if TYPE_CHECKING:
    from imgsort.models.registry import Registry


@app.command()
@reported
def report(
    context: typer.Context,
    version: Annotated[
        int | None,
        typer.Argument(help="Default: the newest that was trained.", min=1, show_default=False),
    ] = None,
    path_only: Annotated[
        bool, typer.Option("--open-path-only", help="Print the path of the page, nothing else.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """What is known of a trained model; the whole of it is a page for the browser."""
    from imgsort.models.registry import Registry

    registry = Registry(opened(context, here).models)
    chosen = _newest(registry) if version is None else registry.card(version).version
    folder = registry.report(chosen)
    page = folder / "index.html"
    if not page.is_file():
        raise ImgsortError(
            f"Model v{chosen} has no report; only models that `imgsort retrain` made have one."
        )
    if path_only:
        typer.echo(display(str(page)))
        return
    metrics, summary = _metrics(folder / "metrics.json")
    if as_json:
        print_json({**metrics, "report": str(page)})
        return
    for line in summary:
        typer.echo(display(line))
    typer.echo(f"Report: {display(str(page))}")


def _newest(registry: "Registry") -> int:
    trained = [
        card.version for card in registry.versions() if registry.report(card.version).is_dir()
    ]
    if not trained:
        raise NothingToDo(
            "No model has been trained yet; label some images, then `imgsort retrain`."
        )
    return trained[-1]


def _metrics(path: Path) -> tuple[dict[str, Any], list[str]]:
    """All of it, and the sentences for people."""
    try:
        metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        summary = [str(line) for line in metrics["summary"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise ImgsortError(
            f"{path} is missing or damaged; the page beside it may still open in a browser."
        ) from None
    return metrics, summary
