"""The trained head tells classes apart, serves what was trained, and can be made again."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.models.heads.learned import LearnedHead, Prior, weight_of_learning
from imgsort.trainer.head.fit import Examples, Member, TrainedHead, fit
from imgsort.trainer.head.novelty import novelty_of
from imgsort.trainer.head.pca import Coordinates
from imgsort.trainer.head.recipe import FEW, HIDDEN_FROM, INNER, MANY_CLASSES, Recipe, best, recipes

WIDTH = 40
PLAIN, DEEP = Recipe(0.1), Recipe(3.0, 0.0, 64, 0.2)
Floats = NDArray[np.float32]


def examples(
    points: NDArray[np.floating], labels: NDArray[np.intp], prior: Floats | None = None
) -> Examples:
    """Each picture by itself, dealt into five folds; the first model knows nothing of them."""
    count, classes = len(labels), int(labels.max()) + 1
    nothing = np.full((count, classes + 1), -np.log(classes + 1), np.float32)
    return Examples(
        points.astype(np.float16 if points.shape[1] == WIDTH else np.float32),
        labels,
        np.arange(count) % 5,
        np.ones(count, np.float32),
        nothing if prior is None else prior,
        classes,
        (points.shape[1],),
    )


def blobs(counts: Sequence[int], seed: int = 0, distance: float = 2.0) -> Examples:
    """Pictures of each class around a centre of their own, stretched very unevenly."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(len(counts), WIDTH)) * distance
    labels = np.repeat(np.arange(len(counts)), counts)
    points = centres[labels] + rng.normal(size=(len(labels), WIDTH))
    return examples(points * np.geomspace(0.01, 100, WIDTH) + 3, labels)


def ring(count: int, seed: int = 0) -> Examples:
    """One class inside the other: no plane tells them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    points = rng.normal(size=(count, 3))
    points *= (np.where(labels == 1, 3.0, 1.0) / np.linalg.norm(points, axis=1))[:, None]
    return examples(points, labels)


def trained(
    material: Examples, recipe: Recipe, fold: int | None = None, seed: int = 0
) -> TrainedHead:
    (found,) = fit(material, [Member(recipe, fold)], seed)
    return found


def right(head: TrainedHead, fresh: Examples) -> float:
    """The share told rightly by the head as it serves."""
    names = [str(number) for number in range(fresh.labelled)]
    served = LearnedHead(names, Prior(None, [None] * len(names)), head.taught())
    scores = served.scores(fresh.embeddings.astype(np.float32))
    return float((scores.argmax(axis=1) == fresh.labels).mean())


def test_coordinates_keep_distances() -> None:
    """With fewer pictures than columns, the new axes lose nothing of the standardised distances,
    and are ordered by how much varies along them."""
    x = np.random.default_rng(0).normal(size=(12, 30)).astype(np.float32)
    coordinates = Coordinates.of(x, (30,), 0)
    turned = coordinates.of_embeddings(x)
    variance = x.var(axis=0)
    shrunk = (12 * variance + 10 * variance.mean()) / 22
    standard = (x - x.mean(axis=0)) / np.sqrt(30 * shrunk)
    assert turned.shape == (12, 11)
    assert turned @ turned.T == pytest.approx(standard @ standard.T, abs=1e-4)
    assert turned.var(axis=0) == pytest.approx(coordinates.spread, abs=1e-4)
    assert (np.diff(coordinates.spread) <= 0).all()


def test_inner_layers_come_in_by_their_weight() -> None:
    """Each block varies by 1 in all, however wide or loud it is, the inner ones times their weight
    squared; at weight 0 they are left out."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(900, 8)), 50 * rng.normal(size=(900, 20))], axis=1)
    spread = [float(Coordinates.of(x, (8, 20), inner).spread.sum()) for inner in (0, 0.5, 1.4)]
    assert spread == pytest.approx([1, 1 + 0.5**2, 1 + 1.4**2], rel=0.02)
    assert Coordinates.of(x, (8, 20), 0).mean.shape == (8,)


