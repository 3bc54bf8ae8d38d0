"""The learned head as it serves: the first model's opinion, and what labels add to it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.models.heads.learned import (
    DenseLayer,
    LearnedHead,
    Novelty,
    Prior,
    Taught,
    unit,
    weight_of_learning,
)
from imgsort.records.verdict import UNLIKE

CLASSES = ("cat", "dog", "snake", "word")
EYE = np.eye(4, dtype=np.float32)


def array(*rows: object) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def zeros(inputs: int, outputs: int, biases: int) -> DenseLayer:
    return DenseLayer(np.zeros((inputs, outputs), np.float32), np.zeros(biases, np.float32))


def first(strength: float = 1.0) -> ImagenetHead:
    """Sees a cat, a dog and a snake in the first three numbers, and something else in the last."""
    weight = EYE * np.float32(strength)
    return ImagenetHead(CLASSES[:3], weight, np.zeros(4, np.float32), np.eye(3, 4) > 0)


def seen_as(*shares: float) -> NDArray[np.float32]:
    """The embedding of which the first model gives these shares."""
    return np.log(np.array([shares], np.float32))


NO_WORD = Taught(1.0, (zeros(4, 2, 2),))
"""Labels of cats and dogs that taught nothing."""


def head(taught: Taught = NO_WORD, temperature: float = 1.0) -> LearnedHead:
    return LearnedHead(CLASSES, Prior(first(), (0, 1, 2, None)), taught, temperature)


def test_without_a_word_from_labels_it_is_the_first_model() -> None:
    """What nothing was learned of is told as before, whatever the picture."""
    scores = head().scores(seen_as(0.6, 0.2, 0.1, 0.1))
    assert scores == pytest.approx(array([0.6, 0.2, 0.1, 0.05]), abs=1e-5)


def test_an_unknown_word_shares_something_else() -> None:
    """What the first model gives none of its classes goes in equal parts to the classes it doesn't
    know and to "something else"."""
    said = Prior(first(), (0, 1, None, None)).log_probabilities(seen_as(0.5, 0.2, 0.2, 0.1))
    assert np.exp(said) == pytest.approx(array([0.5, 0.2, 0.1, 0.1, 0.1]), abs=1e-5)
    nothing = Prior(None, (None, None, None)).log_probabilities(seen_as(1, 1, 1, 1))
    assert np.exp(nothing) == pytest.approx(array([0.25, 0.25, 0.25, 0.25]), abs=1e-5)


def test_the_first_model_rules_nothing_out() -> None:
    """A class that gets nothing from it has a thousandth to share, so labels can still win it."""
    said = Prior(first(), (0, 1, 2)).log_probabilities(seen_as(1, 1e-30, 1e-30, 1e-30))
    assert np.isfinite(said).all()
    assert np.exp(said[0, 1]) == pytest.approx(0.001 / 4)


def test_labels_tell_the_labelled_classes_apart() -> None:
    """What is learned moves cats against dogs; the mean over both is taken off."""
    tells = Taught(1.0, (DenseLayer(np.zeros((4, 2), np.float32), array(5, 3)),))
    torn = seen_as(0.5, 0.5, 1e-9, 1e-9)
    logits = head(tells).logits(torn)[0] - head().logits(torn)[0]
    weight = (0.5 + 0.5) / (0.5 + 0.5 + 2 * 0.0002)  # snake and word have a floor
    assert logits == pytest.approx(array(1, -1, 0, 0, 0) * weight**3, abs=1e-4)


def test_what_is_learned_never_says_that_everything_is_labelled() -> None:
    """The same added to every labelled class changes nothing: C removes the mean."""
    loud = Taught(1.0, (DenseLayer(np.ones((4, 2), np.float32) * 9, array(50, 50)),))
    pictures = seen_as(0.3, 0.2, 0.4, 0.1)
    assert head(loud).scores(pictures) == pytest.approx(head().scores(pictures), abs=1e-5)


def test_classes_without_labels_keep_their_order() -> None:
    """Whatever was learned of cats and dogs, snake, word and "something else" stand to each other
    as the first model has them."""
    rng = np.random.default_rng(0)
    taught = Taught(1.0, (DenseLayer(rng.normal(size=(4, 2)).astype("f4") * 5, array(3, -2)),))
    pictures = rng.normal(size=(50, 4)).astype(np.float32) * 3
    before, after = head().logits(pictures)[:, 2:], head(taught).logits(pictures)[:, 2:]
    assert np.diff(after) == pytest.approx(np.diff(before), abs=1e-4)


def test_learning_keeps_quiet_where_an_unlabelled_class_is_seen() -> None:
    """The surer the first model is of a snake, the less what was learned of cats and dogs says."""
    tells = Taught(1.0, (DenseLayer(np.zeros((4, 2), np.float32), array(4, -4)),))
    faint, clear = seen_as(0.4, 0.4, 0.1, 0.1), seen_as(0.01, 0.01, 0.97, 0.01)
    said = [
        float(np.ptp((head(tells).logits(each) - head().logits(each))[0, :2]))
        for each in (faint, clear)
    ]
    assert said[0] == pytest.approx(8 * (0.8 / 0.95) ** 3, rel=1e-3)
    assert said[1] < 0.2
    assert head(tells).scores(clear)[0].argmax() == 2


def test_learning_counts_where_the_first_model_sees_a_labelled_class() -> None:
    """ "Something else" doesn't count: a picture nobody's class fits may still be learned."""
    said = np.log(array([0.3, 0.1, 0.4, 0.2], [0.1, 0.1, 0.0001, 0.7998]))
    weights = array([0.5], [0.2 / 0.2001]) ** 3
    assert weight_of_learning(said, 2) == pytest.approx(weights, abs=1e-4)


def test_strength_is_how_much_the_first_model_counts() -> None:
    """Its log-probabilities are multiplied by it; at 0 the labels alone decide."""
    alone = Taught(0.0, (DenseLayer(np.zeros((4, 4), np.float32), array(1, 0, 0, 0)),))
    shares = head(alone).scores(seen_as(0.01, 0.97, 0.01, 0.01))[0]
    assert shares.argmax() == 0
    assert shares[1] == pytest.approx(shares[2])


def test_temperature_divides_the_logits() -> None:
    """Twice as hot is half as sure, on the scale of logits."""
    pictures = seen_as(0.6, 0.2, 0.1, 0.1)
    cool, hot = (np.log(head(temperature=each).scores(pictures)[0]) for each in (1.0, 2.0))
    assert np.diff(hot) == pytest.approx(np.diff(cool) / 2, abs=1e-4)


def test_a_hidden_layer_has_a_relu() -> None:
    """Between the layers, none after the last; columns beyond the first layer's are left out."""
    hidden = DenseLayer(array([1, -1], [0, 0]), array(0, 0))
    out = DenseLayer(array([2, 0], [0, 2]), array(0, -1))
    said = Taught(1.0, (hidden, out)).logits(array([1, 9, 77], [-1, 9, 77]))
    assert said.tolist() == [[2, -1], [0, 1]]


