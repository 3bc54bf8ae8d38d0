"""JPEG of pixels that a decoder worker gave: nothing of a file's own bytes is in it."""

import numpy as np
from numpy.typing import NDArray

from imgsort.images.resizing import fitted_size, resized

QUALITY = 80


def jpeg_of(pixels: NDArray[np.uint8], longest_side: int) -> bytes:
    """RGB [h, w, 3], shrunk to fit; never enlarged."""
    import cv2

    height, width = pixels.shape[:2]
    shrunk = resized(pixels, *fitted_size(width, height, longest_side))
    turned = cv2.cvtColor(shrunk, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes()
