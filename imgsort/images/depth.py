"""How many bits of a wide sample a sensor used, and all of them where Pillow would take the upper.

A TIFF has 16 bits a sample, a sensor 10, 12 or 14: the picture would be all but black. The fewest
bits that hold the picture are its depth, but for a few samples: hot pixels, burnt-in text.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DEPTHS = (8, 10, 12, 14, 16)
_BYTE = 256
_FEW = 10_000
"""One sample in so many may be any value, one in ``_FEW_WHITE`` may be white."""
_FEW_WHITE = 100
_BAND_PIXELS = 4_000_000
_SWAPPED = {"L": "B", "B": "L", "N": "B" if np.little_endian else "L"}


def depth_of(upper: NDArray[np.integer]) -> int:
    """The bits that samples of 16 need; ``upper`` counts them by their upper byte, [256]."""
    samples = int(upper.sum())
    strays = samples // _FEW
    for depth in DEPTHS[:-1]:
        above = upper[1 << (depth - 8) :]
        if above[:-1].sum() <= strays and above.sum() <= max(strays, samples // _FEW_WHITE):
            return depth
    return DEPTHS[-1]


def counted(wide: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many samples of 16 bits have which upper byte, [256]."""
    counts, rows = np.zeros(_BYTE, np.int64), max(1, _BAND_PIXELS // max(1, wide[:1].size))
    for top in range(0, len(wide), rows):
        upper = (wide[top : top + rows] >> 8).astype(np.uint8)
        counts += np.bincount(upper.ravel(), minlength=_BYTE)
    return counts


def load(image: Image.Image) -> None:
    """``image.load()``, but a TIFF of wide colours gets the eight bits that its sensor used."""
    wide = image.format == "TIFF" and image.mode in {"RGB", "RGBA"} and _is_wide(image)
    source = getattr(image, "fp", None) if wide else None
    data = source.getvalue() if isinstance(source, io.BytesIO) else b""
    _name_planes(image)
    image.load()
    if not data:
        return
    counts = np.asarray(image.histogram()[: 3 * _BYTE]).reshape(3, _BYTE).sum(axis=0)
    depth = depth_of(counts)
    if depth < DEPTHS[-1]:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as lower:
            _name_planes(lower)
            _swap(lower)
            lower.load()
            _deepen(image, lower, depth)


def _is_wide(image: Image.Image) -> bool:
    bits = getattr(image, "tag_v2", {}).get(258, ())
    return isinstance(bits, tuple) and set(bits) == {16}


def _name_planes(image: Image.Image) -> None:
    """Of colours that lie plane by plane Pillow forgets that their samples are wide."""
    if image.format != "TIFF" or not _is_wide(image):
        return
    order = "L" if getattr(image, "tag_v2", None) and image.tag_v2.prefix == b"II" else "B"  # type: ignore[attr-defined]
    image.tile = [  # type: ignore[attr-defined]
        one._replace(args=(f"{one.args[0]};16{order}", *one.args[1:]))
        if one.args[0] in set("RGBA")
        else one
        for one in image.tile  # type: ignore[attr-defined]
    ]


def _swap(image: Image.Image) -> None:
    """Have the other byte of each sample read: Pillow takes the first or the second of two."""
    image.tile = [  # type: ignore[attr-defined]
        one._replace(args=(one.args[0][:-1] + _SWAPPED[one.args[0][-1]], *one.args[1:]))
        if ";16" in one.args[0]
        else one
        for one in image.tile  # type: ignore[attr-defined]
    ]


def _deepen(image: Image.Image, lower: Image.Image, depth: int) -> None:
    rows = max(1, _BAND_PIXELS // image.width)
    boxes = [
        (0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows)
    ]
    if all(_says_nothing(image.crop(box), lower.crop(box)) for box in boxes):
        return  # eight bits in the guise of sixteen: as dark as it looks
    for box in boxes:
        upper, below = image.crop(box), np.asarray(lower.crop(box).convert("RGB"))
        band = Image.fromarray(_shifted(np.asarray(upper.convert("RGB")), below, depth))
        if image.mode == "RGBA":
            band.putalpha(upper.getchannel("A"))
        image.paste(band, box)


def _says_nothing(upper: Image.Image, lower: Image.Image) -> bool:
    """Are the lower bytes zero, or those above once more?"""
    one, other = np.asarray(upper)[..., :3], np.asarray(lower)[..., :3]
    return bool(not other.any() or (one == other).all())


def _shifted(upper: NDArray[np.uint8], lower: NDArray[np.uint8], depth: int) -> NDArray[np.uint8]:
    return shifted((upper.astype(np.uint16) << 8) | lower, depth)


def shifted(wide: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """Eight bits of samples of which a sensor used ``depth``."""
    return np.asarray(np.minimum(wide >> (depth - 8), _BYTE - 1), np.uint8)
