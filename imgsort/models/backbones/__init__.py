"""The frozen networks that turn pictures into embeddings: what there is, and installing one."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from imgsort.errors import ImgsortError
from imgsort.models.backbones import efficientnet_lite0, resnet50
from imgsort.models.backbones.install import install_spec
from imgsort.models.backbones.on_disk import InstalledBackbone
from imgsort.models.backbones.spec import BackboneSpec

__all__ = [
    "BACKBONES",
    "BackboneSpec",
    "InstalledBackbone",
    "install",
    "resolve_auto",
    "spec_of",
]

BACKBONES: Mapping[str, BackboneSpec] = MappingProxyType(
    {spec.name: spec for spec in (resnet50.SPEC, efficientnet_lite0.SPEC)}
)


def install(
    name: str,
    folder: Path,
    weights: Path | None = None,
    *,
    random_weights: bool = False,
    inner: bool = True,
) -> InstalledBackbone:
    """Make ``folder/<id>/`` for a backbone, or open it where it is there already.

    ``random_weights`` is for measuring speed; without ``inner`` layers it is the form that earlier
    versions made. Takes 10 to 30 s: Keras builds the network and
    OpenVINO converts it. Raises WeightsMissing.
    """
    spec = spec_of(name) if inner else spec_of(name).final_only()
    return install_spec(spec, folder, weights, random=random_weights)


def spec_of(name: str) -> BackboneSpec:
    """Raises ImgsortError where there is none."""
    if name not in BACKBONES:
        raise ImgsortError(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.")
    return BACKBONES[name]


def resolve_auto(weights: Path | None) -> tuple[str, str]:
    """Which backbone ``auto`` means here, and why in one line. Takes up to 5 s without network."""
    if weights is not None:
        return "resnet50", f"resnet50, with the weights in {weights}"
    if (path := resnet50.cached()) is not None:
        return "resnet50", f"resnet50, with the weights in {path}"
    if resnet50.downloadable():
        return "resnet50", f"resnet50, with weights downloaded from {resnet50.WITH_TOP.url}"
    return (
        "efficientnet-lite0",
        "efficientnet-lite0, because resnet50's weights are neither on this machine nor in reach",
    )
