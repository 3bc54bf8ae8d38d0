"""What a training found out: everything the report shows, frozen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.trainer.evaluation.comparison import Shares
from imgsort.trainer.evaluation.gate import GateVerdict
from imgsort.trainer.evaluation.learning_curve import Curve
from imgsort.trainer.evaluation.lower_threshold import Relaxed
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.unknown_classes import Strangers

Standing = Literal["learned", "unlabelled"]


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
class Judged:
    """One picture of the test: what you say of it, and what both models said."""

    sha256: str
    truth: str
    said: str
    confidence: float
    """Of what the new model says."""
    before: str


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
    """``unlabelled``: the first model alone tells it."""
    labels: int
    representative: int
    """Of the labels: those that speak for all pictures."""
    held_out: int
    """Pictures of it that both models were judged on."""
    threshold: float | None
    """Filed from this confidence on; None when nothing is filed under it."""
    right: int
    """Of those held out."""
    champion_right: int
    f1: float | None
    """None where none is held out."""
    champion_f1: float | None


@dataclass(frozen=True, slots=True)
class MaterialCounts:
    """Numbers of labelled pictures by what became of them."""

    labels: int
    """All of them were trained on."""
    representative: int
    held_out: int
    """Both models were judged on them, each by a head that hadn't seen them."""
    alike: int
    """With look-alikes in other folds: they trained, and judged nothing."""
    unreadable: int
    """Their files are gone or can't be read."""
    views: int
    """Augmented views of each picture."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a precision asked for would file of the judged pictures."""

    precision: float
    filed: int
    wrong: int


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
    judged_on: Literal["representative", "all"]
    """Which labelled pictures judged: all of them only where none is representative."""
    material: MaterialCounts
    classes: tuple[ClassFinding, ...]
    evaluation: Evaluation
    champion_evaluation: Evaluation
    shares: Shares
    champion_shares: Shares
    targets: tuple[Target, ...]
    most_filed: int
    """As many could be filed at the present target if one knew which threshold to take."""
    optimism: float
    """What choosing the best recipe would have flattered, had it not been taken off."""
    unchecked_filed: float
    """Of all arrivals: filed, and none of their like was checked by a person."""
    unchecked_unsure: float
    all_alike: bool
    """Nearly every picture looks like others: the test can't keep them apart."""
    retired: tuple[str, ...]
    """ImageNet's names that go, now that the classes are the user's own."""
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
    judged: tuple[Judged, ...] = ()
    """Every picture of the test; a file of its own beside the figures."""
