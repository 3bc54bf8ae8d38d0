"""A model's backbone, put back where its files are gone or damaged: no backup holds it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from imgsort.backbones import InstalledBackbone, install
from imgsort.backbones.installed import WEIGHTS
from imgsort.errors import ModelProblem, WeightsMissing
from imgsort.modelcard import ModelCard
from imgsort.registry import Registry
from imgsort.serving import active_card
from imgsort.workspace import Workspace


def card_of(workspace: Workspace, version: int | None) -> ModelCard:
    """Of this version, or of the active one. Raises ModelProblem."""
    return active_card(workspace) if version is None else Registry(workspace.models).card(version)


def reinstall(
    workspace: Workspace,
    card: ModelCard,
    weights: Path | None = None,
    *,
    preparing: Callable[[], None] = lambda: None,
) -> InstalledBackbone:
    """Install the backbone that a model looks through; one that is undamaged stays as it is.

    ``weights``: a file of Keras's, where they are neither in its cache nor to be downloaded.
    ``preparing`` is called before what takes 10 to 30 s. Raises WeightsMissing, or ModelProblem
    where these weights make another backbone.
    """
    if (standing := _standing(workspace, card)) is not None:
        return standing
    preparing()
    others = set(workspace.backbones.glob("*"))
    try:
        installed = install(card.backbone, workspace.backbones, weights)
    except WeightsMissing as problem:
        raise WeightsMissing(problem.without_choice) from problem
    if installed.id == card.backbone_id:
        return installed
    if installed.path not in others:
        shutil.rmtree(installed.path)
    raise ModelProblem(
        f"Model v{card.version} looks through {card.backbone_id}, but these weights make "
        f"{installed.id} here; name the ones it was trained with (--weights FILE), or run the "
        f"imgsort that it was trained with."
    )


def _standing(workspace: Workspace, card: ModelCard) -> InstalledBackbone | None:
    try:
        backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
        backbone.verified(WEIGHTS)
    except ModelProblem:
        return None
    return backbone
