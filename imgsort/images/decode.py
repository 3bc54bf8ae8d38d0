"""The one way from bytes to pixels, for the daemon, the trainer, classify and bench alike."""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from imgsort.images.facts import BadImage, ImageFacts, ImageLimits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

PREPROCESSING = "whole-picture-area-1"
"""Change it with anything that changes pixels: embeddings made under another one don't compare."""


def decode(data: bytes, size: int, limits: ImageLimits) -> "tuple[NDArray[np.uint8], ImageFacts]":
    """The whole picture as uint8 RGB [size, size, 3], upright, and its facts.

    Raises BadImage, and nothing else, for whatever a decoder may throw at such bytes.
    """
    from imgsort.images.resizing import squared

    # Turning the small square is as good as turning the big picture, and far cheaper.
    return _decoded(data, limits, lambda image: squared(_loaded(image, size), size))


def decode_for_display(
    data: bytes, size: int, limits: ImageLimits
) -> "tuple[NDArray[np.uint8], ImageFacts]":
    """The same, but keeping its proportions: in the top left of uint8 RGB [size, size, 3].

    It is shrunk to fit, never enlarged; ``fitted_size`` of its facts says how much of it is shown.
    """
    import numpy as np

    from imgsort.images.resizing import fitted_size, resized

    def shrunk(image: "Image") -> "NDArray[np.uint8]":
        width, height = fitted_size(image.width, image.height, size)
        return resized(_loaded(image, size), width, height)

    pixels, facts = _decoded(data, limits, shrunk)
    sheet = np.zeros((size, size, 3), np.uint8)
    sheet[: pixels.shape[0], : pixels.shape[1]] = pixels
    return sheet, facts


def settle_in(limits: ImageLimits) -> None:
    """Switch Pillow, OpenCV and the codecs to serve one decoding process, of one thread.

    Process-wide, so for worker processes only. Loads what decoding needs.
    """
    import cv2
    from PIL import AvifImagePlugin, Image

    from imgsort.images import (
        formats,
    )

    cv2.setNumThreads(1)
    Image.MAX_IMAGE_PIXELS = limits.max_pixels  # what a header hides from us, Pillow stops at twice
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    formats.register()


def _decoded(
    data: bytes, limits: ImageLimits, load: "Callable[[Image], NDArray[np.uint8]]"
) -> "tuple[NDArray[np.uint8], ImageFacts]":
    from imgsort.images.reasons import in_words

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of every oddity in a file's metadata
            with _opened(data, limits) as image:
                return _with_facts(image, load)
    except Exception as problem:  # any type may come out of a decoder
        raise BadImage(in_words(problem, data, limits)) from problem


def _with_facts(
    image: "Image", load: "Callable[[Image], NDArray[np.uint8]]"
) -> "tuple[NDArray[np.uint8], ImageFacts]":
    from imgsort.images.captured import captured_at
    from imgsort.images.exif import QUARTER_TURNS, camera, exif_of, orientation
    from imgsort.images.resizing import dhash

    width, height = image.size
    pixels = _upright_rgb(load(image), image)
    exif = exif_of(image)
    if orientation(exif) in QUARTER_TURNS:
        width, height = height, width
    return pixels, ImageFacts(
        width=width,
        height=height,
        format=image.format or "",
        captured_at=captured_at(image, exif),
        camera=camera(exif),
        dhash=dhash(pixels),
    )


def _opened(data: bytes, limits: ImageLimits) -> "Image":
    """Read the header only, and hold it against the limits."""
    from PIL import Image

    from imgsort.images.formats import formats_for
    from imgsort.images.reasons import too_big, too_many_pixels

    if not data:
        raise BadImage("the file is empty")
    if len(data) > limits.max_bytes:
        raise BadImage(too_big(len(data), limits))
    image = Image.open(io.BytesIO(data), formats=formats_for(data, limits.more_formats))
    if image.width * image.height > limits.max_pixels:
        raise BadImage(too_many_pixels(limits))
    return image


def _loaded(image: "Image", wanted: int) -> "NDArray[np.uint8]":
    """Pixels [H, W] or [H, W, 3] of the first frame, neither side below ``wanted`` for it."""
    from imgsort.images import depth, jpeg2000, netpbm, tga
    from imgsort.images.colour import grey_or_rgb

    if image.format == "JPEG2000":
        return jpeg2000.pixels_of(image, wanted)
    if image.format == "PPM":
        return netpbm.pixels_of(image)
    if image.format == "TGA":
        return tga.pixels_of(image)
    if image.format in {"JPEG", "MPO"}:
        image.draft(None, (wanted, wanted))  # the cosine transform itself halves, at no cost
    depth.load(image)
    return grey_or_rgb(image)


def _upright_rgb(pixels: "NDArray[np.uint8]", image: "Image") -> "NDArray[np.uint8]":
    import cv2
    import numpy as np

    from imgsort.images.exif import exif_of, orientation, turned

    upright = turned(pixels, orientation(exif_of(image)))
    grey = upright.ndim == 2  # noqa: PLR2004 - [H, W]
    if grey:
        return cv2.cvtColor(upright, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    return upright
