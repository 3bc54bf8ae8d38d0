"""A training's results as values: findings for the report, a draft for the registry."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from imgsort.records.model_card import ClassEntry, ModelDraft
from imgsort.records.training_metrics import GateWord, ModelFigures, TrainingMetrics
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.population import Population
from imgsort.trainer.dataset.split import Dealt
from imgsort.trainer.evaluation import results as found
from imgsort.trainer.evaluation.comparison import Comparison, compare
from imgsort.trainer.evaluation.gate import GateVerdict, decide, learned_something, unlearned
from imgsort.trainer.evaluation.learning_curve import learning_curve
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.pictures import (
    cells,
    class_findings,
    doubtful,
    mistakes,
    most_filed,
    relaxed_champion,
    strangers,
    targets,
)
from imgsort.trainer.evaluation.results import Findings, Shares
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


def tested(trained: Training, watch: Callable[[int, int], None]) -> Findings:
    """Both models on the same pictures, and the gate's word on it.

    Everything but the version, which the registry gives (0 until then).
    """
    terms, material = trained.terms, trained.material
    champion, challenger = trained.champion, trained.challenger
    comparison = compare(
        material,
        trained.grouping,
        (champion, challenger),
        terms.target_precision,
        trained.population,
    )
    verdict = verdict_on(trained, comparison)
    before, after = comparison.evaluations()
    shares_before, shares_after = comparison.shares()
    return Findings(
        version=0,
        champion=champion.card.version,
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        backbone=champion.card.backbone,
        precision=terms.precision,
        recipe=str(challenger.recipe),
        temperature=challenger.model.temperature,
        target_precision=terms.target_precision,
        judged_on="representative" if challenger.judging.any() else "all",
        material=_counted(trained, comparison),
        classes=class_findings(material, challenger, comparison),
        evaluation=after,
        champion_evaluation=before,
        shares=shares_after,
        champion_shares=shares_before,
        targets=targets(challenger, comparison),
        most_filed=most_filed(comparison, terms.target_precision),
        optimism=challenger.optimism,
        unchecked_filed=comparison.weights.unknown_filed,
        unchecked_unsure=comparison.weights.unknown_unsure,
        all_alike=trained.dealt.all_alike,
        retired=trained.retired,
        verdict=verdict,
        promoted=verdict.promoted or terms.options.force,
        forced=terms.options.force and not verdict.promoted,
        curve=learning_curve(challenger, watch),
        strangers=strangers(material, champion, challenger),
        mistakes=mistakes(material, comparison),
        cells=cells(material, comparison),
        suspects=doubtful(material, challenger),
        relaxed=(
            None
            if verdict.promoted or terms.options.force
            else relaxed_champion(material, champion, terms.target_precision)
        ),
    )


def verdict_on(trained: Training, comparison: Comparison) -> GateVerdict:
    """The gate's word; never for a model that its labels taught nothing."""
    terms, challenger = trained.terms, trained.challenger
    verdict = decide(
        comparison.contests() if challenger.judging.any() else [],
        frozenset(trained.champion.classifier.classes),
        terms.gate_margin,
        terms.target_precision,
        trained.tries,
    )
    if verdict.promoted and not _taught(challenger):
        return unlearned(verdict, len(challenger.pictures))
    return verdict


def _taught(challenger: Challenger) -> bool:
    return learned_something(challenger.truth, challenger.answers)


def numbered(findings: Findings, version: int) -> Findings:
    return replace(findings, version=version)


def draft_of(trained: Training, findings: Findings) -> ModelDraft:
    """The challenger as the registry takes it."""
    champion, challenger = trained.champion, trained.challenger
    names = trained.material.names
    return ModelDraft(
        kind="learned",
        backbone=champion.card.backbone,
        backbone_id=trained.terms.backbone_id,
        precision=trained.terms.precision,
        classes=tuple(ClassEntry(each, names[each]) for each in challenger.class_ids),
        thresholds=challenger.cuts,
        tensors=challenger.model.tensors(),
        temperature=challenger.model.temperature,
        metrics=_metrics(trained, findings).as_json(),
        parent=champion.card.version,
    )


def _metrics(trained: Training, findings: Findings) -> TrainingMetrics:
    terms, verdict = trained.terms, findings.verdict
    return TrainingMetrics(
        trained_on=terms.trained_on,
        labels=findings.material.labels,
        labels_of=dict(trained.material.per_class()),
        held_out=findings.material.held_out,
        augmented_views=terms.options.views,
        recipe=findings.recipe,
        target_precision=terms.target_precision,
        judged_on=findings.judged_on,
        new=_in_short(findings.evaluation, findings.shares),
        before=_in_short(findings.champion_evaluation, findings.champion_shares),
        gate=GateWord(
            promoted=verdict.promoted,
            provisional=verdict.provisional,
            forced=findings.forced,
            lower_bound=None if verdict.overall is None else verdict.overall.bound,
            sentence=verdict.sentence,
        ),
    )


def _in_short(evaluation: Evaluation, shares: Shares) -> ModelFigures:
    return ModelFigures(
        accuracy=shares.right.share,
        accuracy_low=shares.right.low,
        accuracy_high=shares.right.high,
        right=round(evaluation.accuracy * evaluation.images),
        balanced_accuracy=evaluation.balanced_accuracy,
        macro_f1=evaluation.macro_f1,
        ece=evaluation.ece,
        filed=evaluation.filed,
        filed_right=evaluation.filed_right,
    )


def _counted(trained: Training, comparison: Comparison) -> found.MaterialCounts:
    material = trained.material
    return found.MaterialCounts(
        labels=len(material.labelled),
        representative=sum(picture.representative for picture in material.labelled),
        held_out=len(comparison.pictures),
        alike=len(trained.dealt.alike),
        unreadable=material.unreadable,
        views=trained.terms.options.views,
    )
