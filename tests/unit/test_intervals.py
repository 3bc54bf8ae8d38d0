"""Wilson's interval against worked examples and its own promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.intervals import Interval, lower_bound, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_examples(hits: int, of: int, low: float, high: float) -> None:
    """The two-sided 95 % interval is the published one."""
    found = wilson(hits, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_of_nothing_everything_is_possible() -> None:
    """Nothing counted, nothing known."""
    assert wilson(0, 0) == Interval(0.0, 1.0)


def test_one_sided_bound() -> None:
    """3 of 4 at z = 1: (0.75 + 1/8 - sqrt(0.75 * 0.25 / 4 + 1/64)) / (1 + 1/4) = 0.5."""
    assert lower_bound(3, 4, 1.0) == pytest.approx(0.5)


def test_no_share() -> None:
    """More hits than tries is a bug of the caller."""
    with pytest.raises(ValueError, match="5 out of 4"):
        wilson(5, 4)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share(counted: tuple[int, int]) -> None:
    """0 <= low <= share <= high <= 1, and it mirrors."""
    hits, of = counted
    found, mirrored = wilson(hits, of), wilson(of - hits, of)
    assert 0 <= found.low <= hits / of + 1e-12
    assert hits / of - 1e-12 <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high)
