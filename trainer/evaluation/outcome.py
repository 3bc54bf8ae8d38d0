"""A training's results as values: findings for the report, a draft for the registry."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from imgsort.records.model_card import ClassEntry, ModelDraft
from imgsort.records.training_metrics import GateWord, ModelFigures, TrainingMetrics
from imgsort.trainer.evaluation.comparison import Comparison, Shares, Training, compare
from imgsort.trainer.evaluation.gate import GateVerdict, decide, learned_something, unlearned
from imgsort.trainer.evaluation.label_errors import doubtful
from imgsort.trainer.evaluation.learning_curve import learning_curve
from imgsort.trainer.evaluation.lower_threshold import relaxed_champion
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.pictures import (
    cells,
    class_findings,
    judged,
    mistakes,
    most_filed,
    targets,
)
from imgsort.trainer.evaluation.results import Findings, MaterialCounts
from imgsort.trainer.evaluation.unknown_classes import strangers

MOST_MISTAKES = 24


def tested(trained: Training, watch: Callable[[int, int], None]) -> Findings:
    """Both models on the same pictures, and the gate's word on it.

    Everything but the version, which the registry gives (0 until then).
    """
    terms, champion, challenger = trained.terms, trained.champion, trained.challenger
    comparison = compare(trained)
    verdict = verdict_on(comparison)
    promoted, wrong = verdict.promoted or terms.options.force, mistakes(comparison)
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
        material=_counted(comparison),
        classes=class_findings(comparison),
        evaluation=after,
        champion_evaluation=before,
        shares=shares_after,
        champion_shares=shares_before,
        targets=targets(comparison),
        most_filed=most_filed(comparison),
        optimism=challenger.optimism,
        unchecked_filed=comparison.weights.unknown_filed,
        unchecked_unsure=comparison.weights.unknown_unsure,
        all_alike=trained.dealt.all_alike,
        retired=trained.retired,
        verdict=verdict,
        promoted=promoted,
        forced=promoted and not verdict.promoted,
        curve=learning_curve(challenger, watch),
        strangers=strangers(trained),
        mistakes=wrong[:MOST_MISTAKES],
        cells=cells(wrong),
        suspects=doubtful(trained),
        relaxed=None if promoted else relaxed_champion(trained),
        judged=judged(comparison),
    )


def _counted(comparison: Comparison) -> MaterialCounts:
    trained, material = comparison.trained, comparison.trained.material
    return MaterialCounts(
        labels=len(material.labelled),
        representative=sum(picture.representative for picture in material.labelled),
        held_out=len(comparison.pictures),
        alike=len(trained.dealt.alike),
        unreadable=material.unreadable,
        views=trained.terms.options.views,
    )


def verdict_on(comparison: Comparison) -> GateVerdict:
    """The gate's word; never for a model that its labels taught nothing."""
    trained, challenger = comparison.trained, comparison.trained.challenger
    verdict = decide(
        comparison.contests() if challenger.judging.any() else [],
        frozenset(trained.champion.classifier.classes),
        trained.terms.gate_margin,
        trained.terms.target_precision,
        trained.tries,
    )
    if verdict.promoted and not learned_something(challenger.truth, challenger.answers):
        return unlearned(verdict, len(challenger.pictures))
    return verdict


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
