"""Uncertain and different pictures first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.labels.next_pictures import most_telling, uncertainty

NOTHING = np.zeros((0, 2), np.float32)


def rows(*numbers: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(numbers, np.float32)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((1.0, 0.0), 0.0),
        ((0.5, 0.5), 1.0),
        ((0.6, 0.4), 0.8),
        ((0.05, 0.05), 0.15),  # surely none of these: 0.90 against 0.05
        ((0.5, 0.0), 1.0),  # this one or none of these
        ((float("nan"), 0.2), 0.4),
    ],
)
def test_uncertainty(scores: tuple[float, float], expected: float) -> None:
    """One minus the margin between the two best answers, "none of these" among them."""
    assert uncertainty(rows(scores))[0] == pytest.approx(expected, abs=1e-6)


def test_without_a_class_everything_is_uncertain() -> None:
    """Then only diversity decides."""
    assert uncertainty(np.zeros((3, 0), np.float32)).tolist() == [1, 1, 1]


def test_the_most_uncertain_comes_first() -> None:
    """Among pictures that are equally far apart."""
    embeddings = np.eye(4, dtype=np.float32)
    chosen = most_telling(
        embeddings, rows((0.1, 0.9, 0.3, 0.5))[0], np.zeros((0, 4), np.float32), 3
    )
    assert chosen.tolist() == [1, 3, 2]


def test_the_second_of_two_alike_waits() -> None:
    """A twin of the first choice comes after a picture that is less uncertain but different."""
    embeddings = rows((1, 0), (1, 0.01), (0, 1))
    chosen = most_telling(embeddings, rows((0.9, 0.89, 0.2))[0], NOTHING, 3)
    assert chosen.tolist() == [0, 2, 1]


def test_what_is_like_a_labelled_picture_waits() -> None:
    """A label there would tell the model what it was told already."""
    embeddings = rows((1, 0), (0, 1))
    chosen = most_telling(embeddings, rows((0.9, 0.5))[0], rows((2, 0.02)), 1)
    assert chosen.tolist() == [1]


@given(
    count=st.integers(0, 12),
    uncertain=st.lists(st.floats(0, 1, width=32), min_size=0, max_size=8),
    seed=st.integers(0, 100),
)
def test_nobody_is_listed_twice(count: int, uncertain: list[float], seed: int) -> None:
    """As many as there are or as were asked for, whatever the numbers, twins and zeros included."""
    random = np.random.default_rng(seed)
    embeddings = random.integers(0, 2, (len(uncertain), 2)).astype(np.float32)
    chosen = most_telling(embeddings, np.array(uncertain, np.float32), NOTHING, count)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, len(uncertain))
