"""Embeddings become verdicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, ImagenetHead, softmax
from imgsort.records.reasons import Reason
from imgsort.records.verdict import (
    NOT_FINITE,
    NOTHING_FITS,
    NOTHING_KNOWN,
    UNLIKE,
    Score,
    Verdict,
    shortfall,
)

Floats = NDArray[np.float32]


class FixedHead:
    """A head whose scores are its input."""

    def __init__(self, *classes: str) -> None:
        self.classes = classes

    def scores(self, embeddings: Floats) -> Floats:
        return embeddings


def fixed(*rows: list[float]) -> Floats:
    return np.array(rows, np.float32)


def logits_of(*shares: float) -> Floats:
    """An embedding that the identity weight turns into these softmax shares."""
    return np.log(np.array([shares], np.float32))


def imagenet(groups: list[list[int]], columns: int = 4, temperature: float = 1.0) -> ImagenetHead:
    table = np.zeros((len(groups), columns), np.bool_)
    for row, members in zip(table, groups, strict=True):
        row[members] = True
    names = [f"c{number}" for number in range(len(groups))]
    weight, bias = np.eye(columns, dtype=np.float32), np.zeros(columns, np.float32)
    return ImagenetHead(names, weight, bias, table, temperature)


def test_a_class_of_one_imagenet_class_has_its_share() -> None:
    """In whatever order; nothing is summed then, and the shares are to the bit what sums give."""
    embeddings = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    alone = imagenet([[2], [0], [3]]).scores(embeddings)
    summed = imagenet([[2], [0], [3], [1, 2]]).scores(embeddings)
    assert alone.tolist() == summed[:, :3].tolist()


class Knowing:
    """Finds pictures as unlike its training as it is told."""

    def __init__(self, *unlikeness: float) -> None:
        self._unlikeness = np.array(unlikeness, np.float32)

    def unlikeness(self, embeddings: Floats) -> Floats:
        return self._unlikeness[: len(embeddings)]

    def doubts(
        self, embeddings: Floats, winners: NDArray[np.intp], unlikeness: Floats
    ) -> list[Reason | None]:
        assert len(embeddings) == len(winners)
        return [UNLIKE if one > 1 else None for one in unlikeness]


def test_a_verdict_says_how_unlike_its_training_a_picture_is() -> None:
    """As the model finds it; not where that is no number."""
    classifier = Classifier(FixedHead("cat"), [0.5], Knowing(0.25, 1.5, float("nan"), float("inf")))
    verdicts = classifier.judge(fixed([0.9], [0.9], [0.9], [0.9]), 1)
    assert [one.unlikeness for one in verdicts] == [0.25, 1.5, None, None]
    assert [one.doubt for one in verdicts] == [None, UNLIKE, None, UNLIKE]


def test_a_class_scores_the_raw_sum_of_its_imagenet_classes() -> None:
    """Shares are added up per group and what belongs to no group is left over."""
    scores = imagenet([[0, 1], [3]]).scores(logits_of(0.4, 0.25, 0.2, 0.15))
    assert scores == pytest.approx(fixed([0.65, 0.15]), abs=1e-6)


def test_the_threshold_applies_to_the_raw_sum() -> None:
    """0.65 of everything is below 0.7 even when the other class has next to nothing."""
    classifier = Classifier(imagenet([[0, 1], [3]]), [0.7, 0.7])
    [verdict] = classifier.judge(logits_of(0.4, 0.25, 0.34, 0.01), 1)
    assert verdict.decision == "unsure"
    assert verdict.reason == "confidence 0.65 is below 0.70"
    assert verdict.label == "c0"


def test_a_class_that_stands_for_nothing_scores_zero_and_is_never_filed() -> None:
    """Not even where the threshold is 0."""
    head = imagenet([[], [0]])
    assert head.scores(logits_of(0.7, 0.1, 0.1, 0.1))[0, 0] == 0
    [verdict] = Classifier(imagenet([[], []]), [0, 0]).judge(logits_of(0.7, 0.1, 0.1, 0.1), 5)
    assert verdict == Verdict(
        "c0", 0.0, "unsure", NOTHING_FITS, (Score("c0", 0.0), Score("c1", 0.0))
    )


def test_thresholds_are_those_of_the_best_class() -> None:
    """Each class has its own bar; reaching it exactly is enough."""
    classifier = Classifier(FixedHead("cat", "dog"), [0.7, 0.2])
    verdicts = classifier.judge(fixed([0.69, 0.1], [0.1, 0.2], [0.7, 0.3]), 1)
    assert [verdict.decision for verdict in verdicts] == ["unsure", "filed", "filed"]
    assert [verdict.reason for verdict in verdicts] == [
        "confidence 0.69 is below 0.70",
        None,
        None,
    ]


def test_one_confidence_may_replace_the_thresholds() -> None:
    """with_confidence() is the configuration's knob; the original keeps its own."""
    strict = Classifier(FixedHead("cat", "dog"), [0.7, 0.7])
    lenient = strict.with_confidence(0.5)
    scores = fixed([0.6, 0.1])
    assert lenient.judge(scores, 1)[0].decision == "filed"
    assert strict.judge(scores, 1)[0].decision == "unsure"