def test_coordinates_fold_back() -> None:
    """A layer on the new axes and its folded form on plain embeddings give the same."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 8)).astype(np.float32)
    x[:, 3] = 7  # a column that never varies
    coordinates = Coordinates.of(x, (5, 3), 0.5)
    weight = rng.normal(size=(len(coordinates.spread), 2)).astype(np.float32)
    plain, bias = coordinates.folded(weight, np.array([1, -1], np.float32))
    expected = coordinates.of_embeddings(x) @ weight + [1, -1]
    assert x @ plain + bias == pytest.approx(expected, abs=1e-3)
    assert plain[3].tolist() == [0, 0]


def test_tells_classes_apart() -> None:
    """On unevenly many and unevenly stretched classes, fresh pictures are judged rightly."""
    assert right(trained(blobs([60, 20, 12]), PLAIN), blobs([30] * 3, seed=1)) >= 0.97


def test_a_few_labels_teach() -> None:
    """Three a class."""
    assert right(trained(blobs([3] * 4), PLAIN), blobs([30] * 4, seed=1)) >= 0.9


def test_a_hidden_layer_bends() -> None:
    """Where no plane tells the classes apart, one with a hidden layer does."""
    flat, bent = fit(ring(600), [Member(PLAIN, None), Member(DEEP, None)])
    assert right(flat, ring(200, seed=1)) < 0.7
    assert right(bent, ring(200, seed=1)) >= 0.95


@pytest.mark.parametrize("recipe", [PLAIN, DEEP])
def test_same_seed_same_head(recipe: Recipe) -> None:
    """Training again gives the same numbers to the last bit."""
    one, two = (trained(ring(100), recipe, seed=3) for _ in range(2))
    assert one.strength == two.strength
    for a, b in zip(one.layers, two.layers, strict=True):
        assert np.array_equal(a.weight, b.weight)
        assert np.array_equal(a.bias, b.bias)


@pytest.mark.parametrize("recipe", [PLAIN, DEEP])
def test_a_head_is_blind_to_its_fold(recipe: Recipe) -> None:
    """Whatever its pictures are labelled: the head without them is the same, and the one on
    everything isn't."""
    material = blobs([20, 20])
    turned = np.where(material.folds == 2, 1 - material.labels, material.labels)
    members = [Member(recipe, 2), Member(recipe, None)]
    before = fit(material, members)
    after = fit(replace(material, labels=turned), members)
    same = [
        np.allclose(one.layers[0].weight, two.layers[0].weight, atol=1e-6)
        for one, two in zip(before, after, strict=True)
    ]
    assert same == [True, False]


def test_heads_trained_side_by_side_are_strangers() -> None:
    """Each comes out as it would alone, nearly."""
    material = blobs([15, 15])
    members = [Member(Recipe(l2), fold) for l2 in (0.01, 0.3) for fold in (0, None)]
    together = fit(material, members)
    assert [one.member for one in together] == members
    for one in together[:2]:
        (alone,) = fit(material, [one.member])
        assert one.layers[0].weight == pytest.approx(alone.layers[0].weight, abs=1e-3)


def test_a_picture_of_no_weight_teaches_nothing() -> None:
    """As for the learning curve, which takes labels away."""
    material = blobs([20, 20])
    without = np.arange(40) % 3 > 0
    weights = without.astype(np.float32)
    turned = np.where(without, material.labels, 1 - material.labels)
    one, two = (
        trained(replace(material, weights=weights, labels=labels), PLAIN)
        for labels in (material.labels, turned)
    )
    assert one.layers[0].weight == pytest.approx(two.layers[0].weight, abs=1e-6)


def test_a_first_model_that_knows_these_classes_is_listened_to() -> None:
    """More than one that talks at random."""
    rng = np.random.default_rng(0)
    material = blobs([30, 30], distance=0.2)
    sure = np.full((60, 3), 0.05, np.float32)
    sure[np.arange(60), material.labels] = 0.9
    random = rng.permutation(sure)
    good, bad = (
        trained(replace(material, prior=np.log(prior)), PLAIN).strength for prior in (sure, random)
    )
    assert good > 0.9
    assert bad < 0.7 * good


