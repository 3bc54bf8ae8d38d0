"""The learned head as it serves: plain matrix products, kept classes and the distance test."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.dense_head import DenseHead, Familiarity, KeepingHead, Layer, Share


def array(*rows: object) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def zeros(inputs: int, outputs: int, biases: int) -> Layer:
    return Layer(np.zeros((inputs, outputs), np.float32), np.zeros(biases, np.float32))


def test_dense_layers() -> None:
    """A ReLU between the layers, none after the last, softmax over the temperature."""
    hidden = Layer(array([1, -1], [0, 0]), array(0, 0))
    out = Layer(array([2, 0], [0, 2]), array(0, -1))
    head = DenseHead(["cat", "dog"], [hidden, out], temperature=2.0)
    embeddings = array([1, 9], [-1, 9])
    assert head.logits(embeddings).tolist() == [[2, -1], [0, 1]]
    expected = 1 / (1 + np.exp([[-1.5, 1.5], [0.5, -0.5]]))
    assert head.scores(embeddings) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("layers", "classes"),
    [
        ([], 2),
        ([zeros(2, 3, 3)], 2),
        ([zeros(2, 2, 3)], 2),
        ([zeros(2, 3, 3), zeros(4, 2, 2)], 2),
    ],
)
def test_shapes_must_fit(layers: list[Layer], classes: int) -> None:
    """A damaged head is refused when it is built."""
    with pytest.raises(ValueError, match="don't fit"):
        DenseHead([str(number) for number in range(classes)], layers)


class Old:
    """An old head that gives each picture the scores in its embedding."""

    classes = ("cat", "dog", "snake")

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return embeddings


EVEN = DenseHead(["cat", "dog"], [zeros(3, 2, 2)])


def test_kept_class_keeps_its_say() -> None:
    """The old head settles between snakes and the rest, the learned one between cats and dogs."""
    head = KeepingHead(EVEN, Old(), ["snake"], Share())
    assert head.classes == ("cat", "dog", "snake")
    found = head.scores(array([0.1, 0.1, 0.6], [0.4, 0.0, 0.1]))
    assert found == pytest.approx(array([0.125, 0.125, 0.75], [0.4, 0.4, 0.2]), abs=1e-4)


def test_unsure_old_head_still_keeps_snakes_apart() -> None:
    """A faint snake that resembles no cat or dog at all isn't put under one of them."""
    head = KeepingHead(EVEN, Old(), ["snake"], Share())
    assert head.scores(array([0.001, 0.001, 0.2]))[0, 2] > 0.98


def test_share_is_calibrated() -> None:
    """The offset moves the balance between kept and learned classes."""
    head = KeepingHead(EVEN, Old(), ["snake"], Share(offset=float(np.log(3))))
    assert head.scores(array([0.1, 0.1, 0.2]))[0, 2] == pytest.approx(0.75, abs=1e-4)


def test_a_learned_class_is_not_kept() -> None:
    """A class is either learned or kept."""
    with pytest.raises(ValueError, match="can't all be kept"):
        KeepingHead(EVEN, Old(), ["cat"], Share())


def test_foreign() -> None:
    """Distance is one minus the mean cosine to the nearest references."""
    known = Familiarity(array([1, 0], [1, 0], [0, 1]), neighbours=2, limit=0.25)
    embeddings = array([5, 0], [3, 4], [0, 2])
    assert known.distances(embeddings) == pytest.approx([0.0, 0.3, 0.5], abs=1e-6)
    assert known.unlikeness(embeddings) == pytest.approx([0.0, 1.2, 2.0], abs=1e-5)
    assert known.foreign(embeddings).tolist() == [False, True, True]


@pytest.mark.parametrize("limit", [0.0, -1e-7])
def test_training_pictures_that_are_all_the_same(limit: float) -> None:
    """Their own like is not foreign, all else is, by a number that is finite."""
    known = Familiarity(array([0.6, 0.8]), neighbours=1, limit=limit)
    assert known.foreign(array([0.6, 0.8], [6, 8], [0.8, 0.6])).tolist() == [False, False, True]
    assert np.isfinite(known.unlikeness(array([-0.6, -0.8]))).all()
