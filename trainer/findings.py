"""What a training found out: everything the report shows, frozen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.trainer.evaluate import Evaluation
from imgsort.trainer.gate import GateVerdict
from imgsort.trainer.relaxing import Relaxed

Standing = Literal["learned", "kept", "too few"]
Answer = Literal["yes", "no", "unclear"]


@dataclass(frozen=True, slots=True)
class Pictured:
    """One picture with what a human says of it and what the new model says."""

    sha256: str
    path: Path | None
    """Where it lies; None when it is gone."""
    truth: str
    said: str
    confidence: float
    """Of what the model says."""
    filed: bool
    """Whether it would be filed there; else it goes to unsure/."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Held-out pictures of one class that the new model takes for another."""

    truth: str
    said: str
    images: int
    pictures: tuple[Pictured, ...]
    """The most confident of them first; not all of many."""


@dataclass(frozen=True, slots=True)
class ClassFinding:
    """One class."""

    label: str
    standing: Standing
    """``kept``: too few labels to learn it, so it keeps the score it had."""
    labels: int
    representative: int
    """Of the labels: those that speak for all pictures."""
    held_out: int
    threshold: float | None
    """Filed from this confidence on; None when nothing is filed under it."""
    seconded: bool
    """Filed only where the model that knew it before agrees, for want of labels."""
    labels_lacking: int | None
    """About how many more it needs to be learned and filed; 0 when it is; None when more of the
    same kind would not do."""
    f1: float | None
    """On held-out pictures; None where there is none."""
    champion_f1: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The same training with a part of the labels."""

    labels: int
    accuracy: float
    """On the held-out pictures."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Would more labels help?"""

    points: tuple[CurvePoint, ...]
    """The last one is with all labels."""
    helps: Answer
    gain: float
    """What the second half of the labels brought, as a share of the held-out pictures."""
    error: float
    """Standard error of that."""


@dataclass(frozen=True, slots=True)
class Strangers:
    """Pictures of no known class: how many would have been filed?"""

    aside: int
    """Pictures that a human took out of every class."""
    aside_filed: int
    aside_filed_before: int
    """By the model that served."""
    left_out: int
    """Pictures of a class each, judged as if the model had never seen that class."""
    left_out_filed: int


@dataclass(frozen=True, slots=True)
class Material:
    """Numbers of labelled pictures by what became of them."""

    labels: int
    representative: int
    training: int
    held_out: int
    waiting: int
    """On the holdout's side, but not representative: used for nothing yet."""
    bridging: int
    """Near-duplicates of pictures of the other side: left out."""
    unreadable: int
    """Their files are gone or can't be read."""
    views: int
    """Augmented views of each picture."""
    assumed: int
    """Filed pictures that nobody spoke of; they were trained on too, at a low weight."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything about one training."""

    version: int
    champion: int
    made_at: str
    """ISO 8601, UTC."""
    backbone: str
    precision: str
    recipe: str
    """How the head is built, in words."""
    temperature: float
    target_precision: float
    judged_on: Literal["held-out", "out-of-fold"]
    """What the two evaluations were made on: out of fold only where nothing was held out."""
    material: Material
    classes: tuple[ClassFinding, ...]
    evaluation: Evaluation
    champion_evaluation: Evaluation
    verdict: GateVerdict
    promoted: bool
    forced: bool
    """Promoted although the gate said no."""
    curve: Curve | None
    """None where there are too few labels to take some away."""
    strangers: Strangers
    mistakes: tuple[Pictured, ...]
    """The most confident first."""
    cells: tuple[Cell, ...]
    """The fullest first."""
    suspects: tuple[Pictured, ...]
    """Pictures whose label is probably wrong, the surest first."""
    relaxed: Relaxed | None = None
    """What the first model could file, while it goes on serving."""
