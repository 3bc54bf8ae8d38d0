"""What a model says of one image, and why it isn't sure. Plain values: no NumPy, no model."""

import itertools
from dataclasses import dataclass
from typing import Literal

from imgsort.records.reasons import Reason, ReasonCode

NOTHING_KNOWN = Reason(ReasonCode.NOTHING_KNOWN, "no class is known yet")
NOT_FINITE = Reason(ReasonCode.NOT_FINITE, "the network's numbers for this image are not finite")
NOTHING_FITS = Reason(ReasonCode.NOTHING_FITS, "no known class fits at all")
UNLIKE = Reason(ReasonCode.UNLIKE, "unlike anything known")
NOT_FILED_YET = Reason(
    ReasonCode.NOT_FILED_YET, "this class isn't told surely enough yet to file under it"
)
CLASS_RETIRED = Reason(ReasonCode.CLASS_RETIRED, "this class is retired")

NEVER = 2.0
"""Threshold of a class that no confidence is enough for."""
RETIRED = 3.0
"""Threshold of a class that was given up after the model had learned it."""


@dataclass(frozen=True, slots=True)
class Score:
    """One class and its confidence, 0 to 1."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model says of one image; ``label`` is the best class even when it is unsure."""

    label: str
    """Empty when there is no best class: the model knows none, or its numbers are not finite."""
    confidence: float
    decision: Literal["filed", "unsure"]
    doubt: Reason | None
    """Why the image is unsure; None when it is filed."""
    top_k: tuple[Score, ...]
    """Best first, ties in class order; shorter than asked for when there are fewer classes."""
    unlikeness: float | None = None
    """Distance from what the model was trained on, in units of the limit beyond which a picture is
    unlike anything known; None for a model that doesn't tell, or where it wasn't kept."""
    precision: str | None = None
    """At which the network calculated what decided; None where it wasn't kept."""

    @property
    def folder(self) -> str | None:
        """The class it is filed under; None is unsure/."""
        return self.label if self.decision == "filed" else None

    @property
    def reason(self) -> str | None:
        """The doubt in words."""
        return None if self.doubt is None else self.doubt.sentence


def shortfall(confidence: float, threshold: float) -> Reason | None:
    """Why this confidence doesn't suffice, or None. The two numbers never look the same."""
    if threshold == NEVER:
        return NOT_FILED_YET
    if threshold == RETIRED:
        return CLASS_RETIRED
    if confidence >= threshold:
        # A threshold of 0 files everything, but nothing under a class that stands for nothing.
        return None if confidence > 0 else NOTHING_FITS
    for digits in itertools.count(2):
        has, needs = f"{confidence:.{digits}f}", f"{threshold:.{digits}f}"
        if has != needs:
            break
    whole, _, decimals = needs.partition(".")
    least = f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    return Reason(ReasonCode.LOW_CONFIDENCE, f"confidence {has} is below {least}")
