"""Signs of files are ticked off as a set's members would be taken out."""

from hypothesis import given
from hypothesis import strategies as st

from imgsort.disk.identity import Identity
from imgsort.reconcile.signs import Signs, sign_of

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_they_behave_like_a_set(expected: list[int], seen: list[int]) -> None:
    """Twice the same is once, whether expected or seen."""
    signs, plain = Signs(expected), set(expected)
    assert len(signs) == len(plain)
    for sign in seen:
        assert signs.tick_off(sign) == (sign in plain)
    left = plain - set(seen)
    assert signs.left == len(left)
    assert all(signs.still_has(sign) == (sign in left) for sign in {*expected, *seen})


def test_a_sign_is_of_path_and_identity() -> None:
    """And fits 64 bits."""
    here = Identity(1, 2, 3, 4)
    assert sign_of("/a", here) == sign_of("/a", Identity(1, 2, 3, 4))
    assert sign_of("/a", here) != sign_of("/b", here)
    assert sign_of("/a", here) != sign_of("/a", Identity(1, 2, 3, 5))
    assert Signs([sign_of("/a", here)]).tick_off(sign_of("/a", here))
