"""The model a job was begun with, kept in its folder: a later model changes nothing in it."""

import shutil
from pathlib import Path

from imgsort.backfill.job import Job, ModelPin
from imgsort.disk.durable import sync_folder, sync_tree
from imgsort.errors import BackfillProblem
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import INT8, is_int8
from imgsort.models.registry import Registry
from imgsort.models.serving import Serving, assembled, head_of
from imgsort.store import Store
from imgsort.workspace.config import ModelSettings
from imgsort.workspace.workspace import Workspace


def pin_of(workspace: Workspace, store: Store, serving: Serving) -> ModelPin:
    """What the workspace would judge with now."""
    config, card = workspace.config.model, serving.card
    retired = store.classes.retired()
    names = {**retired, **store.classes.names()}
    return ModelPin(
        version=card.version,
        head=head_of(card),
        backbone_id=card.backbone_id,
        backbones=str(workspace.backbones.resolve()),
        device=config.device,
        precision=serving.runtime.precision,
        batch_size=config.batch_size,
        top_k=config.top_k,
        confidence=config.confidence,
        names={str(one.id): names.get(one.id, one.name) for one in card.classes},
        retired=tuple(str(one.id) for one in card.classes if one.id in retired),
        thresholds=tuple(serving.classifier.thresholds.tolist()),
    )


def keep_model(workspace: Workspace, folder: Path, version: int) -> None:
    """Copy a version into a job's folder."""
    name = f"v{version:04d}"
    kept, staging = folder / "models" / name, folder / "models" / f".{name}"
    kept.parent.mkdir(exist_ok=True)
    for path in (staging, kept):
        shutil.rmtree(path, ignore_errors=True)
    ignored = shutil.ignore_patterns("report")
    shutil.copytree(workspace.models / name, staging, ignore=ignored)
    sync_tree(staging)
    staging.rename(kept)
    sync_folder(kept.parent)


def carry_backbone(job: Job) -> None:
    """Copy the backbone into the job's folder, for machines that don't see the workspace."""
    pin = job.card.model
    kept = job.backbones / pin.backbone_id
    if kept.exists():
        return
    job.backbones.mkdir(exist_ok=True)
    staging = job.backbones / f".{pin.backbone_id}"
    shutil.rmtree(staging, ignore_errors=True)
    source = Path(pin.backbones, pin.backbone_id)
    shutil.copytree(source, staging, ignore=shutil.ignore_patterns("cache"))
    sync_tree(staging)
    staging.rename(kept)
    sync_folder(job.backbones)


def pinned_serving(job: Job, *, idle: bool = False) -> Serving:
    """The job's model, loaded. Raises ModelProblem, RuntimeUnavailable, BackfillProblem."""
    pin = job.card.model
    registry = Registry(job.models)
    card = registry.card(pin.version)
    settings = ModelSettings(confidence=pin.confidence)
    names = {int(number): name for number, name in pin.names.items()}
    loaded = registry.load(pin.version, names, settings.first_confidence)
    classifier = loaded.limited(
        pin.confidence, [str(one.id) in pin.retired for one in card.classes]
    )
    here = Path(pin.backbones)
    folder = here if (here / pin.backbone_id).is_dir() else job.backbones
    asked = ModelSettings.model_validate(
        {
            "device": pin.device,
            "precision": INT8 if is_int8(pin.precision) else pin.precision,
            "batch_size": pin.batch_size,
            "top_k": pin.top_k,
        }
    )
    backbone = InstalledBackbone.open(folder, pin.backbone_id)
    serving = assembled(card, classifier, backbone, asked, idle=idle)
    if serving.runtime.precision != pin.precision:
        raise BackfillProblem(
            f"The job was begun at {pin.precision}, and this machine computes at "
            f"{serving.runtime.precision}; let other machines do it."
        )
    return serving


def class_ids(serving: Serving) -> dict[str, int]:
    """By what a verdict calls the classes; of two of a name the one that is in use."""
    pairs = zip(serving.classifier.classes, serving.card.classes, strict=True)
    thresholds = serving.classifier.thresholds.tolist()
    ordered = sorted(zip(pairs, thresholds, strict=True), key=lambda one: -one[1])
    return {name: entry.id for (name, entry), _ in ordered}
