"""Other views of a picture: mirrored, turned a little, seen from a little nearer."""

import zlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

TURN = 0.04
"""Largest rotation either way, as a share of a full turn: 14 degrees."""
NEARER = 0.2


def augment(pixels: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    """One view of each picture of uint8 RGB [N, H, W, 3], in the same form.

    What becomes of a picture depends on its pixels and ``view`` (1, 2, …) alone, not on its
    neighbours in the batch: so a view can be computed again, or kept.
    """
    if view < 1:
        raise ValueError(f"views are counted from 1, not {view}")
    views = [_one(picture, view) for picture in pixels]
    return np.stack(views) if views else pixels


def _one(picture: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    values: Any = picture[None].astype(np.float32)
    seed = zlib.crc32(np.ascontiguousarray(picture).tobytes(), view)
    for number, layer in enumerate(_layers()):
        transformation = layer.get_random_transformation(
            values, training=True, seed=(seed + number) & 0x7FFFFFFF
        )
        values = layer.transform_images(values, transformation, training=True)
    return np.asarray(np.rint(np.clip(np.asarray(values)[0], 0, 255)), np.uint8)


@cache
def _layers() -> tuple[Any, ...]:
    from imgsort.models.backbones.heavy_imports import import_keras

    layers = import_keras().layers
    return (
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(TURN, fill_mode="reflect"),
        layers.RandomZoom((-NEARER, 0.0), fill_mode="reflect"),
    )
