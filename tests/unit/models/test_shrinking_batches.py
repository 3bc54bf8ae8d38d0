"""When the device's memory runs out, batches get smaller; no image is left out or repeated."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.models.runtimes.base import DeviceMemoryExhausted, Embeddings, Images
from imgsort.models.runtimes.on_tensorflow import padded_size
from imgsort.models.runtimes.shrinking_batches import GROW_AFTER, Halving


class SmallDevice:
    """A runtime that raises above ``room`` images, and keeps the sizes it was asked for."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: list[int] = []

    def run(self, images: Images) -> Embeddings:
        self.asked.append(len(images))
        if len(images) > self.room:
            raise DeviceMemoryExhausted
        return images.reshape(len(images), -1)[:, :1].astype(np.float32)


def _numbered(count: int) -> Images:
    return np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)


@given(count=st.integers(0, 100), room=st.integers(1, 40), largest=st.integers(1, 40))
def test_every_image_comes_back_once_and_in_order(count: int, room: int, largest: int) -> None:
    """Whatever fits, the answer is that of a device with room for all."""
    halving = Halving(SmallDevice(room).run, width=1, largest=largest)
    embeddings = halving.embed(_numbered(count))
    assert list(range(count)) == [int(row[0]) for row in embeddings]
    assert (count, 1) == embeddings.shape


def test_the_batch_halves_until_it_fits_and_stays_there() -> None:
    """The size that failed isn't tried again with the next batch."""
    device = SmallDevice(room=5)
    halving = Halving(device.run, width=1, largest=32)
    halving.embed(_numbered(32))
    assert device.asked == [32, 16, 8, 4, 4, 4, 4, 4, 4, 4, 4]
    device.asked.clear()
    halving.embed(_numbered(6))
    assert device.asked == [4, 2]


def test_not_even_one_image() -> None:
    """Then the caller learns it; the next call tries again."""
    device = SmallDevice(room=0)
    halving = Halving(device.run, width=1, largest=4)
    with pytest.raises(DeviceMemoryExhausted):
        halving.embed(_numbered(3))
    device.room = 4
    assert halving.embed(_numbered(3)).shape == (3, 1)


def test_it_grows_back_slowly() -> None:
    """After GROW_AFTER full batches twice as many are tried, up to the configured size."""
    device = SmallDevice(room=4)
    halving = Halving(device.run, width=1, largest=8)
    halving.embed(_numbered(8))
    assert halving.limit == 4
    device.room = 100
    for _ in range(GROW_AFTER):
        halving.embed(_numbered(4))
    assert halving.limit == 8
    device.asked.clear()
    halving.embed(_numbered(8))
    assert device.asked == [8]


def test_a_single_image_that_is_filled_up_to_a_shape_still_fits() -> None:
    """Room for 3: the shape of 8 that a drop is filled up to fails, one of 2 doesn't."""
    device = SmallDevice(room=3)
    halving = Halving(_filling(device, lambda: halving.limit), 1, largest=32)
    assert halving.embed(_numbered(1)).shape == (1, 1)
    assert device.asked == [8, 8, 8, 4, 2]
    assert halving.embed(_numbered(5)).shape == (5, 1)


def _filling(device: SmallDevice, limit: Callable[[], int]) -> Callable[[Images], Embeddings]:
    def run(images: Images) -> Embeddings:
        filled = np.resize(images, (padded_size(len(images), limit()), 1, 1, 1))
        return device.run(filled)[: len(images)]

    return run


@pytest.mark.parametrize(
    ("count", "largest", "expected"),
    [(1, 32, 8), (8, 32, 8), (9, 32, 32), (32, 32, 32), (5, 24, 8), (20, 24, 24), (2, 4, 4)],
)
def test_shapes_are_few(count: int, largest: int, expected: int) -> None:
    """XLA compiles every shape anew: one for a drop, and the configured size."""
    assert expected == padded_size(count, largest)
