"""What a report wants to know of a trained model, picture by picture and class by class."""

from collections import Counter, defaultdict

import numpy as np

from imgsort.records.verdict import Verdict
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.evaluation.comparison import Comparison
from imgsort.trainer.evaluation.label_errors import suspects
from imgsort.trainer.evaluation.lower_threshold import FEWEST, Relaxed, relaxed
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.results import Cell, ClassFinding, Pictured, Strangers, Target
from imgsort.trainer.evaluation.unknown_classes import filed_when_unknown
from imgsort.trainer.head.challenger import Challenger
from imgsort.trainer.head.champion import Champion

MOST_CELLS, MOST_IN_A_CELL = 6, 8
MOST_MISTAKES = 24
MOST_SUSPECTS = 200
TARGETS = (0.90, 0.95, 0.98)


def class_findings(
    material: Material, challenger: Challenger, comparison: Comparison
) -> tuple[ClassFinding, ...]:
    """Every class that is labelled or known, the ones with most labels first."""
    labels = material.per_class()
    representative = Counter(p.label for p in material.labelled if p.representative)
    before, after = (_f1(evaluation) for evaluation in comparison.evaluations())
    was, now = (
        Counter(
            truth
            for truth, verdict in zip(comparison.truth, verdicts, strict=True)
            if verdict.label == truth
        )
        for verdicts in (comparison.champion, comparison.challenger)
    )
    held_out = Counter(comparison.truth)
    found = [
        ClassFinding(
            label=(name := material.names[number]),
            standing="learned" if labels[number] else "unlabelled",
            labels=labels[number],
            representative=representative[number],
            held_out=held_out[name],
            threshold=cut if cut <= 1 else None,
            right=now[name],
            champion_right=was[name],
            f1=after.get(name),
            champion_f1=before.get(name),
        )
        for number, cut in zip(challenger.class_ids, challenger.cuts, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: (-each.labels, each.label)))


def _f1(evaluation: Evaluation) -> dict[str, float]:
    return {each.label: each.f1 for each in evaluation.classes}


def targets(challenger: Challenger, comparison: Comparison) -> tuple[Target, ...]:
    """What each of several target precisions would file of the judged pictures, and get wrong."""
    found = []
    for precision in TARGETS:
        verdicts = challenger.verdicts(precision)
        filed = [
            verdicts[row].label == truth
            for row, truth in zip(comparison.rows, comparison.truth, strict=True)
            if verdicts[row].decision == "filed"
        ]
        found.append(Target(precision, len(filed), filed.count(False)))
    return tuple(found)


def most_filed(comparison: Comparison, target_precision: float) -> int:
    """As many of the judged pictures could be filed if one knew which threshold to take."""
    ranked = sorted(
        (
            (verdict.confidence, verdict.label == truth)
            for verdict, truth in zip(comparison.challenger, comparison.truth, strict=True)
        ),
        reverse=True,
    )
    hits = np.cumsum([right for _, right in ranked])
    fitting = np.flatnonzero(hits >= target_precision * np.arange(1, len(ranked) + 1))
    return int(fitting[-1]) + 1 if len(fitting) else 0


def mistakes(material: Material, comparison: Comparison) -> tuple[Pictured, ...]:
    """The most confident first."""
    wrong = [
        _pictured(material, picture.sha256, truth, verdict)
        for picture, truth, verdict in zip(
            comparison.pictures, comparison.truth, comparison.challenger, strict=True
        )
        if verdict.label != truth
    ]
    return tuple(sorted(wrong, key=lambda each: -each.confidence)[:MOST_MISTAKES])


def cells(material: Material, comparison: Comparison) -> tuple[Cell, ...]:
    """The worst confusions, the fullest first, with the pictures behind them."""
    of_pair: dict[tuple[str, str], list[Pictured]] = defaultdict(list)
    for picture, truth, verdict in zip(
        comparison.pictures, comparison.truth, comparison.challenger, strict=True
    ):
        if verdict.label != truth:
            shown = _pictured(material, picture.sha256, truth, verdict)
            of_pair[truth, shown.said].append(shown)
    ranked = sorted(of_pair.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(
        Cell(
            truth,
            said,
            len(pictures),
            tuple(sorted(pictures, key=lambda each: -each.confidence)[:MOST_IN_A_CELL]),
        )
        for (truth, said), pictures in ranked[:MOST_CELLS]
    )


def relaxed_champion(
    material: Material, champion: Champion, target_precision: float
) -> Relaxed | None:
    """On every representative picture: the first model was trained on none of them."""
    pictures = [picture for picture in material.labelled if picture.representative]
    if champion.card.kind != "imagenet" or len(pictures) < FEWEST:
        return None
    return relaxed(
        champion.classifier.judge(material.rows(pictures), 1),
        [material.names[picture.label] for picture in pictures],
        champion.confidence,
        target_precision,
    )


def doubtful(material: Material, challenger: Challenger) -> tuple[Pictured, ...]:
    """Labels that heads which hadn't seen the picture contradict."""
    scores, pictures = challenger.out_of_fold, challenger.pictures
    found = suspects(scores, challenger.truth)[:MOST_SUSPECTS]
    return tuple(
        Pictured(
            sha256=pictures[each.row].sha256,
            path=material.path(pictures[each.row].sha256),
            truth=material.names[pictures[each.row].label],
            said=challenger.classifier.classes[each.seems],
            confidence=float(scores[each.row, each.seems]),
            filed=bool(scores[each.row, each.seems] >= challenger.cuts[each.seems]),
        )
        for each in found
    )


def strangers(material: Material, champion: Champion, challenger: Challenger) -> Strangers:
    """Pictures put aside by a human, and known classes taken for unknown."""
    aside = material.of(material.aside)
    filed = [
        sum(verdict.decision == "filed" for verdict in model.judge(aside, 1)) if len(aside) else 0
        for model in (challenger.classifier, champion.classifier)
    ]
    left_out, left_out_filed = filed_when_unknown(
        material.rows(challenger.pictures)[:, : material.blocks[0]],
        challenger.out_of_fold[:, : challenger.labelled],
        challenger.truth,
        np.array(challenger.cuts[: challenger.labelled]),
        challenger.model.novelty,
    )
    return Strangers(len(material.aside), filed[0], filed[1], left_out, left_out_filed)


def _pictured(material: Material, sha256: str, truth: str, verdict: Verdict) -> Pictured:
    return Pictured(
        sha256=sha256,
        path=material.path(sha256),
        truth=truth,
        said=verdict.label or "nothing",
        confidence=verdict.confidence,
        filed=verdict.decision == "filed",
    )
