"""A training's results as values: findings for the report, a draft for the registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import JsonValue

from imgsort.modelcard import ClassEntry, ModelDraft
from imgsort.trainer import findings as found
from imgsort.trainer.challenger import Challenger
from imgsort.trainer.champion import Champion
from imgsort.trainer.dataset import Split
from imgsort.trainer.evaluate import Evaluation
from imgsort.trainer.examine import (
    cells,
    class_findings,
    curve_of,
    doubtful,
    hold_exam,
    mistakes,
    relaxed_champion,
    strangers,
)
from imgsort.trainer.findings import Findings
from imgsort.trainer.gate import Contest, GateVerdict, decide, learned_something, unlearned
from imgsort.trainer.groups import Grouping
from imgsort.trainer.lessons import Lessons
from imgsort.trainer.material import Material


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    views: int = 0
    """Augmented views of each picture."""
    force: bool = False
    """Train though nothing changed, and serve whatever the gate says."""
    if_new_labels: int = 0
    """Do nothing unless there are so many labels since the last training."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a training is held to, and what it was made from."""

    options: Options
    target_precision: float
    gate_margin: float
    trained_on: str
    """A hash of labels and settings: the same again would come to the same."""
    precision: str


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What the steps before the test came to."""

    terms: Terms
    material: Material
    grouping: Grouping
    split: Split
    lessons: Lessons
    champion: Champion
    challenger: Challenger


def tested(trained: Trained, watch: Callable[[int, int], None]) -> Findings:
    """Both models on the same pictures, and the gate's word on it.

    Everything but the version, which the registry gives (0 until then).
    """
    terms, material, split = trained.terms, trained.material, trained.split
    champion, challenger = trained.champion, trained.challenger
    exam = hold_exam(material, split, champion, challenger)
    contests = exam.contests(trained.grouping) if split.holdout else []
    verdict = verdict_on(challenger, contests, champion, terms.gate_margin)
    before, after = exam.evaluations()
    return Findings(
        version=0,
        champion=champion.card.version,
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        backbone=champion.card.backbone,
        precision=terms.precision,
        recipe=recipe_in_words(challenger),
        temperature=challenger.temperature,
        target_precision=terms.target_precision,
        judged_on="held-out" if split.holdout else "out-of-fold",
        material=_counted(trained),
        classes=class_findings(material, split, challenger, (before, after)),
        evaluation=after,
        champion_evaluation=before,
        verdict=verdict,
        promoted=verdict.promoted or terms.options.force,
        forced=terms.options.force and not verdict.promoted,
        curve=curve_of(material, split, trained.lessons, challenger, watch),
        strangers=strangers(material, champion, challenger),
        mistakes=mistakes(material, exam),
        cells=cells(material, exam),
        suspects=doubtful(material, split, challenger),
        relaxed=(
            None
            if verdict.promoted or terms.options.force
            else relaxed_champion(material, champion, terms.target_precision)
        ),
    )


def verdict_on(
    challenger: Challenger, contests: Sequence[Contest], champion: Champion, gate_margin: float
) -> GateVerdict:
    """The gate's word; never for a model that its labels taught nothing."""
    verdict = decide(contests, champion.classifier.classes, gate_margin)
    if verdict.promoted and not _taught(challenger):
        return unlearned(verdict, len(challenger.training))
    return verdict


def _taught(challenger: Challenger) -> bool:
    answers = challenger.out_of_fold[: len(challenger.training)].argmax(axis=1)
    labels = [picture.label for picture in challenger.training]
    return learned_something(labels, [challenger.class_ids[at] for at in answers])


def numbered(findings: Findings, version: int) -> Findings:
    return replace(findings, version=version)


def draft_of(trained: Trained, findings: Findings) -> ModelDraft:
    """The challenger as the registry takes it."""
    champion, challenger = trained.champion, trained.challenger
    names = trained.material.names
    return ModelDraft(
        kind="dense",
        backbone=champion.card.backbone,
        backbone_id=champion.card.backbone_id,
        precision=trained.terms.precision,
        classes=tuple(ClassEntry(each, names[each]) for each in challenger.class_ids),
        thresholds=challenger.cuts,
        tensors=challenger.tensors,
        temperature=challenger.temperature,
        metrics=_metrics(trained.terms, findings),
        parent=champion.card.version,
    )


def recipe_in_words(challenger: Challenger) -> str:
    """How the head is built."""
    recipe, steps = challenger.fitted.chosen.recipe, challenger.fitted.chosen.steps
    advice = f", beside the old head at {challenger.trust:g}" if challenger.trust else ""
    if recipe.kind == "nearest-mean":
        return f"nearest class mean{advice}"
    training = f"L2 {recipe.l2:g}, {steps} steps{advice}"
    if not recipe.width:
        return f"one dense layer, {training}"
    return f"{recipe.width} hidden units, dropout {recipe.dropout:g}, {training}"


def _metrics(terms: Terms, findings: Findings) -> dict[str, JsonValue]:
    verdict = findings.verdict
    return {
        "trained_on": terms.trained_on,
        "labels": findings.material.labels,
        "training": findings.material.training,
        "held_out": findings.material.held_out,
        "augmented_views": terms.options.views,
        "recipe": findings.recipe,
        "target_precision": terms.target_precision,
        "judged_on": findings.judged_on,
        "new": _in_short(findings.evaluation),
        "before": _in_short(findings.champion_evaluation),
        "gate": {
            "promoted": verdict.promoted,
            "provisional": verdict.provisional,
            "forced": findings.forced,
            "lower_bound": verdict.lower_bound,
            "sentence": verdict.sentence,
        },
    }


def _in_short(evaluation: Evaluation) -> dict[str, JsonValue]:
    return {
        "accuracy": evaluation.accuracy,
        "balanced_accuracy": evaluation.balanced_accuracy,
        "macro_f1": evaluation.macro_f1,
        "ece": evaluation.ece,
        "filed": evaluation.filed,
        "filed_right": evaluation.filed_right,
    }


def _counted(trained: Trained) -> found.Material:
    material, split = trained.material, trained.split
    return found.Material(
        labels=len(material.labelled),
        representative=sum(picture.representative for picture in material.labelled),
        training=len(split.training),
        held_out=len(split.holdout),
        waiting=len(split.waiting),
        bridging=len(split.bridging),
        unreadable=material.unreadable,
        views=trained.terms.options.views,
        assumed=int((trained.lessons.pictures < 0).sum()),
    )