@pytest.mark.parametrize(
    "layers",
    [
        (),
        (zeros(4, 5, 5),),
        (zeros(4, 2, 3),),
        (zeros(4, 3, 3), zeros(4, 2, 2)),
    ],
)
def test_shapes_must_fit(layers: tuple[DenseLayer, ...]) -> None:
    """A damaged head is refused when it is built: no layers, too many outputs, a wrong bias, or
    layers that don't follow each other."""
    with pytest.raises(ValueError, match="don't fit"):
        head(Taught(1.0, layers))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0])
def test_numbers_must_be_ones(number: float) -> None:
    """Neither a temperature nor a strength can be one of these; a temperature of 0 can't either."""
    with pytest.raises(ValueError, match="can't be"):
        head(temperature=number)
    with pytest.raises(ValueError, match="can't be"):
        head(Taught(number, NO_WORD.layers))
    with pytest.raises(ValueError, match="can't be"):
        head(temperature=0.0)


def test_a_prior_knows_its_columns() -> None:
    """A column that the first model doesn't have, or a prior on other classes, is refused."""
    with pytest.raises(ValueError, match="no columns"):
        Prior(first(), (0, 3))
    with pytest.raises(ValueError, match="no columns"):
        Prior(None, (0,))
    with pytest.raises(ValueError, match="a prior on 2 classes for 4"):
        LearnedHead(CLASSES, Prior(first(), (0, 1)), NO_WORD)


def novelty(references: NDArray[np.float32], limit: float, neighbours: int = 2) -> Novelty:
    folds = np.zeros(len(references), np.uint8)
    return Novelty(references, folds, neighbours, limit, labelled=2)


def test_distance_and_unlikeness() -> None:
    """Distance is one minus the mean cosine to the nearest references, unlikeness its multiple of
    the limit; what follows the final embedding doesn't count."""
    known = novelty(array([1, 0], [1, 0], [0, 1]), 0.25)
    embeddings = array([5, 0, 8], [3, 4, -8], [0, 2, 8])
    assert known.distances(embeddings) == pytest.approx([0.0, 0.3, 0.5], abs=1e-6)
    assert known.unlikeness(embeddings) == pytest.approx([0.0, 1.2, 2.0], abs=1e-5)


@pytest.mark.parametrize("limit", [0.0, -1e-7])
def test_training_pictures_that_are_all_the_same(limit: float) -> None:
    """Their own like is not foreign, all else is, by a number that is finite."""
    known = novelty(array([0.6, 0.8]), limit, neighbours=1)
    found = known.unlikeness(array([0.6, 0.8], [6, 8], [0.8, 0.6], [-0.6, -0.8]))
    assert (found > 1).tolist() == [False, False, True, True]
    assert np.isfinite(found).all()


def test_who_has_not_seen_a_fold_does_not_know_its_pictures() -> None:
    """Without a fold its references are gone; where nothing else is left they all stay."""
    known = Novelty(array([1, 0], [0, 1]), np.array([0, 3], np.uint8), 1, 0.5, labelled=2)
    assert known.distances(array([0, 1])) == pytest.approx([0])
    assert known.without(3).distances(array([0, 1])) == pytest.approx([1])
    assert known.without(1).distances(array([0, 1])) == pytest.approx([0])
    assert known.without(0).without(3).distances(array([0, 1])) == pytest.approx([0])


def test_only_labelled_classes_ask_for_likeness() -> None:
    """A picture unlike all references is still filed under a class that the first model tells: it
    has no references by which it could be known."""
    known = Novelty(array([1, 0, 0, 0]), np.zeros(1, np.uint8), 1, 0.1, labelled=2)
    classifier = Classifier(
        LearnedHead(CLASSES, Prior(first(9), (0, 1, 2, None)), NO_WORD), [0.5] * 4, known
    )
    cat, dog, snake = classifier.judge(EYE[:3], 1)
    assert [(one.label, one.doubt) for one in (cat, dog, snake)] == [
        ("cat", None),
        ("dog", UNLIKE),
        ("snake", None),
    ]


def test_unit_rows() -> None:
    """Rows of length 1, of any kind of float; one of zeros stays so."""
    assert unit(np.array([[3, 4], [0, 0]], np.float16)).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0, 0],
    ]
