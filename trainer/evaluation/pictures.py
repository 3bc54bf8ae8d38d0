"""What a report wants to know of a comparison, picture by picture and class by class."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from imgsort.trainer.evaluation.comparison import Comparison
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.results import Cell, ClassFinding, Judged, Pictured, Target

MOST_CELLS, MOST_IN_A_CELL = 6, 8
TARGETS = (0.90, 0.95, 0.98)
NOTHING = "nothing"
"""What a model says that knows no class."""


def class_findings(comparison: Comparison) -> tuple[ClassFinding, ...]:
    """Every class that is labelled or known, the ones with most labels first."""
    material, challenger = comparison.trained.material, comparison.trained.challenger
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


def targets(comparison: Comparison) -> tuple[Target, ...]:
    """What each of several target precisions would file of the judged pictures, and get wrong."""
    found = []
    for precision in TARGETS:
        verdicts = comparison.trained.challenger.verdicts(precision)
        filed = [
            verdicts[row].label == truth
            for row, truth in zip(comparison.rows, comparison.truth, strict=True)
            if verdicts[row].decision == "filed"
        ]
        found.append(Target(precision, len(filed), filed.count(False)))
    return tuple(found)


def most_filed(comparison: Comparison) -> int:
    """As many of the judged pictures could be filed if one knew which threshold to take."""
    ranked = sorted(
        (
            (verdict.confidence, verdict.label == truth)
            for verdict, truth in zip(comparison.challenger, comparison.truth, strict=True)
        ),
        reverse=True,
    )
    hits = np.cumsum([right for _, right in ranked])
    wanted = comparison.trained.terms.target_precision * np.arange(1, len(ranked) + 1)
    fitting = np.flatnonzero(hits >= wanted)
    return int(fitting[-1]) + 1 if len(fitting) else 0


def judged(comparison: Comparison) -> tuple[Judged, ...]:
    """All of the test, so that whoever reads a count may see the pictures behind it."""
    return tuple(
        Judged(
            *(picture.sha256, truth, after.label or NOTHING, after.confidence),
            before=before.label or NOTHING,
        )
        for picture, truth, before, after in zip(
            *(comparison.pictures, comparison.truth),
            *(comparison.champion, comparison.challenger),
            strict=True,
        )
    )


def mistakes(comparison: Comparison) -> tuple[Pictured, ...]:
    """All of them, the most confident first."""
    wrong = [
        Pictured(
            sha256=picture.sha256,
            path=comparison.trained.material.path(picture.sha256),
            truth=truth,
            said=verdict.label or NOTHING,
            confidence=verdict.confidence,
            filed=verdict.decision == "filed",
        )
        for picture, truth, verdict in zip(
            comparison.pictures, comparison.truth, comparison.challenger, strict=True
        )
        if verdict.label != truth
    ]
    return tuple(sorted(wrong, key=lambda each: -each.confidence))


def cells(wrong: Sequence[Pictured]) -> tuple[Cell, ...]:
    """The worst confusions, the fullest first, with the pictures behind them."""
    of_pair: dict[tuple[str, str], list[Pictured]] = defaultdict(list)
    for each in wrong:
        of_pair[each.truth, each.said].append(each)
    ranked = sorted(of_pair.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(
        Cell(*pair, len(pictures), tuple(pictures[:MOST_IN_A_CELL]))
        for pair, pictures in ranked[:MOST_CELLS]
    )
