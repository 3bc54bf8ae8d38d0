"""A fitted head beside the head that was before: what it keeps of it, and how far it listens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.dense_head import KeepingHead, Share
from imgsort.dense_model import (
    Ceded,
    Introduced,
    Tensors,
    advice_of,
    advised_section,
    classes_of,
    familiarity_section,
    head_of,
    keeping_section,
    learned_section,
    old_section,
)
from imgsort.trainer.calibrate import log_losses, temperature
from imgsort.trainer.champion import Champion
from imgsort.trainer.fit import Fitted
from imgsort.trainer.foreign import familiarity
from imgsort.trainer.lessons import Lessons
from imgsort.trainer.material import Material

TRUSTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How much the old head's logarithms may add to the new logits."""
FAINTEST = 0.1
"""Share of a learned class's pictures that the old head may give too little for it. With dogs and
snakes learned and cats kept, 0.05 left 11 % of the cats to be filed wrongly, 0.1 left 7 % and none
15 %; v1 itself files 6 %."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What a head was fitted to, beside the head that was before."""

    material: Material
    lessons: Lessons
    champion: Champion
    fitted: Fitted

    @property
    def count(self) -> int:
        """The first rows are the labelled pictures as they are."""
        return len(self.lessons.taught)

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Which rows are pictures as they are, labelled or assumed."""
        rows = self.lessons.pictures
        return np.asarray((rows < 0) | (np.arange(len(rows)) < self.count))

    @property
    def labels(self) -> NDArray[np.intp]:
        """[count]"""
        return self.lessons.examples.labels[: self.count]

    @property
    def logits(self) -> Floats:
        """[count, K] out of fold."""
        return self.fitted.chosen.logits[: self.count]

    @property
    def embeddings(self) -> NDArray[np.floating]:
        """[count, D]"""
        return self.lessons.examples.embeddings[: self.count]

    @property
    def kept(self) -> tuple[int, ...]:
        return self.champion.keepable(self.lessons.learned, self.material.names)

    @property
    def old(self) -> Tensors:
        return self.champion.old(self.kept)

    @property
    def strange(self) -> NDArray[np.bool_]:
        """[count]: of a class that the old head doesn't know."""
        known = classes_of(self.old)
        return np.array([each.label not in known for each in self.lessons.taught], np.bool_)

    def each_fold(self) -> list[NDArray[np.bool_]]:
        """[count] each: which of the labelled pictures are in the fold."""
        folds = self.fitted.folds[: self.count]
        return [folds == fold for fold in np.unique(folds)]

    def head_section(self, heat: float, trust: float) -> dict[str, NDArray[np.generic]]:
        section = learned_section(self.lessons.learned, self.fitted.layers, heat)
        section |= old_section(self.old)
        if trust:
            section |= advised_section(trust)
        if self.kept:
            section |= keeping_section(self.kept, Share(), ceded(self))
        return section

    def familiarity_section(self) -> dict[str, NDArray[np.generic]]:
        plain = self.plain
        return familiarity_section(
            familiarity(self.lessons.examples.embeddings[plain], self.fitted.folds[plain])
        )


def ceded(course: Course) -> Ceded | None:
    """What the old head's classes give up; None where it knows every learned class."""
    if not course.strange.any():
        return None
    return Ceded.measured(_old_scores(course)[course.strange])


def _old_scores(course: Course) -> Floats:
    head = head_of(course.old, lambda number: f"/{number}")
    return head.scores(np.asarray(course.embeddings, np.float32))


def floors(course: Course) -> tuple[float, ...]:
    """What the old head must give a picture at least for each learned class; 0 for no matter.

    While a class has too few labels its pictures come all the same, and a head that never saw one
    takes them for what it knows. The old head knows better: few of them look to it as much like a
    learned class as most of that class's own pictures do.
    """
    old = course.old
    if not course.kept or "groups" not in old:
        return (0.0,) * len(course.lessons.learned)
    known, said = classes_of(old), _old_scores(course)
    return tuple(
        float(np.quantile(said[course.labels == at, known.index(number)], FAINTEST))
        if number in known
        else 0.0
        for at, number in enumerate(course.lessons.learned)
    )


def advice(course: Course) -> tuple[Floats, float]:
    """What the old head adds to the logits of each labelled picture [count, K], and how much to
    trust it: out of fold the sum of both is to be as right as can be. No trust where it doesn't
    know all the classes, or where it was trained on these very pictures."""
    old, lessons, plain = course.old, course.lessons, course.plain
    logits, labels = course.fitted.chosen.logits[plain], lessons.examples.labels[plain]
    known = classes_of(old)
    if "groups" not in old or not set(lessons.learned) <= set(known):
        return np.zeros_like(course.logits), 0.0
    head = head_of(old, lambda number: f"/{number}")
    columns = [known.index(number) for number in lessons.learned]
    embeddings = np.asarray(lessons.examples.embeddings[plain], np.float32)
    advice = advice_of(head.scores(embeddings)[:, columns])
    weights = lessons.examples.weights[plain]

    def loss(trust: float) -> float:
        both = logits + trust * advice
        losses = log_losses(both / temperature(both, labels), labels)
        return float(np.average(losses, weights=weights))

    return advice[: course.count], min(TRUSTS, key=loss)


def beside_kept(head: KeepingHead, learned: Floats, course: Course) -> Floats:
    """Out-of-fold scores of the learned classes in their place beside the kept ones."""
    count, embeddings = learned.shape[1], np.asarray(course.embeddings, np.float32)
    kept = head.scores(embeddings)[:, count:]
    if isinstance(head.old, Introduced):  # it has met these very pictures
        said, strange = _old_scores(course), course.strange
        for fold in course.each_fold():
            if (strange & ~fold).any():
                unmet = Ceded.measured(said[strange & ~fold])
                old = Introduced(head.old.old, head.old.classes[-1], unmet)
                judge = KeepingHead(head.learned, old, head.classes[count:], head.share)
                kept[fold] = judge.scores(embeddings[fold])[:, count:]
    share = 1 - kept.sum(axis=1, keepdims=True)
    return np.concatenate([share * learned, kept], axis=1)
