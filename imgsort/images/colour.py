"""Every way Pillow holds a picture, as 8-bit grey or RGB on white paper."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsort.images.depth import DEPTHS, depth_of

_BAND_PIXELS = 4_000_000
_WHITE = 255.0
_WIDER = (24, 32)
_SEE_THROUGH = {"RGBA", "LA", "PA", "RGBa", "La"}


def grey_or_rgb(image: Image.Image, *, full_range: bool = False) -> NDArray[np.uint8]:
    """Pixels of a loaded image: uint8, [H, W] where it is grey, [H, W, 3] in RGB order else.

    ``full_range``: wide greys use all their bits, as those of a PNG do. Converted in bands, so
    that a large picture is held about twice and not five times.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        grey = _eight_bits(np.asarray(image), full_range=full_range or image.format == "PNG")
        return 255 - grey if _has_black_as_most(image) else grey
    convert = _converter(image)
    rows = max(1, _BAND_PIXELS // image.width)
    if image.height <= rows:
        return convert(image)
    whole: NDArray[np.uint8] | None = None
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        band = convert(image.crop((0, top, image.width, bottom)))
        if whole is None:
            whole = np.empty((image.height, *band.shape[1:]), np.uint8)
        whole[top:bottom] = band
    assert whole is not None  # noqa: S101 - the loop ran: an image has a row
    return whole


def _converter(image: Image.Image) -> Callable[[Image.Image], NDArray[np.uint8]]:
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        return _on_white
    if image.mode in {"L", "1"}:
        return _grey
    if image.mode == "LAB":
        return _from_lab
    return _rgb


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("L"))


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(image: Image.Image) -> NDArray[np.uint8]:
    picture = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return np.asarray(paper)


def _from_lab(image: Image.Image) -> NDArray[np.uint8]:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # noqa: S101 - None only when converting in place
    return np.asarray(converted, np.uint8)


def _has_black_as_most(image: Image.Image) -> bool:
    """A TIFF's photometric interpretation 0, which Pillow heeds in eight bits only."""
    return image.format == "TIFF" and getattr(image, "tag_v2", {}).get(262) == 0


def _eight_bits(values: NDArray[Any], *, full_range: bool) -> NDArray[np.uint8]:
    """Wide greys to 8 bits. A PNG uses its 16 bits in full; a sensor's TIFF seldom does."""
    if values.dtype.kind == "f":
        return _from_floats(values.astype(np.float32, copy=False))
    low, high = int(values.min()), int(values.max())
    if low < 0:
        return _from_floats(values.astype(np.float32))
    if high >= 1 << DEPTHS[-1]:
        depth = next(bits for bits in _WIDER if high < 1 << bits)
    elif full_range:
        depth = DEPTHS[-1]
    else:
        depth = depth_of(np.bincount((values >> 8).astype(np.uint8).ravel(), minlength=256))
    return np.asarray(np.minimum(values >> (depth - 8), 255), np.uint8)


def _from_floats(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0 to 1 is black to white, 0 to 255 too; any other range is stretched. NaN is black."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= _WHITE:
        low, high = 0.0, 1.0 if high <= 1 else _WHITE
    span = (high - low) or 1.0
    scaled = np.nan_to_num((values - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.rint(np.clip(scaled, 0, 1) * _WHITE), np.uint8)
