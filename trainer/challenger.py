"""The model that wants to serve: fitted, with the classes it must not forget, and calibrated."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Classifier, Head, softmax
from imgsort.dense_head import KeepingHead, Layer
from imgsort.dense_model import (
    OLD,
    Tensors,
    floors_section,
    head_of,
    known_of,
    learned_section,
    unproven_section,
)
from imgsort.trainer.calibrate import Threshold, temperature, thresholds
from imgsort.trainer.champion import Champion
from imgsort.trainer.course import Course, advice, beside_kept, floors
from imgsort.trainer.dataset import Labelled
from imgsort.trainer.fit import Fitted, fit_head
from imgsort.trainer.lessons import Lessons
from imgsort.trainer.material import Material
from imgsort.verdict import NEVER

_KEEPING, _LAYERS = ("kept", "share"), "layers."

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """A trained model and what its training left behind."""

    learned: tuple[int, ...]
    """Class ids, in the order of the scores."""
    kept: tuple[int, ...]
    """They follow the learned ones."""
    unproven: tuple[int, ...]
    """Learned ones with too few labels to know how sure is sure: they are filed where the old head
    agrees."""
    tensors: Tensors
    temperature: float
    trust: float
    """In the old head, on the learned classes."""
    cuts: tuple[float, ...]
    """The threshold of each class, NEVER where nothing is filed."""
    thresholds: Mapping[int, Threshold]
    """What calibration found, of the learned classes."""
    classifier: Classifier
    fitted: Fitted
    training: tuple[Labelled, ...]
    """The pictures of the learned classes, row by row as in ``out_of_fold``."""
    out_of_fold: Floats
    """[N, K] calibrated scores from candidates that hadn't seen the picture."""

    @property
    def class_ids(self) -> tuple[int, ...]:
        return (*self.learned, *self.kept)

    def with_layers(self, layers: Sequence[Layer]) -> Head:
        """Other layers in the place of its own, the kept classes left out."""
        section = {n: t for n, t in self.tensors.items() if not n.startswith((*_KEEPING, _LAYERS))}
        section |= learned_section(self.learned, layers, self.temperature)
        return head_of(section, lambda number: f"/{number}")


def train(
    material: Material,
    training: Sequence[Labelled],
    lessons: Lessons,
    champion: Champion,
    target_precision: float,
) -> Challenger:
    """Fit, keep what the champion knows besides, calibrate. There must be two learnable classes."""
    course = Course(material, lessons, champion, fit_head(lessons.examples))
    advised, trust = advice(course)
    logits = course.logits + trust * advised
    heat = temperature(logits, course.labels)
    section = course.head_section(heat, trust)
    head = head_of(section, lambda number: material.names.get(number, f"/{number}"))
    scores = softmax(np.asarray(logits / heat, np.float32))
    if isinstance(head, KeepingHead):
        scores = beside_kept(head, scores, course)
    others = [picture for picture in training if picture.label not in lessons.learned]
    found = _thresholds(
        np.concatenate([scores, head.scores(material.rows(others))]) if others else scores,
        [*lessons.taught, *others],
        (*lessons.learned, *course.kept),
        target_precision,
    )
    unproven = tuple(
        number
        for number, threshold in zip(lessons.learned, found, strict=False)
        if threshold.confidence is None and champion.is_first_to_know(number)
    )
    cuts = _cuts(found, course, unproven)
    section |= unproven_section(unproven) | floors_section(floors(course))
    section |= course.familiarity_section()
    if not (trust or course.kept or unproven):
        section = {n: tensor for n, tensor in section.items() if not n.startswith(OLD)}
    return Challenger(
        learned=lessons.learned,
        kept=course.kept,
        unproven=unproven,
        tensors=section,
        temperature=heat,
        trust=trust,
        cuts=cuts,
        thresholds=dict(zip(lessons.learned, found, strict=False)),
        classifier=Classifier(head, cuts, known_of(section, cuts)),
        fitted=course.fitted,
        training=lessons.taught,
        out_of_fold=scores,
    )


def _cuts(
    found: Sequence[Threshold], course: Course, unproven: Collection[int]
) -> tuple[float, ...]:
    """The threshold of each class: its own, or the one it had."""
    champion = course.champion
    learned = [
        champion.confidence if number in unproven else _cut(threshold)
        for number, threshold in zip(course.lessons.learned, found, strict=False)
    ]
    return (*learned, *(champion.threshold(number) for number in course.kept))


def _thresholds(
    scores: Floats, pictures: Sequence[Labelled], class_ids: Sequence[int], target: float
) -> tuple[Threshold, ...]:
    counts = Counter(picture.label for picture in pictures)
    labels = [
        class_ids.index(picture.label) if picture.label in class_ids else -1 for picture in pictures
    ]
    per_class = [counts[number] for number in class_ids]
    return thresholds(scores, np.array(labels, np.intp), target, per_class)


def _cut(threshold: Threshold) -> float:
    return NEVER if threshold.confidence is None else min(threshold.confidence, 1.0)
