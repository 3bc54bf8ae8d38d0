"""TGA: no signature at its begin, and an alpha channel that many programs leave empty."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsort.images.colour import grey_or_rgb

_HEADER = 18
_MAPPED = (1, 9)
_PLAIN = (2, 3, 10, 11)
_DEPTHS = (1, 8, 16, 24, 32)
_MAP_DEPTHS = (15, 16, 24, 32)
_ALPHA_BITS = 0x0F
_INTERLEAVED = 0xC0


def begins(data: bytes) -> bool:
    """Is this a header whose fields agree? (Truevision TGA 2.0, fields 1 to 5.)"""
    head = data[:_HEADER]
    if len(head) < _HEADER or not _has_room(head):
        return False
    mapped, kind = head[1], head[2]
    if mapped == 0:
        return kind in _PLAIN and not any(head[3:8])
    return mapped == 1 and kind in (*_MAPPED, *_PLAIN) and head[7] in _MAP_DEPTHS


def _has_room(head: bytes) -> bool:
    """Does it have a width, a height and a depth that there is?"""
    return bool(
        any(head[12:14])
        and any(head[14:16])
        and head[16] in _DEPTHS
        and not head[17] & _INTERLEAVED
    )


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """[H, W] or [H, W, 3] of an image that was opened and not loaded."""
    data = image.fp.getvalue() if isinstance(image.fp, io.BytesIO) else b""  # type: ignore[attr-defined]
    declared = len(data) >= _HEADER and data[_HEADER - 1] & _ALPHA_BITS
    image.load()
    if image.mode == "RGBA" and not (declared and image.getchannel("A").getbbox()):
        return grey_or_rgb(image.convert("RGB"))
    return grey_or_rgb(image)