def test_where_an_unlabelled_class_is_seen_nothing_is_learned() -> None:
    """Pictures that the first model takes for a class without labels don't teach: what is added to
    their scores is next to nothing, as it is when the head serves."""
    material = blobs([20, 20])
    snake = np.log(np.tile(np.array([0.001, 0.001, 0.997, 0.001], np.float32), (40, 1)))
    assert weight_of_learning(snake, 2).max() < 0.003
    loud, quiet = (
        float(np.abs(trained(replace(material, prior=prior), PLAIN).layers[0].weight).max())
        for prior in (material.prior, snake)
    )
    assert quiet < 0.05 * loud


def test_an_embedding_that_is_not_finite_is_refused() -> None:
    """Rather than a head of numbers that are none."""
    material = blobs([5, 5])
    material.embeddings[3, 7] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        trained(material, PLAIN)


def test_few_labels_choose_from_few_recipes() -> None:
    """Nine in the smallest class: one dense layer on the last layer alone; ten: the inner layers
    are looked at too. The strongest L2 comes first."""
    few, enough = (recipes([FEW - 1 + more, 40], all_labelled=True) for more in (0, 1))
    assert {(one.inner, one.width) for one in few} == {(0.0, 0)}
    assert few[0].l2 == max(one.l2 for one in few)
    assert {one.inner for one in enough} == set(INNER)
    assert {one.width for one in enough} == {0}


def test_beside_unlabelled_classes_recipes_are_gentle() -> None:
    """However many labels the others have: strong L2, no inner layers, none hidden."""
    found = recipes([5_000, 5_000], all_labelled=False)
    assert {(one.inner, one.width) for one in found} == {(0.0, 0)}
    assert min(one.l2 for one in found) >= 0.03


def test_many_labels_are_offered_a_hidden_layer() -> None:
    """From so many on, not before."""
    assert {one.width for one in recipes([HIDDEN_FROM // 2] * 2, all_labelled=True)} == {0, 64}
    assert {one.width for one in recipes([HIDDEN_FROM // 2 - 1] * 2, all_labelled=True)} == {0}


def test_many_classes_choose_from_few_recipes() -> None:
    """More than a hundred, or training would take too long; inner layers whatever the smallest."""
    found = recipes([50] * MANY_CLASSES + [1], all_labelled=True)
    assert len(found) == 4
    assert {one.width for one in found} == {0}
    assert max(one.inner for one in found) > 0


@pytest.mark.parametrize(("gain", "chosen"), [(0.5, 2), (0.01, 1)])
def test_hidden_layer_must_earn_its_place(gain: float, chosen: int) -> None:
    """It is chosen when it is better than the best without one by more than a standard error."""
    spread = np.tile([0.0, 1.0], 50)
    losses = np.stack([spread + 0.1, spread, spread[::-1] - gain])
    assert best([Recipe(0.3), Recipe(0.1), DEEP], losses) == chosen


def test_the_lowest_loss_wins() -> None:
    """Of equal ones the simplest, which comes first."""
    candidates = [Recipe(0.3), Recipe(0.1), Recipe(0.03)]
    assert best(candidates, np.array([[2.0, 2], [1, 2], [1, 2]])) == 1


def test_novelty() -> None:
    """About one in a hundred training pictures lies beyond the limit, and the opposite does; each
    is compared with those of other folds alone, not with itself."""
    material = blobs([100, 100])
    known, unlikeness = novelty_of(material.embeddings, material.folds, 2)
    assert (unlikeness > 1).sum() <= 2
    assert unlikeness.min() > 0
    assert (known.unlikeness(-material.embeddings.astype(np.float32)) > 1).all()
    twins = np.concatenate([material.embeddings] * 2)
    apart, together = (
        novelty_of(twins, folds, 2)[0].limit
        for folds in (np.arange(400) // 200, np.tile(material.folds, 2))
    )
    assert apart < together
