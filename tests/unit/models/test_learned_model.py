"""A learned model as tensors: what goes in comes out, and what is no model is refused."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from imgsort.errors import ModelProblem
from imgsort.models.heads.learned import DenseLayer, Novelty, Taught
from imgsort.models.heads.learned_model import FOLDS, FirstModel, LearnedModel, Tensors, prior_of
from imgsort.models.registry import Registry
from imgsort.records.model_card import ClassEntry, ModelDraft
from imgsort.records.verdict import UNLIKE

CAT, DOG, SNAKE, WORD = 11, 12, 13, 14
EYE = np.eye(4, dtype=np.float32)
NAMES = {CAT: "cat", DOG: "dog", SNAKE: "snake", WORD: "word"}
PICTURES = [hashlib.sha256(bytes([at])).hexdigest() for at in range(6)]


def first(*ids: int) -> FirstModel:
    """Sees a cat, a dog and a snake in the first three numbers; of a word it knows nothing."""
    place = {CAT: 0, DOG: 1, SNAKE: 2}
    groups = np.stack([np.arange(4) == place.get(number, -1) for number in ids])
    return FirstModel(ids, EYE * 8, np.zeros(4, np.float32), groups, 1.5)


def taught(*bias: float) -> Taught:
    weight = EYE[:, : len(bias)] * np.float32(2.0)
    return Taught(0.75, (DenseLayer(weight, np.array(bias, np.float32)),))


def model(**changes: Any) -> LearnedModel:
    """Cats and dogs have labels; snakes and a word don't."""
    plain = LearnedModel(
        class_ids=(CAT, DOG, SNAKE, WORD),
        first=first(CAT, SNAKE, DOG, WORD),
        taught=taught(0.1, 0.3),
        folds=tuple(taught(at, -at) for at in range(FOLDS)),
        temperature=1.25,
        novelty=Novelty(EYE[:3], np.array([0, 1, 4], np.uint8), 5, 0.5, 2),
        seen={name: at % FOLDS for at, name in enumerate(PICTURES)},
    )
    return replace(plain, **changes)


