"""The trained head tells classes apart, serves what was trained, and can be made again."""

from collections.abc import Sequence

import numpy as np
import pytest
from imgsort.trainer.foreign import familiarity
from numpy.typing import NDArray

from imgsort.dense_head import DenseHead, Layer
from imgsort.trainer.coordinates import Coordinates
from imgsort.trainer.fit import Examples, fit_head
from imgsort.trainer.recipe import Recipe, Trial, best, recipes

WIDTH = 40


def blobs(counts: Sequence[int], seed: int = 0, distance: float = 2.0) -> Examples:
    """Pictures of each class around a centre of their own, stretched very unevenly."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(len(counts), WIDTH)) * distance
    labels = np.repeat(np.arange(len(counts)), counts)
    points = centres[labels] + rng.normal(size=(len(labels), WIDTH))
    points = points * np.geomspace(0.01, 100, WIDTH) + 3
    return Examples(
        points.astype(np.float16), labels, np.arange(len(labels)), np.ones(len(labels), np.float32)
    )


def ring(count: int, seed: int = 0) -> Examples:
    """One class inside the other: no plane tells them apart."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    points = rng.normal(size=(count, 3))
    points *= (np.where(labels == 1, 3.0, 1.0) / np.linalg.norm(points, axis=1))[:, None]
    return Examples(points.astype(np.float32), labels, np.arange(count), np.ones(count, np.float32))


def served(layers: Sequence[Layer], examples: Examples) -> NDArray[np.intp]:
    classes = [str(number) for number in range(int(examples.labels.max()) + 1)]
    head = DenseHead(classes, layers)
    logits = head.logits(examples.embeddings.astype(np.float32))
    return np.asarray(logits.argmax(axis=1))


def test_coordinates_keep_distances() -> None:
    """With fewer pictures than columns, the new axes lose nothing of the standardised distances."""
    x = np.random.default_rng(0).normal(size=(12, 30)).astype(np.float32)
    turned = Coordinates.of(x).of_embeddings(x)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    assert turned.shape == (12, 11)
    assert turned @ turned.T == pytest.approx(standard @ standard.T, abs=1e-3)


def test_coordinates_fold_back() -> None:
    """A layer on the new axes and its folded form on plain embeddings give the same."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 8)).astype(np.float32)
    x[:, 3] = 7  # a column that never varies
    coordinates = Coordinates.of(x)
    weight = rng.normal(size=(len(coordinates.spread), 2)).astype(np.float32)
    plain, bias = coordinates.folded(weight, np.array([1, -1], np.float32))
    expected = coordinates.of_embeddings(x) @ weight + [1, -1]
    assert x @ plain + bias == pytest.approx(expected, abs=1e-3)
    assert plain[3].tolist() == [0, 0]


def test_tells_classes_apart() -> None:
    """On unevenly many and unevenly stretched classes, fresh pictures are judged rightly."""
    fitted = fit_head(blobs([60, 20, 12]))
    fresh = blobs([30, 30, 30], seed=1)
    assert (served(fitted.layers, fresh) == fresh.labels).mean() >= 0.97
    assert (fitted.chosen.logits.argmax(axis=1) == blobs([60, 20, 12]).labels).mean() >= 0.95


def test_nearest_mean_for_few_labels() -> None:
    """With three labels a class the nearest mean is on offer, and two folds suffice."""
    fitted = fit_head(blobs([3, 3, 3, 3]))
    fresh = blobs([30] * 4, seed=1)
    assert "nearest-mean" in {trial.recipe.kind for trial in fitted.trials}
    assert (served(fitted.layers, fresh) == fresh.labels).mean() >= 0.9


def test_hidden_layer_where_it_helps() -> None:
    """Where no plane tells the classes apart, the hidden layer wins and serves."""
    fitted = fit_head(ring(600))
    fresh = ring(200, seed=1)
    assert fitted.chosen.recipe.width > 0
    assert len(fitted.layers) == 2
    assert (served(fitted.layers, fresh) == fresh.labels).mean() >= 0.95


def test_same_seed_same_head() -> None:
    """Training again gives the same numbers to the last bit."""
    one, two = fit_head(ring(500), seed=3), fit_head(ring(500), seed=3)
    assert all(
        np.array_equal(a.weight, b.weight) for a, b in zip(one.layers, two.layers, strict=True)
    )
    assert np.array_equal(one.chosen.logits, two.chosen.logits)


def test_shuffled_labels_look_bad() -> None:
    """Out-of-fold scores of labels that mean nothing are no better than chance."""
    examples = blobs([40, 40])
    shuffled = np.random.default_rng(0).permutation(examples.labels)
    fitted = fit_head(Examples(examples.embeddings, shuffled, examples.groups, examples.weights))
    assert (fitted.chosen.logits.argmax(axis=1) == shuffled).mean() < 0.65


def test_groups_never_meet() -> None:
    """A class of three groups is cross-validated in three folds, each group whole."""
    examples = blobs([30, 30])
    groups = np.concatenate([np.arange(30) % 3, np.arange(30) + 100])
    folds = fit_head(Examples(examples.embeddings, examples.labels, groups, examples.weights)).folds
    assert sorted(set(folds.tolist())) == [0, 1, 2]
    assert all(len(set(folds[groups == group])) == 1 for group in range(3))


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 2, 2]])
def test_classes_must_be_there(labels: list[int]) -> None:
    """One class, or one without an example, is a mistake of the caller."""
    examples = Examples(
        np.ones((3, 2), np.float32), np.array(labels), np.arange(3), np.ones(3, np.float32)
    )
    with pytest.raises(ValueError, match="every class needs an example"):
        fit_head(examples)


def test_recipes_grow_with_labels() -> None:
    """Few labels are offered the nearest mean, many a hidden layer."""
    assert recipes([5, 50])[0] == Recipe("nearest-mean")
    assert {recipe.kind for recipe in recipes([50, 50])} == {"dense"}
    assert {recipe.width for recipe in recipes([50, 50])} == {0}
    assert {recipe.width for recipe in recipes([300, 300])} == {0, 64}


@pytest.mark.parametrize(("gain", "width"), [(0.5, 64), (0.01, 0)])
def test_hidden_layer_must_earn_its_place(gain: float, width: int) -> None:
    """A hidden layer is chosen when it is better by more than one standard error."""
    spread = np.tile([0.0, 1.0], 50).astype(np.float32)
    nothing = np.zeros((100, 2), np.float32)
    shallow = Trial(Recipe("dense"), 10, nothing, spread)
    deep = Trial(Recipe("dense", 64), 10, nothing, spread[::-1] - np.float32(gain))
    assert best([shallow, deep]).recipe.width == width


def test_familiarity() -> None:
    """About one in a hundred training pictures lies beyond the limit, and the opposite does."""
    examples = blobs([100, 100])
    known = familiarity(examples.embeddings, np.arange(200) % 5)
    assert known.foreign(-examples.embeddings.astype(np.float32)).all()
    assert known.foreign(examples.embeddings.astype(np.float32)).sum() <= 2
