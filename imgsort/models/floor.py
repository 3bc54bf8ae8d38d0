"""From which confidence on pictures are filed, in words: the model's thresholds and the floor."""

from imgsort.records.model_card import ModelCard
from imgsort.records.verdict import NEVER
from imgsort.workspace.config import FIRST_CONFIDENCE


def filed_from(card: ModelCard, floor: float | None) -> str:
    """For `status` and `check-config`; ``floor`` is ``model.confidence``, None if it is unset."""
    own = _own(card)
    if not own:
        if floor is not None:
            return f"{_short(floor)} on (model.confidence)"
        return f"{_short(FIRST_CONFIDENCE)} on" if card.kind == "imagenet" else "nothing, yet"
    if floor is None:
        return f"{_span(own)}, by class, as v{card.version} has learned"
    held = sum(each < floor for each in own)
    if not held:
        return (
            f"{_span(own)}, by class, as v{card.version} has learned; model.confidence = "
            f"{_short(floor)} holds back nothing more"
        )
    return (
        f"{_span([max(each, floor) for each in own])}, by class: model.confidence = "
        f"{_short(floor)} holds {held:,} of {len(own):,} classes back, which v{card.version} would "
        f"file from {_span(own)}"
    )


def _own(card: ModelCard) -> list[float]:
    """The thresholds that a model has learned, to two digits."""
    if card.kind == "imagenet":
        return []
    return sorted(round(each, 2) for each in card.thresholds if each != NEVER)


def _span(thresholds: list[float]) -> str:
    lowest, highest = _short(min(thresholds)), _short(max(thresholds))
    return f"{lowest} on" if lowest == highest else f"{lowest} to {highest} on"


def _short(threshold: float) -> str:
    """Two digits, or as many as a person typed."""
    exact = f"{threshold:.6g}"
    return f"{threshold:.2f}" if len(exact) <= len("0.00") else exact