@pytest.mark.parametrize(
    ("top_k", "expected"),
    [
        (0, []),
        (1, ["b"]),
        (3, ["b", "d", "a"]),
        (9, ["b", "d", "a", "c"]),
    ],
)
def test_top_k_is_sorted_with_ties_in_class_order(top_k: int, expected: list[str]) -> None:
    """top_k may be larger than the number of classes."""
    classifier = Classifier(FixedHead("a", "b", "c", "d"), [0.7] * 4)
    [verdict] = classifier.judge(fixed([0.1, 0.4, 0.1, 0.4]), top_k)
    assert [score.label for score in verdict.top_k] == expected
    assert verdict.label == "b"


def test_ties_among_a_thousand_classes_keep_their_order() -> None:
    """A sort that is only stable on short lists would not do."""
    names = [f"c{number}" for number in range(1000)]
    scores = np.tile(np.array([0.25, 0.5], np.float32), 500)[None]
    [verdict] = Classifier(FixedHead(*names), [0.7] * 1000).judge(scores, 600)
    assert [score.label for score in verdict.top_k] == [*names[1::2], *names[:200:2]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_embedding_that_is_not_finite_is_unsure_and_spoils_no_neighbour(bad: float) -> None:
    """Its verdict says why; the rows around it are judged as ever."""
    classifier = Classifier(imagenet([[0], [1]]), [0.7, 0.7])
    good = np.array([5, 0, 0, 0], np.float32)
    spoiled = good.copy()
    spoiled[2] = bad
    before, broken, after = classifier.judge(np.stack([good, spoiled, good]), 2)
    assert broken == Verdict("", 0.0, "unsure", NOT_FINITE, ())
    assert before == after
    assert before.label == "c0"
    assert before.decision == "filed"


def test_a_head_can_not_hide_an_embedding_that_is_not_finite() -> None:
    """ReLU or a comparison may turn NaN into a confident number; the embedding is asked itself."""

    class Sure(FixedHead):
        def scores(self, embeddings: Floats) -> Floats:
            return np.ones((len(embeddings), 1), np.float32)

    [verdict] = Classifier(Sure("cat"), [0.7]).judge(fixed([np.nan]), 1)
    assert (verdict.decision, verdict.doubt) == ("unsure", NOT_FINITE)


def test_finite_embeddings_that_overflow_the_head_are_unsure() -> None:
    """inf - inf inside the softmax is told, not raised."""
    head = ImagenetHead(
        ["c0"],
        np.full((2, 2), 3e38, np.float32),
        np.zeros(2, np.float32),
        np.ones((1, 2), np.bool_),
    )
    [verdict] = Classifier(head, [0.7]).judge(fixed([3e38, 3e38]), 1)
    assert (verdict.decision, verdict.doubt) == ("unsure", NOT_FINITE)


def test_a_model_that_knows_no_class_says_so() -> None:
    """Weights without the classification top and no label yet: everything is unsure."""
    classifier = Classifier(ImagenetHead.knowing_nothing(), [])
    verdicts = classifier.judge(np.ones((2, 8), np.float32), 5)
    assert verdicts == [Verdict("", 0.0, "unsure", NOTHING_KNOWN, ())] * 2


def test_a_model_that_knows_no_class_has_no_scores() -> None:
    """`next` asks for them, to find the pictures it is least sure of."""
    assert ImagenetHead.knowing_nothing().scores(np.ones((2, 8), np.float32)).shape == (2, 0)


def test_a_head_takes_the_first_part_of_a_wider_embedding() -> None:
    """What follows are means of inner layers, of which it knows nothing."""
    head = imagenet([[0], [1]])
    assert (head.scores(fixed([2, 1, 0, 0, 7, 7])) == head.scores(fixed([2, 1, 0, 0]))).all()


def test_no_image_gives_no_verdict() -> None:
    """An empty batch is fine."""
    empty = np.zeros((0, 4), np.float32)
    assert Classifier(imagenet([[0], [1]]), [0.7, 0.7]).judge(empty, 5) == []


def test_temperature_flattens() -> None:
    """Logits are divided by it before the softmax."""
    hot = imagenet([[0], [1]], temperature=2.0).scores(fixed([2, 0, 0, 0]))
    assert hot == pytest.approx(imagenet([[0], [1]]).scores(fixed([1, 0, 0, 0])))


def test_confidences_never_exceed_one() -> None:
    """Rounding in a sum over a thousand shares can't leak out."""
    rng = np.random.default_rng(1)
    head = imagenet([list(range(1000))], columns=1000)
    for verdict in Classifier(head, [0.7]).judge(rng.normal(size=(50, 1000)).astype("f4"), 1):
        assert 0.9999 < verdict.confidence <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_stable(dtype: type) -> None:
    """Huge logits give the shares of their differences."""
    shares = softmax(np.array([[1e4, 1e4, -1e4], [-1e4, -1e4, -1e4]], dtype))
    assert shares == pytest.approx(np.array([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]))


@pytest.mark.parametrize(
    ("confidence", "threshold", "reason"),
    [
        (0.41, 0.7, "confidence 0.41 is below 0.70"),
        (0.6999, 0.7, "confidence 0.6999 is below 0.70"),
        (0.6949, 0.695, "confidence 0.6949 is below 0.695"),
        (0.0, 0.7, "confidence 0.00 is below 0.70"),
        (0.99999, 1.0, "confidence 0.99999 is below 1.00"),
        (0.7, 0.7, None),
        (0.0, 0.0, NOTHING_FITS.sentence),
    ],
)
def test_the_reason_names_both_numbers(
    confidence: float, threshold: float, reason: str | None
) -> None:
    """As many digits as it takes to tell them apart."""
    doubt = shortfall(confidence, threshold)
    assert (None if doubt is None else doubt.sentence) == reason


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_the_two_numbers_of_a_reason_never_look_the_same(
    confidence: float, threshold: float
) -> None:
    """Read back from the sentence, the confidence is below the threshold."""
    doubt = shortfall(confidence, threshold)
    if confidence >= threshold:
        assert doubt == (None if confidence > 0 else NOTHING_FITS)
        return
    assert doubt is not None
    _, has, _, _, needs = doubt.sentence.split(" ")
    assert float(has) < float(needs)


@pytest.mark.parametrize(
    ("weight", "bias", "groups", "temperature"),
    [
        ((2, 3), (2,), (1, 3), 1.0),
        ((2, 3), (3,), (2, 3), 1.0),
        ((2, 3), (3,), (1, 2), 1.0),
        ((2, 3), (3,), (1, 3), 0.0),
        ((2, 3), (3,), (1, 3), float("nan")),
    ],
)
def test_a_head_whose_numbers_do_not_fit_is_refused(
    weight: tuple[int, int], bias: tuple[int], groups: tuple[int, int], temperature: float
) -> None:
    """ValueError at the making, not a wrong answer later."""
    with pytest.raises(ValueError, match=r"fit|temperature"):
        ImagenetHead(
            ["cat"],
            np.ones(weight, np.float32),
            np.ones(bias, np.float32),
            np.ones(groups, np.bool_),
            temperature,
        )


@pytest.mark.parametrize("thresholds", [[], [0.5, 0.5], [1.5], [-0.1], [float("nan")]])
def test_thresholds_that_do_not_fit_are_refused(thresholds: list[float]) -> None:
    """One a class, 0 to 1."""
    with pytest.raises(ValueError, match="threshold"):
        Classifier(FixedHead("cat"), thresholds)
