"""Augmented views: pictures of the same kind, and always the same ones."""

import numpy as np
import pytest

from imgsort.trainer.dataset.augment import augment


def pictures(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A bright square off the middle of a dark ground, elsewhere in each."""
    found = np.full((count, 64, 64, 3), 20, np.uint8)
    for at in range(count):
        found[at, 10 : 30 + at, 8:28] = (250, 120, 10)
    return found


@pytest.mark.slow  # imports Keras
def test_a_view_is_a_picture_of_the_same_form() -> None:
    """A view keeps shape, type and range, and is not the picture itself."""
    plain = pictures(4)
    seen = augment(plain, 1)
    assert (seen.shape, seen.dtype) == (plain.shape, plain.dtype)
    assert all((one != other).any() for one, other in zip(seen, plain, strict=True))
    assert abs(float(seen.mean()) - float(plain.mean())) < 30


@pytest.mark.slow
def test_a_view_depends_on_picture_and_number_alone() -> None:
    """The same picture gives the same view, whatever its neighbours and how often it is asked."""
    plain = pictures(5)
    seen = augment(plain, 2)
    assert (augment(plain[3:4], 2)[0] == seen[3]).all()
    assert (augment(plain[::-1], 2)[::-1] == seen).all()
    assert (augment(plain, 3) != seen).any()


@pytest.mark.slow
def test_no_pictures_give_no_views() -> None:
    """An empty batch comes back empty."""
    assert augment(pictures(0), 1).shape == (0, 64, 64, 3)


def test_the_picture_itself_is_no_view() -> None:
    """View 0 is the plain picture, which nobody may ask to have altered."""
    with pytest.raises(ValueError, match="counted from 1"):
        augment(pictures(1), 0)
