"""What was trained, and champion and challenger on the same pictures, which neither has seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.records.verdict import Verdict
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.population import Population, SampleWeights, WeightedShare, weigh
from imgsort.trainer.dataset.split import Dealt, LabelledImage, neighbours
from imgsort.trainer.evaluation.gate import Contest, ModelAnswer
from imgsort.trainer.evaluation.metrics import Evaluation, evaluate
from imgsort.trainer.head.challenger import Challenger
from imgsort.trainer.head.champion import Champion


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    views: int = 0
    """Augmented views of each picture."""
    force: bool = False
    """Train though nothing changed, and serve whatever the gate says."""
    if_new_labels: int = 0
    """Do nothing unless there are so many labels since the last training."""
    keep_imagenet: bool = False
    """Go on telling ImageNet's classes that have no label beside one's own."""


@dataclass(frozen=True, slots=True)
class TrainingTerms:
    """What a training is held to, and what it was made from."""

    options: Options
    target_precision: float
    gate_margin: float
    trained_on: str
    """A hash of labels and settings: the same again would come to the same."""
    precision: str
    backbone_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What the steps before the test came to."""

    terms: TrainingTerms
    material: Material
    grouping: Grouping
    dealt: Dealt
    champion: Champion
    challenger: Challenger
    retired: tuple[str, ...]
    population: Population
    tries: int
    """Challengers of this champion before, on much the same pictures."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What a model is worth on all that arrives, as far as labels tell."""

    right: WeightedShare
    filed: WeightedShare
    filed_right: WeightedShare
    """Of those filed."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The same pictures under both models."""

    trained: Training
    pictures: tuple[LabelledImage, ...]
    rows: NDArray[np.intp]
    """Their rows among all labelled pictures."""
    truth: tuple[str, ...]
    champion: tuple[Verdict, ...]
    challenger: tuple[Verdict, ...]
    weights: SampleWeights

    def evaluations(self) -> tuple[Evaluation, Evaluation]:
        """The champion's, the challenger's; every picture counts once."""
        return evaluate(self.truth, self.champion), evaluate(self.truth, self.challenger)

    def contests(self) -> list[Contest]:
        return [
            Contest(truth, _answer(before), _answer(after), int(group), float(weight))
            for truth, before, after, group, weight in zip(
                self.truth,
                self.champion,
                self.challenger,
                self.weights.groups,
                self.weights.each,
                strict=True,
            )
        ]

    def shares(self) -> tuple[Shares, Shares]:
        """The champion's, the challenger's."""
        return self._shares(self.champion), self._shares(self.challenger)

    def _shares(self, verdicts: Sequence[Verdict]) -> Shares:
        right = np.array([v.label == t for v, t in zip(verdicts, self.truth, strict=True)], bool)
        filed = np.array([verdict.decision == "filed" for verdict in verdicts], bool)
        kept = SampleWeights(self.weights.each[filed], self.weights.groups[filed], 0, 0, 0, 0)
        return Shares(
            self.weights.estimate(right, imputed=True),
            self.weights.estimate(filed),
            kept.estimate(right[filed]),
        )


def compare(trained: Training) -> Comparison:
    """On every picture whose label speaks for others and that both can be judged on.

    Where there is none, on all that are labelled, as it is then said.
    """
    material, grouping, population = trained.material, trained.grouping, trained.population
    champion, challenger = trained.champion, trained.challenger
    rows = np.flatnonzero(challenger.judging)
    rows = rows if len(rows) else np.arange(len(challenger.pictures))
    pictures = [challenger.pictures[row] for row in rows]
    before = champion.judge(material, pictures, neighbours(grouping))
    if not any(before):  # a model of an earlier program, which has seen them all
        before = list(champion.classifier.judge(material.rows(pictures), 1))
    fair = [at for at, verdict in enumerate(before) if verdict is not None]
    after = challenger.verdicts(trained.terms.target_precision)
    of_group = {name: at for at, names in enumerate(grouping.groups) for name in names}
    kept = tuple(pictures[at] for at in fair)
    return Comparison(
        trained=trained,
        pictures=kept,
        rows=rows[fair],
        truth=tuple(material.names[picture.label] for picture in kept),
        champion=tuple(verdict for verdict in before if verdict is not None),
        challenger=tuple(after[row] for row in rows[fair]),
        weights=weigh(
            [population.strata.get(picture.sha256) for picture in kept],
            [of_group[picture.sha256] for picture in kept],
            population.arrived,
        ),
    )


def _answer(verdict: Verdict) -> ModelAnswer:
    return ModelAnswer(verdict.label, verdict.decision == "filed")
