"""`models`: the registry."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say, tell_preparing, version_number
from imgsort.cli.groups import Whole
from imgsort.cli.output import local, print_json, print_pairs, print_table
from imgsort.records.verdict import NEVER

if TYPE_CHECKING:
    from imgsort.records.model_card import ModelCard

MOST_CLASSES = 30

models = typer.Typer(
    cls=Whole, no_args_is_help=False, help="List, show and switch models.", rich_markup_mode=None
)
app.add_typer(models, name="models", invoke_without_command=True)


@models.callback()
@reported
def overview(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """List the models when no subcommand is named."""
    if here is not None:
        context.obj = here
    if context.invoked_subcommand is None:
        list_models(context, as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"put --json behind {context.invoked_subcommand}.")


@models.command("list")
@reported
def list_models(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Every version; the active one is marked."""
    from imgsort.models.registry import Registry

    registry = Registry(opened(context, here).models)
    active = registry.active()
    cards = registry.versions()
    for problem in registry.damaged().values():
        say(str(problem))
    if as_json:
        print_json([{**card.summary(), "active": card.version == active} for card in cards])
        return
    print_table(
        ("", "version", "kind", "backbone", "precision", "classes", "made"),
        (
            (
                "*" if c.version == active else "",
                f"v{c.version}",
                c.kind,
                c.backbone,
                c.precision,
                len(c.classes),
                local(datetime.fromisoformat(c.created_at)),
            )
            for c in cards
        ),
    )


@models.command()
@reported
def show(
    context: typer.Context,
    version: Annotated[int, typer.Argument(parser=version_number, metavar="V")],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """One version's figures, and its classes, those with most labels first."""
    from imgsort.models.registry import Registry

    registry = Registry(opened(context, here).models)
    card = registry.card(version)
    detail = {**card.summary(), "active": registry.active() == version, **card.detail()}
    if as_json:
        print_json(detail)
        return
    print_pairs([*_facts(card), *_figures(card)])
    shown = _by_labels(card)[:MOST_CLASSES]
    print_table(
        ("class", "labels", "filed from"),
        ((name, labels, "never" if cut == NEVER else f"{cut:.2f}") for name, labels, cut in shown),
    )
    if len(shown) < len(card.classes):
        typer.echo(f"and {len(card.classes) - len(shown):,} more; `--json` has them all.")


def _facts(card: "ModelCard") -> list[tuple[str, object]]:
    """What it is, and when it was made."""
    parent = [] if card.parent is None else [("trained from", f"v{card.parent}")]
    return [
        ("version", f"v{card.version}"),
        ("kind", card.kind),
        ("looks through", f"{card.backbone}, {card.precision}"),
        ("classes", f"{len(card.classes):,}"),
        *parent,
        ("made", local(datetime.fromisoformat(card.created_at))),
    ]


def _figures(card: "ModelCard") -> list[tuple[str, object]]:
    """What its test said, in pictures."""
    held_out, new = card.training.held_out, card.training.new
    if not held_out:
        return []
    filed, right = new.filed, new.filed_right
    figures: list[tuple[str, object]] = [("shown in its test", f"{held_out:,} images")]
    if new.right is not None:
        figures.append(("of them right", f"{new.right:,}"))
    if filed is not None and right is not None:
        figures.append(("filed", f"{filed:,}, {filed - right or 'none'} of them wrongly"))
    return figures


def _by_labels(card: "ModelCard") -> list[tuple[str, int, float]]:
    """Name, labels and threshold of each class: those with most labels first, then by name."""
    labels = card.training.labels_of
    rows = [
        (entry.name, labels.get(entry.id, 0), cut)
        for entry, cut in zip(card.classes, card.thresholds, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


@models.command()
@reported
def activate(
    context: typer.Context,
    version: Annotated[int, typer.Argument(parser=version_number, metavar="V")],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Make a version the one that judges; a running daemon changes over between two batches."""
    from imgsort.models.backbones import InstalledBackbone
    from imgsort.models.registry import Registry

    workspace = opened(context, here)
    registry = Registry(workspace.models)
    InstalledBackbone.open(workspace.backbones, registry.card(version).backbone_id)
    registry.activate(version)
    _tell(version, as_json)


@models.command()
@reported
def rollback(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Go back to the version that was active before."""
    from imgsort.models.registry import Registry

    _tell(Registry(opened(context, here).models).rollback(), as_json)


@models.command()
@reported
def reinstall(
    context: typer.Context,
    version: Annotated[
        int | None,
        typer.Argument(
            parser=version_number, metavar="[V]", help="Default: the active one, then the others."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keras's file of the backbone's weights.")
    ] = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Put back the backbone that a version looks through, where it is gone or damaged."""
    from imgsort.models import reinstall as reinstalling

    workspace = opened(context, here)
    card = reinstalling.card_of(workspace, version)
    installed = reinstalling.reinstall(workspace, card, weights, preparing=tell_preparing)
    if version is None:
        for problem in reinstalling.reinstall_others(workspace, card, preparing=tell_preparing):
            say(problem)
    if as_json:
        print_json({"version": card.version, "backbone": installed.name, "id": installed.id})
    else:
        typer.echo(f"The backbone {installed.id} of model v{card.version} is in place.")


def _tell(version: int, as_json: bool) -> None:
    if as_json:
        print_json({"version": version, "active": True})
    else:
        typer.echo(f"Model v{version} is active.")
