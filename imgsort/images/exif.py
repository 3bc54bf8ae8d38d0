"""What the camera wrote beside the picture; nonsense there never costs the picture."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

QUARTER_TURNS = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height (Exif 2.32, tag 274)."""

_MAX_CAMERA = 100


def exif_of(image: Image.Image) -> Image.Exif:
    """The tags of a loaded image; empty where they can't be parsed."""
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - garbage tags raise what they like
        return Image.Exif()


def orientation(exif: Image.Exif) -> int:
    """1 to 8; 1, upright, for anything else a file may claim."""
    value = exif.get(Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def turned(pixels: NDArray[np.uint8], way: int) -> NDArray[np.uint8]:
    """The upright picture, as orientation ``way`` (1 to 8) tells how it was stored."""
    if way in QUARTER_TURNS:
        pixels = pixels.swapaxes(0, 1)
    if way in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if way in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def camera(exif: Image.Exif) -> str | None:
    """Maker and model, the maker only once: "Canon EOS 5D", "Apple iPhone 12"."""
    try:
        make, model = _text(exif.get(Base.Make)), _text(exif.get(Base.Model))
    except Exception:  # noqa: BLE001 - as in exif_of
        return None
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return name.strip()[:_MAX_CAMERA] or None


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    printable = "".join(each if each.isprintable() else " " for each in value.split("\0")[0])
    return " ".join(printable.split())
