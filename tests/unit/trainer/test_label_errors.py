"""Doubtful labels, the worth of more labels, and strangers: small numbers worked out by hand."""

import numpy as np
import pytest

from imgsort.models.heads.learned import Novelty, unit
from imgsort.trainer.evaluation.label_errors import suspects
from imgsort.trainer.evaluation.learning_curve import helps
from imgsort.trainer.evaluation.unknown_classes import filed_when_unknown


def test_confident_disagreement_is_suspected() -> None:
    """A picture as surely another class as that class's own is suspected; a doubtful one isn't."""
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.05, 0.95], [0.45, 0.55]])
    labels = np.array([0, 0, 1, 1, 0, 0])
    assert suspects(scores, labels) == [(4, 1)]


def test_a_label_of_no_column_is_not_judged() -> None:
    """A class that the model doesn't have can't be contradicted by it."""
    assert suspects(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([-1, 0])) == []


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_labels_lead_the_list(seed: int) -> None:
    """With 30 % of the labels shuffled, most of the list's first third really is wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 400)
    labels = truth.copy()
    wrong = rng.random(400) < 0.3
    labels[wrong] = rng.permutation(labels[wrong])
    scores = rng.dirichlet(np.ones(4), 400) * 0.6
    scores[np.arange(400), truth] += 0.4
    found = suspects(scores, labels)
    leading = found[: max(len(found) * 3 // 10, 1)]
    assert np.mean([labels[row] != truth[row] for row, _ in leading]) >= 0.6


@pytest.mark.parametrize(
    ("gain", "error", "answer"),
    [(0.05, 0.01, "yes"), (0.0, 0.005, "no"), (0.02, 0.02, "unclear"), (-0.03, 0.01, "no")],
)
def test_would_more_labels_help(gain: float, error: float, answer: str) -> None:
    """Yes and no are said only where chance can't turn them round."""
    assert helps(gain, error) == answer


def test_strangers_are_asked_of_known_classes() -> None:
    """A class far from the others isn't filed when it is taken for unknown; a near one is."""
    near, far = [1, 0, 0], [0, 0, 1]
    embeddings = np.array([near] * 6 + [[0.98, 0.2, 0]] * 6 + [far] * 6, np.float32)
    labels = np.repeat([0, 1, 2], 6)
    scores = np.full((18, 3), 0.05)
    scores[np.arange(18), labels] = 0.9
    scores[:12, :2] += 0.02
    known = Novelty(unit(embeddings), np.zeros(18, np.uint8), 3, 0.1, 3)
    asked, filed = filed_when_unknown(embeddings, scores, labels, np.array([0.5] * 3), known)
    assert (asked, filed) == (18, 12)
    assert filed_when_unknown(embeddings, scores, labels % 2, np.array([0.5] * 3), known) == (0, 0)
