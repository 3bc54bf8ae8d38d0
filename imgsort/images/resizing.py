"""The whole picture at the size a network wants, and its fingerprint."""

import cv2
import numpy as np
from numpy.typing import NDArray

_HALVABLE = 4


def squared(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Squash [H, W] or [H, W, 3] to ``size`` by ``size``: no side is cropped.

    Between once and four times the size, bilinear to twice the size and an exact halving stand in
    for INTER_AREA: every source pixel still counts, the mean difference is 0.3 of 255, and it
    takes 0.4 instead of 1.1 ms from 500 px, half of what decoding takes.
    """
    height, width = pixels.shape[:2]
    if size < min(height, width) and max(height, width) <= _HALVABLE * size:
        pixels = _resize(pixels, 2 * size, 2 * size, cv2.INTER_LINEAR)
    # One axis may shrink while the other grows; INTER_AREA would skip pixels of the shrinking one.
    shrunk = _resize(pixels, min(pixels.shape[1], size), min(pixels.shape[0], size), cv2.INTER_AREA)
    return _resize(shrunk, size, size, cv2.INTER_LINEAR)


def fitted_size(width: int, height: int, longest_side: int) -> tuple[int, int]:
    """Width and height that fit a square of ``longest_side``, in proportion; never enlarged."""
    scale = min(1.0, longest_side / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Shrink [H, W] or [H, W, 3]."""
    return _resize(pixels, width, height, cv2.INTER_AREA)


def dhash(pixels: NDArray[np.uint8]) -> int:
    """Difference hash of RGB pixels: is each of 8 x 8 cells brighter than its left neighbour?"""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    # To a multiple of 9 x 8 first: from there INTER_AREA is exact and four times as fast.
    cells = _resize(
        _resize(grey.astype(np.uint8, copy=False), 144, 128, cv2.INTER_LINEAR), 9, 8, cv2.INTER_AREA
    )
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def _resize(
    pixels: NDArray[np.uint8], width: int, height: int, interpolation: int
) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (height, width):
        return pixels
    resized = cv2.resize(pixels, (width, height), interpolation=interpolation)
    return resized.astype(np.uint8, copy=False)
