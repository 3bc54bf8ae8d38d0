"""Champion and challenger on the same pictures, and everything else a report wants to know."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Classifier
from imgsort.dense_model import familiarity_of
from imgsort.trainer.challenger import Challenger
from imgsort.trainer.champion import Champion
from imgsort.trainer.curve import learning_curve
from imgsort.trainer.dataset import Labelled, Split
from imgsort.trainer.evaluate import Evaluation, Judged, evaluate
from imgsort.trainer.findings import (
    Cell,
    ClassFinding,
    Curve,
    Pictured,
    Strangers,
)
from imgsort.trainer.gate import FEWEST, Contest
from imgsort.trainer.groups import Grouping
from imgsort.trainer.lessons import LEAST, Lessons
from imgsort.trainer.material import Material
from imgsort.trainer.relaxing import Relaxed, relaxed
from imgsort.trainer.strangers import filed_when_unknown
from imgsort.trainer.suspects import suspects
from imgsort.verdict import Verdict

TOP_K = 5
MOST_CELLS, MOST_IN_A_CELL = 6, 8
MOST_MISTAKES = 24
MOST_SUSPECTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """The same pictures under both models."""

    pictures: tuple[Labelled, ...]
    truth: tuple[str, ...]
    champion: tuple[Verdict, ...]
    challenger: tuple[Verdict, ...]

    def evaluations(self) -> tuple[Evaluation, Evaluation]:
        """The champion's, the challenger's."""
        return _evaluation(self.truth, self.champion), _evaluation(self.truth, self.challenger)

    def contests(self, grouping: Grouping) -> list[Contest]:
        of_picture = {name: at for at, group in enumerate(grouping.groups) for name in group}
        return [
            Contest(truth, champion.label, challenger.label, of_picture[picture.sha256])
            for picture, truth, champion, challenger in zip(
                self.pictures, self.truth, self.champion, self.challenger, strict=True
            )
        ]


def hold_exam(material: Material, split: Split, champion: Champion, challenger: Challenger) -> Exam:
    """On the holdout; out of fold where nothing is held out, which flatters the champion."""
    pictures = split.holdout or challenger.training
    embeddings = material.rows(pictures)
    new = (
        _judged(challenger.classifier, embeddings)
        if split.holdout
        else _judged_by_scores(challenger, embeddings)
    )
    return Exam(
        pictures=pictures,
        truth=tuple(material.names[picture.label] for picture in pictures),
        champion=_judged(champion.classifier, embeddings),
        challenger=new,
    )


def _judged(classifier: Classifier, embeddings: NDArray[np.float32]) -> tuple[Verdict, ...]:
    return tuple(classifier.judge(embeddings, TOP_K))


class _Answers:
    """A head that gives answers made before, row by row."""

    def __init__(self, classes: tuple[str, ...], answers: NDArray[np.float32]) -> None:
        self.classes, self._answers = classes, answers

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG002
        return self._answers


def _judged_by_scores(
    challenger: Challenger, embeddings: NDArray[np.float32]
) -> tuple[Verdict, ...]:
    head = _Answers(challenger.classifier.classes, challenger.out_of_fold)
    return _judged(Classifier(head, challenger.cuts), embeddings)


def _evaluation(truth: Sequence[str], verdicts: Sequence[Verdict]) -> Evaluation:
    return evaluate([Judged(*one) for one in zip(truth, verdicts, strict=True)])


def class_findings(
    material: Material, split: Split, challenger: Challenger, evaluations: tuple[Evaluation, ...]
) -> tuple[ClassFinding, ...]:
    """Every class that is labelled or known, the ones with most labels first."""
    labels = material.per_class()
    trained = Counter(picture.label for picture in split.training)
    representative = Counter(p.label for p in material.labelled if p.representative)
    held_out = Counter(picture.label for picture in split.holdout)
    before, after = ({each.label: each.f1 for each in one.classes} for one in evaluations)
    found = []
    for number in {*labels, *challenger.class_ids}:
        name, threshold = material.names[number], challenger.thresholds.get(number)
        found.append(
            ClassFinding(
                label=name,
                standing=(
                    "learned"
                    if number in challenger.learned
                    else "kept"
                    if number in challenger.kept
                    else "too few"
                ),
                labels=labels[number],
                representative=representative[number],
                held_out=held_out[number],
                threshold=_filed_from(challenger, number),
                seconded=number in challenger.unproven,
                labels_lacking=(
                    max(LEAST - trained[number], 1)
                    if threshold is None
                    else threshold.labels_lacking
                ),
                f1=after.get(name),
                champion_f1=before.get(name),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.labels, each.label)))


def _filed_from(challenger: Challenger, number: int) -> float | None:
    if number not in challenger.class_ids:
        return None
    cut = challenger.cuts[challenger.class_ids.index(number)]
    return cut if cut <= 1 else None


def mistakes(material: Material, exam: Exam) -> tuple[Pictured, ...]:
    """The most confident first."""
    wrong = [
        _pictured(material, picture.sha256, truth, verdict)
        for picture, truth, verdict in zip(exam.pictures, exam.truth, exam.challenger, strict=True)
        if verdict.label != truth
    ]
    return tuple(sorted(wrong, key=lambda each: -each.confidence)[:MOST_MISTAKES])


def cells(material: Material, exam: Exam) -> tuple[Cell, ...]:
    """The worst confusions, the fullest first, with the pictures behind them."""
    of_pair: dict[tuple[str, str], list[Pictured]] = defaultdict(list)
    for picture, truth, verdict in zip(exam.pictures, exam.truth, exam.challenger, strict=True):
        if verdict.label != truth:
            shown = _pictured(material, picture.sha256, truth, verdict)
            of_pair[truth, verdict.label].append(shown)
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
        _judged(champion.classifier, material.rows(pictures)),
        [material.names[picture.label] for picture in pictures],
        champion.confidence,
        target_precision,
    )


def doubtful(material: Material, split: Split, challenger: Challenger) -> tuple[Pictured, ...]:
    """Labels that models which hadn't seen them contradict: out of fold, and of the rest."""
    unseen = (*split.holdout, *split.waiting)
    scores = challenger.out_of_fold
    if unseen:
        judged = challenger.classifier.head.scores(material.rows(unseen))
        scores = np.concatenate([scores, judged])
    pictures = (*challenger.training, *unseen)
    columns = {number: at for at, number in enumerate(challenger.class_ids)}
    labels = np.array([columns.get(picture.label, -1) for picture in pictures], np.intp)
    found = suspects(scores, labels)[:MOST_SUSPECTS]
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
    filed = [
        sum(verdict.decision == "filed" for verdict in _judged(model, material.of(material.aside)))
        if material.aside
        else 0
        for model in (challenger.classifier, champion.classifier)
    ]
    count = len(challenger.learned)
    columns: Mapping[int, int] = {number: at for at, number in enumerate(challenger.learned)}
    familiarity = familiarity_of(challenger.tensors)
    assert familiarity is not None  # noqa: S101 - a challenger always tells what it has seen
    left_out, left_out_filed = filed_when_unknown(
        material.rows(challenger.training),
        challenger.out_of_fold[:, :count],
        np.array([columns[picture.label] for picture in challenger.training], np.intp),
        np.array(challenger.cuts[:count]),
        familiarity,
    )
    return Strangers(len(material.aside), filed[0], filed[1], left_out, left_out_filed)


def curve_of(
    material: Material,
    split: Split,
    lessons: Lessons,
    challenger: Challenger,
    watch: Callable[[int, int], None],
) -> Curve | None:
    """On the held-out pictures of learned classes."""
    judged = [picture for picture in split.holdout if picture.label in challenger.learned]
    return learning_curve(
        lessons,
        challenger,
        material.rows(judged),
        np.array([challenger.learned.index(picture.label) for picture in judged], np.intp),
        watch,
    )


def _pictured(material: Material, sha256: str, truth: str, verdict: Verdict) -> Pictured:
    return Pictured(
        sha256=sha256,
        path=material.path(sha256),
        truth=truth,
        said=verdict.label or "nothing",
        confidence=verdict.confidence,
        filed=verdict.decision == "filed",
    )
