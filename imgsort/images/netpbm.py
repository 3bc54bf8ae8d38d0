"""Netpbm (PBM, PGM, PPM): binary samples of any greatest value, which Pillow takes one by one."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsort.images.colour import grey_or_rgb
from imgsort.images.depth import DEPTHS, counted, depth_of

_BYTE = 256
_WIDEST = 65535
_BAND_SAMPLES = 12_000_000
_KINDS = b"123456"
_SPACE = b" \t\n\v\f\r#"


def begins(data: bytes) -> bool:
    """``P1`` to ``P6``, and then white space or a comment."""
    return len(data) > len(b"P1") and data[:1] == b"P" and data[1] in _KINDS and data[2] in _SPACE


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """[H, W] or [H, W, 3] of an image that was opened and not loaded."""
    [tile] = image.tile  # type: ignore[attr-defined]
    greatest = tile.args[1] if isinstance(tile.args, tuple) else _BYTE - 1
    if tile.codec_name == "ppm" or tile.args == "I;16B":
        return _scaled(image, tile.offset, _WIDEST if tile.args == "I;16B" else greatest)
    image.load()
    return grey_or_rgb(image, full_range=greatest < _WIDEST)


def _scaled(image: Image.Image, start: int, greatest: int) -> NDArray[np.uint8]:
    """Samples of ``greatest`` at most, as eight bits; of 16 bits those that a sensor used."""
    data: bytes = image.fp.getvalue() if isinstance(image.fp, io.BytesIO) else b""  # type: ignore[attr-defined]
    bands = 3 if image.mode == "RGB" else 1
    kind = np.dtype(np.uint8 if greatest < _BYTE else ">u2")
    count = image.width * image.height * bands
    if len(data) - start < count * kind.itemsize:
        raise EOFError
    samples = np.frombuffer(data, kind, count, start)
    table = _table(samples, greatest)
    eight = np.empty(count, np.uint8)
    for first in range(0, count, _BAND_SAMPLES):
        band = slice(first, first + _BAND_SAMPLES)
        eight[band] = table[samples[band]]
    return eight.reshape(image.height, image.width, *([3] if bands > 1 else []))


def _table(samples: NDArray[Any], greatest: int) -> NDArray[np.uint8]:
    """Value -> eight bits. Only 65535 may be the file's greatest value and not the picture's."""
    values = np.arange(_BYTE if greatest < _BYTE else _WIDEST + 1)
    if greatest < _WIDEST:
        scaled = np.minimum(values, greatest) * (_BYTE - 1) / greatest
        return np.asarray(np.rint(scaled), np.uint8)
    shift = depth_of(counted(samples)) - DEPTHS[0]
    return np.asarray(np.minimum(values >> shift, _BYTE - 1), np.uint8)
