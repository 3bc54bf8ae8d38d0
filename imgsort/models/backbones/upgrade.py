"""From one form of a backbone to another, with nothing but what is installed."""

from collections.abc import Iterator
from pathlib import Path

from imgsort.errors import ModelProblem
from imgsort.models.backbones import InstalledBackbone, spec_of
from imgsort.models.backbones.install import identify, install_weights
from imgsort.models.backbones.on_disk import WEIGHTS
from imgsort.models.backbones.spec import Weights


def with_inner_layers(backbone: InstalledBackbone, folder: Path) -> InstalledBackbone:
    """The form whose embeddings go on with means of inner layers, made in ``folder`` where need be.

    The given one stays beside it. Takes 10 to 30 s the first time. Raises ModelProblem.
    """
    if backbone.inner:
        return backbone
    return install_weights(spec_of(backbone.name), weights_of(backbone), folder)


def install_form(
    name: str, backbone_id: str, weights: Weights, folder: Path
) -> InstalledBackbone | None:
    """Make the form that has this id of these weights; None where none of them has."""
    spec = spec_of(name)
    for form in (spec, spec.final_only()):
        if identify(form, weights) == backbone_id:
            return install_weights(form, weights, folder)
    return None


def installed_weights(name: str, folder: Path) -> Iterator[Weights]:
    """Of every undamaged backbone of this name in ``folder``."""
    for path in sorted(folder.glob(f"{name}-*")):
        try:
            yield weights_of(InstalledBackbone.open(folder, path.name))
        except ModelProblem:
            continue


def weights_of(backbone: InstalledBackbone) -> Weights:
    """Its own, with the ImageNet head where it has one. Raises ModelProblem."""
    import safetensors.numpy

    body = safetensors.numpy.load_file(backbone.verified(WEIGHTS))
    return Weights(body, backbone.imagenet_head(), backbone.card.weights)
