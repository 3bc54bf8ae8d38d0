"""The first model of a workspace once more, to be published as the next version."""

from dataclasses import replace
from typing import Any

from imgsort.models.registry import Registry
from imgsort.records.model_card import ModelDraft


def first_model_again(registry: Registry, **changes: Any) -> ModelDraft:
    """``changes``: fields in which the draft differs from version 1."""
    card = registry.card(1)
    draft = ModelDraft(
        kind=card.kind,
        backbone=card.backbone,
        backbone_id=card.backbone_id,
        precision=card.precision,
        classes=card.classes,
        thresholds=card.thresholds,
        tensors=registry.tensors(1),
    )
    return replace(draft, **changes)
