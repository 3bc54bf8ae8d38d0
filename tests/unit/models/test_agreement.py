"""Whether two sets of embeddings lead to the same folders."""

from typing import Literal

import numpy as np
import pytest

from imgsort.models.agreement import Agreement, agreement
from imgsort.records.verdict import Verdict

Decision = Literal["filed", "unsure"]


def said(label: str, decision: Decision) -> Verdict:
    return Verdict(label, 0.5, decision, None, ())


@pytest.mark.parametrize(
    ("before", "after", "same_decision", "same_label"),
    [
        (("cat", "filed"), ("cat", "filed"), 1, 1),
        (("cat", "filed"), ("dog", "filed"), 0, 0),
        (("cat", "filed"), ("cat", "unsure"), 0, 1),
        (("cat", "unsure"), ("cat", "filed"), 0, 1),
        (("cat", "unsure"), ("dog", "unsure"), 1, 0),
    ],
)
def test_a_decision_is_the_folder(
    before: tuple[str, Decision],
    after: tuple[str, Decision],
    same_decision: int,
    same_label: int,
) -> None:
    """A best class that differs counts only where it is filed under; unsure is one folder."""
    ones = np.ones((1, 4), np.float32)
    found = agreement([said(*before)], [said(*after)], (ones, 2 * ones))
    assert (found.pictures, found.same_decisions) == (1, same_decision)
    assert found.same_labels == same_label
    assert found.mean_cosine == pytest.approx(1.0)


def test_the_shares_and_their_bound() -> None:
    """98 of 100: Wilson's interval begins at 93.0 %."""
    found = Agreement(100, 98, 99, 0.999)
    assert (found.decided_alike, found.labelled_alike) == (0.98, 0.99)
    assert found.lower_bound == pytest.approx(0.9300, abs=5e-4)


def test_the_cosine_is_a_mean_over_pictures() -> None:
    """Parallel, at a right angle, and a zero vector, which is like nothing."""
    before = np.array([[1, 0], [1, 0], [0, 0]], np.float32)
    after = np.array([[3, 0], [0, 5], [1, 0]], np.float32)
    verdicts = [said("cat", "filed")] * 3
    assert agreement(verdicts, verdicts, (before, after)).mean_cosine == pytest.approx(1 / 3)
