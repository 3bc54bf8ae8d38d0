"""A model's backbone, put back where its files are gone or damaged: no backup holds it."""

from collections.abc import Callable
from pathlib import Path

from imgsort.errors import ImgsortError, ModelProblem, WeightsMissing
from imgsort.models.backbones import InstalledBackbone, spec_of
from imgsort.models.backbones.install import identify
from imgsort.models.backbones.on_disk import WEIGHTS
from imgsort.models.backbones.upgrade import install_form, installed_weights
from imgsort.models.registry import Registry
from imgsort.models.serving import active_card
from imgsort.records.model_card import ModelCard
from imgsort.workspace.workspace import Workspace


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

    Its weights come from another form of it that is installed, or from where they came from at
    first. ``weights``: a file of Keras's, where they are neither in its cache nor to be downloaded.
    ``preparing`` is called before what takes 10 to 30 s. Raises WeightsMissing, or ModelProblem
    where these weights make another backbone.
    """
    if (standing := _standing(workspace, card)) is not None:
        return standing
    preparing()
    spec, folder = spec_of(card.backbone), workspace.backbones
    for found in installed_weights(spec.name, folder):
        if (installed := install_form(spec.name, card.backbone_id, found, folder)) is not None:
            return installed
    try:
        found = spec.read_weights(weights)
    except WeightsMissing as problem:
        raise WeightsMissing(problem.without_choice) from problem
    if (installed := install_form(spec.name, card.backbone_id, found, folder)) is not None:
        return installed
    raise ModelProblem(
        f"Model v{card.version} looks through {card.backbone_id}, but these weights make "
        f"{identify(spec, found)} here; name the ones it was trained with (--weights FILE), or run "
        f"the imgsort that it was trained with."
    )


def reinstall_others(
    workspace: Workspace, card: ModelCard, *, preparing: Callable[[], None] = lambda: None
) -> list[str]:
    """The same for the backbones that the other versions look through: one may go back to them.

    Returns what was in the way, a sentence each.
    """
    others = {each.backbone_id: each for each in Registry(workspace.models).versions()}
    others.pop(card.backbone_id, None)
    problems = []
    for each in others.values():
        try:
            reinstall(workspace, each, preparing=preparing)
        except ImgsortError as problem:
            problems.append(str(problem))
    return problems


def _standing(workspace: Workspace, card: ModelCard) -> InstalledBackbone | None:
    try:
        backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
        backbone.verified(WEIGHTS)
    except ModelProblem:
        return None
    return backbone
