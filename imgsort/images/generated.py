"""Pictures made here, for measuring: as costly to decode as photographs, and each one different."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.images.facts import ImageFacts, ImageLimits

QUALITY = 88
_DETAIL = 24.0
"""Standard deviation of the strongest detail in grey levels; makes 0.3 to 0.4 bytes a pixel."""
_COARSE = 1000


def undecoded(
    data: bytes,  # noqa: ARG001 - as every decoder
    size: int,
    limits: ImageLimits,  # noqa: ARG001
) -> tuple[NDArray[np.uint8], ImageFacts]:
    """A black picture, whatever the bytes: a decoder that costs nothing."""
    return np.zeros((size, size, 3), np.uint8), ImageFacts(size, size, "JPEG", None, None, 0)


def generated_jpegs(width: int, height: int, count: int, seed: int = 0) -> Iterator[bytes]:
    """``count`` JPEG files of width x height pixels: clouds of colour with fine detail."""
    from PIL import Image

    random = np.random.default_rng(seed)
    for _ in range(count):
        buffer = io.BytesIO()
        picture = Image.fromarray(_clouds(random, width, height))
        picture.save(buffer, "JPEG", quality=QUALITY)
        yield buffer.getvalue()


def _clouds(random: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    import cv2

    scale = min(1.0, _COARSE / max(width, height))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    field: NDArray[Any] = np.full((size[1], size[0], 3), 128, np.float32)
    cells = 3
    while cells < max(size) // 3:
        noise = _normal(random, (cells, cells, 3)) * np.float32(60 / cells**0.5 + 2)
        field += cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
        cells *= 3
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    # Detail lies in some places and not in others, as in photographs.
    where = cv2.resize(random.random((6, 6), np.float32), (width, height))
    field = field + (_normal(random, (height, width)) * where * _DETAIL)[..., None]
    picture: NDArray[np.uint8] = np.clip(field, 0, 255).astype(np.uint8)
    return picture


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return random.standard_normal(shape, np.float32)
