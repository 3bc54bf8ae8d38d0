"""Memory of pixels is used again, and never while somebody still looks at it."""

import gc

import numpy as np
from numpy.typing import NDArray

from imgsort.images.pixel_memory import PixelMemory

SIZE = 8


def of(value: int) -> NDArray[np.uint8]:
    return np.full((SIZE, SIZE, 3), value, np.uint8)


def address(pixels: NDArray[np.uint8]) -> int:
    return int(pixels.__array_interface__["data"][0])


def test_memory_nobody_holds_is_used_again() -> None:
    """And has the next picture's pixels then."""
    memory = PixelMemory(SIZE)
    first = memory.copy_of(of(1))
    before = address(first)
    del first
    gc.collect()
    second = memory.copy_of(of(2))
    assert address(second) == before
    assert (second == 2).all()


def test_a_picture_keeps_its_pixels_as_long_as_any_view_of_it_is_held() -> None:
    """Be it a view of a view, of which the picture itself is gone."""
    memory = PixelMemory(SIZE)
    whole = memory.copy_of(of(1))
    row, view = whole[2], whole.reshape(-1)[5:9].view()
    del whole
    gc.collect()
    others = [memory.copy_of(of(value)) for value in (2, 3)]
    assert (row == 1).all()
    assert (view == 1).all()
    assert [int(one[0, 0, 0]) for one in others] == [2, 3]