def again(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """Through a file and back."""
    packed = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return dict(safetensors.numpy.load(safetensors.numpy.save(packed)))


def named(made: LearnedModel) -> list[str]:
    return [NAMES[number] for number in made.class_ids]


HIDDEN = Taught(1.0, (DenseLayer(EYE, EYE[0]), DenseLayer(EYE[:, :2], EYE[0, :2])))


@pytest.mark.parametrize("changes", [{}, {"first": None}, {"taught": HIDDEN}, {"seen": {}}])
def test_a_model_survives_its_file(changes: dict[str, Any]) -> None:
    """It scores the same to the last bit; classes, folds and what it has seen are as they were."""
    made = model(**changes)
    opened = LearnedModel.opened(again(made.tensors()))
    assert opened.class_ids == made.class_ids
    assert opened.seen == made.seen
    assert opened.temperature == made.temperature
    assert (opened.first is None) == (made.first is None)
    pictures = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    names = named(made)
    assert (opened.head(names).scores(pictures) == made.head(names).scores(pictures)).all()
    known, kept = opened.novelty, made.novelty
    assert (known.folds == kept.folds).all()
    assert (known.neighbours, known.limit, known.labelled) == (5, 0.5, 2)
    assert known.unlikeness(pictures) == pytest.approx(kept.unlikeness(pictures), abs=1e-3)


def test_its_fold_heads_judge_nearly_the_same_after_the_file() -> None:
    """They are rounded to float16, which no one sees in the third decimal."""
    rng = np.random.default_rng(0)
    heads = tuple(
        Taught(0.5, (DenseLayer(rng.normal(size=(4, 2)).astype("f4"), EYE[0, :2]),))
        for _ in range(FOLDS)
    )
    made = model(folds=heads)
    opened = LearnedModel.opened(again(made.tensors()))
    pictures = rng.normal(size=(50, 4)).astype(np.float32)
    for fold in range(FOLDS):
        now, before = (one.head(named(made), fold).scores(pictures) for one in (opened, made))
        assert now == pytest.approx(before, abs=2e-3)


def test_each_fold_has_its_own_judge() -> None:
    """The head that is blind to it, and only the references of other folds."""
    made = model()
    whole, blind = (made.classifier(named(made), [0.5] * 4, fold) for fold in (None, 4))
    torn = np.array([[1, 1, 0, 0]], np.float32)
    assert (whole.judge(torn, 1)[0].label, blind.judge(torn, 1)[0].label) == ("dog", "cat")
    stranger = EYE[2][None] * np.float32(0.1)
    assert whole.judge(stranger, 1)[0].unlikeness == pytest.approx(2 / 3 / 0.5)
    assert blind.judge(stranger, 1)[0].unlikeness == pytest.approx(2.0)


def test_the_prior_finds_classes_by_their_id() -> None:
    """In whatever order the first model has them; what it never heard of has no column."""
    prior = prior_of(first(CAT, SNAKE, DOG, WORD), (DOG, 99, CAT))
    shares = np.exp(prior.log_probabilities(EYE * 3))
    assert shares[:3].argmax(axis=1).tolist() == [2, 0, 1]
    assert prior_of(None, (CAT, DOG)).columns == (None, None)
    assert prior_of(first(CAT, WORD), (WORD, CAT)).columns == (None, 0)


def test_a_first_model_is_known_by_what_it_stands_for() -> None:
    """A word that stands for nothing in ImageNet is one of its classes, and not known to it."""
    assert first(CAT, WORD).ids == (CAT, WORD)
    assert first(CAT, WORD).known == (CAT,)


def drafted(tensors: Tensors, *ids: int) -> ModelDraft:
    return ModelDraft(
        kind="learned",
        backbone="efficientnet-lite0",
        backbone_id="abc",
        precision="float32",
        classes=tuple(ClassEntry(number, NAMES[number]) for number in ids),
        thresholds=(0.4,) * len(ids),
        tensors={name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
    )


def test_the_registry_serves_one(tmp_path: Path) -> None:
    """Under the names of today, from its thresholds on, and nothing strange as a labelled class."""
    registry = Registry(tmp_path / "models")
    made = model(novelty=Novelty(EYE[:1], np.zeros(1, np.uint8), 1, 0.5, 2))
    published = registry.publish(drafted(made.tensors(), *made.class_ids))
    served = registry.load(published.version, {DOG: "hund"})
    assert served.classes == ("cat", "hund", "snake", "word")
    cat, dog, snake = served.judge(EYE[:3], 1)
    assert (cat.label, cat.decision) == ("cat", "filed")
    assert (dog.label, dog.doubt) == ("hund", UNLIKE)
    assert (snake.label, snake.decision) == ("snake", "filed")


def without(name: str) -> dict[str, Any]:
    return {each: tensor for each, tensor in model().tensors().items() if each != name}


DAMAGED: dict[str, dict[str, Any]] = {
    "no layers": without("layers.0.weight"),
    "no bias": without("layers.0.bias"),
    "a fold too few": without("fold.4.layers.0.weight"),
    "no word of what it has seen": without("seen.sha256"),
    "no strength": without("strength"),
    "no references": model().tensors()
    | {"novelty.references": EYE[:0], "novelty.folds": EYE[0, :0]},
    "references without folds": model().tensors() | {"novelty.folds": np.zeros(2, np.uint8)},
    "pictures without folds": model().tensors() | {"seen.folds": np.zeros(2, np.uint8)},
    "two temperatures": model().tensors() | {"temperature": np.ones(2)},
    "a temperature of nothing": model().tensors() | {"temperature": np.zeros(1)},
    "a strength that is no number": model().tensors() | {"strength": np.array([np.nan])},
    "a bias of another width": model().tensors() | {"layers.0.bias": np.zeros(3, np.float32)},
    "more outputs than classes": model(taught=taught(*range(4))).tensors()
    | {"classes": np.array([CAT, DOG], np.int64)},
    "a first model of other classes": model().tensors() | {"prior.classes": np.array([CAT])},
    "a first model whose bias doesn't fit": model().tensors()
    | {"prior.bias": np.zeros(3, np.float32)},
    "classes other than its card's": model(class_ids=(CAT, DOG, WORD, SNAKE)).tensors(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_model_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    """Whoever wrote it there with fitting sums: it is told as damage, with a way out."""
    registry = Registry(tmp_path / "models")
    registry.publish(drafted(DAMAGED[name], CAT, DOG, SNAKE, WORD))
    with pytest.raises(ModelProblem, match=r"^Model v1 is damaged \(its head doesn't fit its card"):
        registry.load(1)
