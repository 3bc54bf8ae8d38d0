"""How far a verdict is from another folder, and the margin that two networks need."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.models.heads.classifier import Classifier
from imgsort.models.nearness import LEAST, Margin, log_odds, margin_of, nearness
from imgsort.records.verdict import NEVER, RETIRED, Score, Verdict

SHARE = st.floats(0.001, 0.999)


class Told:
    """A head whose scores are its embeddings."""

    classes = ("cat", "dog", "owl")

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        return embeddings


def near(scores: list[float], thresholds: list[float], unlikeness: float | None = None) -> tuple:
    strange = None if unlikeness is None else np.array([unlikeness], np.float32)
    found = nearness(np.array([scores], np.float32), np.array(thresholds, np.float32), strange)
    return float(found.odds[0]), float(found.unlikeness[0])


def odds(share: float) -> float:
    return math.log(share / (1 - share))


@pytest.mark.parametrize(
    ("scores", "thresholds", "expected"),
    [
        ([0.8, 0.1], [0.7, 0.7], odds(0.8) - odds(0.7)),  # filed, its threshold is near
        ([0.6, 0.1], [0.7, 0.7], odds(0.7) - odds(0.6)),  # unsure, its threshold is near
        ([0.48, 0.46], [0.1, 0.1], odds(0.48) - odds(0.46)),  # filed, the second is near
        ([0.48, 0.46], [0.9, 0.1], odds(0.48) - odds(0.46)),  # unsure, the second would be filed
        ([0.48, 0.46], [0.9, NEVER], odds(0.9) - odds(0.48)),  # unless nothing is filed there
        ([0.99, 0.01], [NEVER, RETIRED], math.inf),  # nothing is ever filed
    ],
)
def test_the_nearest_other_folder_counts(
    scores: list[float], thresholds: list[float], expected: float
) -> None:
    """Whichever is reached first: a threshold, or another class that would be filed."""
    assert near(scores, thresholds)[0] == pytest.approx(expected, rel=1e-4)


def test_unlikeness_matters_for_what_would_be_filed() -> None:
    """What goes to unsure/ anyway goes there however strange it is."""
    assert near([0.9], [0.7], 1.1)[1] == pytest.approx(math.log(1.1), rel=1e-4)
    assert near([0.9], [0.7], 0.5)[1] == pytest.approx(math.log(2), rel=1e-4)
    assert near([0.2], [0.7], 1.01)[1] > 1
    assert near([0.9], [0.7])[1] == math.inf


@pytest.mark.parametrize(("scores", "unlikeness"), [([math.nan], 0.5), ([0.9], math.nan)])
def test_what_is_no_number_is_asked_again(scores: list[float], unlikeness: float) -> None:
    """The exact network may know better."""
    assert min(near(scores, [0.7], unlikeness)) == 0


@given(
    scores=st.lists(st.lists(SHARE, min_size=3, max_size=3), min_size=1, max_size=20),
    changes=st.lists(st.floats(-1, 1), min_size=60, max_size=60),
    thresholds=st.lists(
        st.sampled_from([0.0, 0.3, 0.7, 0.95, NEVER, RETIRED]), min_size=3, max_size=3
    ),
)
def test_what_is_clear_stays_where_it_is(
    scores: list[list[float]], changes: list[float], thresholds: list[float]
) -> None:
    """No change of the log-odds by less than half the margin leads a clear picture elsewhere."""
    before = np.array(scores, np.float32)
    shift = np.array(changes, np.float32)[: before.size].reshape(before.shape)
    after = 1 / (1 + np.exp(-(log_odds(before) + shift * 0.249)))
    classifier = Classifier(Told(), thresholds)
    verdicts, found = classifier.judge_nearness(before, 1)
    again = classifier.judge(after.astype(np.float32), 1)
    for clear, one, other in zip(found.clear(Margin(0.5, 0.5)), verdicts, again, strict=True):
        assert not clear or one.folder == other.folder


def verdict(confidence: float, threshold: float = 0.7) -> Verdict:
    decision = "filed" if confidence >= threshold else "unsure"
    return Verdict("cat", confidence, decision, None, (Score("cat", confidence),))


def many(noise: float) -> tuple[list[Verdict], list[Verdict], np.ndarray]:
    """1,000 pictures of all confidences, whose log-odds two networks tell so differently."""
    rng = np.random.default_rng(0)
    true = rng.uniform(-4, 6, 1000)
    seen = true + rng.normal(size=1000) * noise
    coarse, exact = (1 / (1 + np.exp(-each)) for each in (seen, true))
    said = [verdict(float(one)) for one in coarse], [verdict(float(one)) for one in exact]
    return *said, coarse.astype(np.float32)[:, None]


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.8])
def test_the_margin_follows_what_the_networks_differ_by(noise: float) -> None:
    """Wider than all that went wrong here, and a few times the usual difference, not more."""
    coarse, exact, scores = many(noise)
    found = nearness(scores, np.array([0.7], np.float32), None)
    margin = margin_of(coarse, exact, found, 0.00025)
    assert 1.5 * noise < margin.odds < 5 * noise
    assert margin.unlikeness == LEAST
    clear = found.clear(margin)
    assert all(
        one.folder == other.folder or not fine
        for one, other, fine in zip(coarse, exact, clear, strict=True)
    )
    assert 0.2 < clear.mean() < 1


def test_equal_networks_need_the_least_margin() -> None:
    """It is never nothing: these pictures aren't all there will be."""
    coarse, exact, scores = many(0.0)
    found = nearness(scores, np.array([0.7], np.float32), None)
    assert margin_of(coarse, exact, found, 0.00025) == Margin(LEAST, LEAST)
