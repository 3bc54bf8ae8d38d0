"""The model that wants to serve: its recipe found, its heads trained, calibrated.

What is told of it, and what its thresholds rest on, comes from heads that hadn't seen the picture.
Of small sets the answers that are told come from recipes that the other folds chose, or the best of
fifteen would be praised for its luck (``optimism``). How sure it is comes from the served recipe
alone: scores of several recipes don't compare, and a threshold on a mixture of them threw half of
what can be filed away.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, softmax
from imgsort.models.heads.learned import LearnedHead, Prior
from imgsort.models.heads.learned_model import FOLDS, LearnedModel, prior_of
from imgsort.records.verdict import UNLIKE, Verdict, shortfall
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.split import Dealt, LabelledImage
from imgsort.trainer.head.calibrate import log_losses, temperature, thresholds
from imgsort.trainer.head.champion import Champion
from imgsort.trainer.head.fit import Examples, Member, TrainedHead, fit
from imgsort.trainer.head.novelty import novelty_of
from imgsort.trainer.head.recipe import Recipe, best, recipes

MOST_SEARCHED = 2_000
"""Pictures that the recipe is looked for with."""
FEWEST_REPRESENTATIVE = 20
"""Below this thresholds rest on all labels, corrections too."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """A trained model, and what its heads say of pictures that they haven't seen."""

    model: LearnedModel
    classifier: Classifier
    cuts: tuple[float, ...]
    """The threshold of each class, NEVER where nothing is filed."""
    labelled: int
    """The first so many classes have labels."""
    confidence: float
    """From which on the others are filed, as under the first model."""
    floor: float
    """Below it nothing is filed in this workspace."""
    recipe: Recipe
    pictures: tuple[LabelledImage, ...]
    examples: Examples
    """The pictures as they are, row by row, then their other views."""
    out_of_fold: Floats
    """[N, K] scores of ``pictures`` by the served recipe, each by a head that hadn't seen it."""
    answers: NDArray[np.intp]
    """[N]: the class that is told of each picture, by a recipe chosen without it."""
    unlikeness: Floats
    """[N], likewise."""
    judging: NDArray[np.bool_]
    """[N]: whether a picture's label speaks for others, and no look-alike was trained on."""
    optimism: float
    """How much more often the chosen recipe is right out of fold than what was chosen blindly."""

    @property
    def class_ids(self) -> tuple[int, ...]:
        return self.model.class_ids

    @property
    def folds(self) -> NDArray[np.intp]:
        """[N]"""
        return self.examples.folds[: len(self.pictures)]

    @property
    def truth(self) -> NDArray[np.intp]:
        """[N]: columns."""
        return self.examples.labels[: len(self.pictures)]

    def verdicts(self, target_precision: float) -> list[Verdict]:
        """What it says of each picture, under thresholds that rest on the other folds alone."""
        found: list[Verdict | None] = [None] * len(self.pictures)
        for fold in range(FOLDS):
            own = self.folds == fold
            cuts = np.maximum(self.thresholds(target_precision, ~own), self.floor)
            for at in np.flatnonzero(own):
                found[at] = self._verdict(int(at), cuts)
        return [verdict for verdict in found if verdict is not None]

    def thresholds(self, target: float, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        """[K] thresholds from some of the pictures."""
        chosen = rows & self.judging
        if chosen.sum() < FEWEST_REPRESENTATIVE:
            chosen = rows
        scores, winners = self.out_of_fold[chosen], self.out_of_fold[chosen].argmax(axis=1)
        right = winners == self.truth[chosen]
        cuts = thresholds(scores.max(axis=1), winners, right, target, len(self.class_ids))
        cuts[self.labelled :] = self.confidence
        return cuts

    def _verdict(self, at: int, cuts: NDArray[np.float64]) -> Verdict:
        best_class = int(self.answers[at])
        confidence = float(self.out_of_fold[at, best_class])
        unlikeness = float(self.unlikeness[at])
        strange = unlikeness > 1 and best_class < self.labelled
        reason = UNLIKE if strange else shortfall(confidence, float(cuts[best_class]))
        return Verdict(
            self.classifier.classes[best_class],
            confidence,
            "filed" if reason is None else "unsure",
            reason,
            (),
            unlikeness,
        )


def train(
    material: Material,
    dealt: Dealt,
    champion: Champion,
    unlabelled: Sequence[int],
    target_precision: float,
) -> Challenger:
    """Find a recipe, train its heads, calibrate them. There must be two labelled classes.

    ``unlabelled``: classes that only the first model knows, to be told beside the labelled ones.
    """
    labelled = tuple(sorted({picture.label for picture in material.labelled}))
    class_ids = (*labelled, *unlabelled)
    prior = prior_of(champion.first, class_ids)
    examples = _examples(material, dealt, labelled, prior)
    search = _Search.of(examples, prior, len(material.labelled), all_labelled=not unlabelled)
    served, folds = search.trained()
    answers = search.blind_logits(folds)[:, :-1].argmax(axis=1)
    in_fold = search.in_fold
    logits = search.chosen_logits(folds)
    # Labels can't tell how sure one may be of a class that has none: no surer than the first model.
    coolest = served.strength if unlabelled else 0.0
    heat = max(coolest, temperature(logits, search.truth))
    scores = softmax(np.asarray(logits / heat, np.float32))[:, :-1]
    final = material.rows(material.labelled)[:, : material.blocks[0]]
    novelty, unlikeness = novelty_of(final, in_fold, len(labelled))
    model = LearnedModel(
        class_ids,
        champion.first,
        served.taught(),
        tuple(each.taught() for each in folds),
        heat,
        novelty,
        dict(dealt.folds),
    )
    judging = np.array(
        [each.representative and dealt.may_judge(each.sha256) for each in material.labelled]
    )
    names = [material.names[number] for number in class_ids]
    drawn = Challenger(
        model=model,
        classifier=Classifier(model.head(names), [0.0] * len(names)),
        cuts=(),
        labelled=len(labelled),
        confidence=champion.confidence,
        floor=champion.floor,
        recipe=search.recipe,
        pictures=material.labelled,
        examples=examples,
        out_of_fold=scores,
        answers=answers,
        unlikeness=unlikeness,
        judging=judging,
        optimism=float(
            (scores.argmax(axis=1) == search.truth).mean() - (answers == search.truth).mean()
        ),
    )
    cuts = drawn.thresholds(target_precision, np.ones(len(drawn.pictures), np.bool_)).tolist()
    return replace(drawn, cuts=tuple(cuts), classifier=model.classifier(names, cuts))


def _examples(material: Material, dealt: Dealt, labelled: Sequence[int], prior: Prior) -> Examples:
    """A picture weighs 1 with all its views."""
    pictures = material.labelled
    stacked = np.stack([material.vectors[picture.sha256] for picture in pictures], axis=1)
    views, rows = len(stacked), [*pictures * len(stacked)]
    column = {number: at for at, number in enumerate(labelled)}
    embeddings = stacked.reshape(-1, stacked.shape[2])
    return Examples(
        embeddings=embeddings,
        labels=np.array([column[each.label] for each in rows], np.intp),
        folds=np.array([dealt.folds[each.sha256] for each in rows], np.intp),
        weights=np.full(len(rows), 1 / views, np.float32),
        prior=prior.log_probabilities(np.asarray(embeddings, np.float32)),
        labelled=len(labelled),
        blocks=material.blocks,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Recipes tried by cross-validation, and the one that is taken."""

    examples: Examples
    prior: Prior
    plain: int
    """The first so many rows are the pictures as they are."""
    candidates: tuple[Recipe, ...]
    trials: tuple[TrainedHead, ...]
    """Recipe by recipe, a head a fold."""
    logits: tuple[NDArray[np.float32], ...]
    """Of each recipe, out of fold: of all pictures, or of the part it was looked for with."""
    searched: NDArray[np.intp]
    """Which pictures those are."""
    losses: NDArray[np.float64]
    """[C, S]"""
    chosen: int

    @classmethod
    def of(cls, examples: Examples, prior: Prior, plain: int, *, all_labelled: bool) -> "_Search":
        counts = Counter(examples.labels[:plain].tolist())
        candidates = recipes(
            [counts[label] for label in range(examples.labelled)], all_labelled=all_labelled
        )
        stride = -(-plain // MOST_SEARCHED)
        searched = np.arange(0, plain, stride)
        views = len(examples.labels) // plain
        rows = np.concatenate([searched + plain * view for view in range(views)])
        part = examples.part(rows)
        trials = fit(part, [Member(each, fold) for each in candidates for fold in range(FOLDS)])
        small = examples.part(searched)
        logits = tuple(
            _blind_logits(small, prior, trials[at * FOLDS : (at + 1) * FOLDS])
            for at in range(len(candidates))
        )
        losses = np.stack(
            [log_losses(each / temperature(each, small.labels), small.labels) for each in logits]
        )
        chosen = best(candidates, losses)
        return cls(
            examples, prior, plain, candidates, tuple(trials), logits, searched, losses, chosen
        )

    @property
    def recipe(self) -> Recipe:
        return self.candidates[self.chosen]

    @property
    def truth(self) -> NDArray[np.intp]:
        return self.examples.labels[: self.plain]

    @property
    def in_fold(self) -> NDArray[np.intp]:
        return self.examples.folds[: self.plain]

    @property
    def whole(self) -> bool:
        """Whether the recipe was looked for with all pictures."""
        return len(self.searched) == self.plain

    def trained(self) -> tuple[TrainedHead, list[TrainedHead]]:
        """The head on everything, and those blind to a fold."""
        if self.whole:
            (served,) = fit(self.examples, [Member(self.recipe, None)])
            return served, list(self.trials[self.chosen * FOLDS : (self.chosen + 1) * FOLDS])
        folds = [Member(self.recipe, fold) for fold in range(FOLDS)]
        served, *blind = fit(self.examples, [Member(self.recipe, None), *folds])
        return served, blind

    def chosen_logits(self, folds: Sequence[TrainedHead]) -> Floats:
        """[N, K + 1] out of fold, of the recipe that is taken."""
        if self.whole:
            return self.logits[self.chosen]
        return _blind_logits(self.examples.part(np.arange(self.plain)), self.prior, folds)

    def blind_logits(self, folds: Sequence[TrainedHead]) -> Floats:
        """[N, K + 1] out of fold; of a small set each fold by the recipe that the others chose."""
        found = np.array(self.chosen_logits(folds))
        if self.whole:
            for fold, inside in _each_fold(self.in_fold):
                if not inside.all():
                    others = self.losses[:, self.in_fold != fold]
                    found[inside] = self.logits[best(self.candidates, others)][inside]
        return found


def _blind_logits(examples: Examples, prior: Prior, folds: Sequence[TrainedHead]) -> Floats:
    """[N, K + 1]: each row by the head that is blind to its fold."""
    count = len(prior.columns)
    found = np.zeros((len(examples.labels), count + 1), np.float32)
    names = [str(at) for at in range(count)]
    for fold, inside in _each_fold(examples.folds):
        head = LearnedHead(names, prior, folds[fold].taught())
        found[inside] = head.logits(np.asarray(examples.embeddings[inside], np.float32))
    return found


def _each_fold(folds: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    for fold in np.unique(folds):
        yield int(fold), folds == fold
