"""Could the first model, which came without labels, file more than it does?

Its one threshold (`model.confidence`) is a guess made before anybody had seen a picture of this
library. Representative labels tell what it is worth here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from imgsort.intervals import Z_95_ONE_SIDED, lower_bound
from imgsort.records.verdict import Verdict
from imgsort.trainer.evaluation.comparison import Training

FEWEST = 20
"""Representative pictures below which nothing is said."""
LOWEST = 0.2
WORTHWHILE = 0.1
"""Of the pictures: less is not worth a change of the configuration."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What the serving model would file of representative pictures at a lower confidence."""

    confidence: float
    """Of two decimals, to be typed."""
    filed: int
    right: int
    before: int
    """How many it files now."""
    images: int


def relaxed_champion(trained: Training) -> Relaxed | None:
    """On every representative picture: the first model was trained on none of them."""
    material, champion = trained.material, trained.champion
    pictures = [picture for picture in material.labelled if picture.representative]
    if champion.card.kind != "imagenet" or len(pictures) < FEWEST:
        return None
    return relaxed(
        champion.classifier.judge(material.rows(pictures), 1),
        [material.names[picture.label] for picture in pictures],
        champion.confidence,
        trained.terms.target_precision,
    )


def relaxed(
    verdicts: Sequence[Verdict], truth: Sequence[str], confidence: float, target_precision: float
) -> Relaxed | None:
    """The lowest confidence, if any is worthwhile, at which the one-sided 95 % bound of the share
    that is filed rightly still reaches ``target_precision``. ``confidence``: the one of now."""
    ranked = sorted(
        (
            (verdict.confidence, verdict.label == name)
            for verdict, name in zip(verdicts, truth, strict=True)
        ),
        reverse=True,
    )
    before = sum(score >= confidence for score, _ in ranked)
    best = None
    for score in sorted({floor(score * 100) / 100 for score, _ in ranked}, reverse=True):
        if not LOWEST <= score < confidence:
            continue
        filed = [right for each, right in ranked if each >= score]
        if lower_bound(sum(filed), len(filed), Z_95_ONE_SIDED) >= target_precision:
            best = Relaxed(score, len(filed), sum(filed), before, len(ranked))
    if best is None or best.filed - before < WORTHWHILE * len(ranked):
        return None
    return best
