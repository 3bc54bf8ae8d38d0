"""JPEG 2000: as small as it may be decoded, and with the bits that a sensor used.

Archives keep scans of many megapixels. The code holds each halving of the picture, and a half that
is still large enough costs a fraction of the whole. (ISO/IEC 15444-1, annex A.)
"""

import io
import struct
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsort.images.colour import grey_or_rgb
from imgsort.images.depth import DEPTHS, counted, depth_of, shifted
from imgsort.images.facts import BadImage

_BOX = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODE = b"\xff\x4f\xff\x51"
_MARKER = _CODE[:2]
_SIZE, _STYLE, _TILE, _END = b"\x51", b"\x52", b"\x90", b"\xff\xd9"
_SHORTEST_SIZE = 39
_HALVINGS_AT = 5
_TAIL = 4096
_SPARE = 4


_TOO_WIDE = "its JPEG 2000 has more than 8 bits a sample, in a way that imgsort doesn't read"


@dataclass(frozen=True, slots=True)
class _Code:
    """What the head of the code says."""

    size: tuple[int, int] = (0, 0)
    bits: frozenset[int] = frozenset()
    """Of the components."""
    halvings: int = 0

    @property
    def is_wide(self) -> bool:
        return any(bits > DEPTHS[0] for bits in self.bits)


def begins(data: bytes) -> bool:
    return data.startswith((_BOX, _CODE))


def lacks_its_end(data: bytes) -> bool:
    return _END not in data[-_TAIL:]


def pixels_of(image: Image.Image, wanted: int) -> NDArray[np.uint8]:
    """[H, W] or [H, W, 3] of an image that was opened and not loaded; for ``wanted`` pixels a side
    it may come smaller than it is."""
    data = image.fp.getvalue() if isinstance(image.fp, io.BytesIO) else b""  # type: ignore[attr-defined]
    code = _code_of(data)
    grey = image.mode.startswith("I")
    if code.is_wide and not grey:
        return grey_or_rgb(_wide_colours(image, data, code))
    image = _loaded(image, data, _halvings(image, code, wanted))
    return grey_or_rgb(image, full_range=DEPTHS[-1] not in code.bits)


def _halvings(image: Image.Image, code: _Code, wanted: int) -> int:
    """How often both sides may be halved; Pillow and OpenJPEG must round them alike.

    A half lies up to half a pixel beside the whole, so that some sharpness is kept in hand.
    """
    sides = image.size
    fitting = 0
    for times in range(1, code.halvings + 1):
        if min(sides) >> times < _SPARE * wanted:
            break
        if all((side + (1 << times >> 1)) >> times == -(-side >> times) for side in sides):
            fitting = times
    return fitting


def _loaded(image: Image.Image, data: bytes, halvings: int) -> Image.Image:
    if not halvings:
        image.load()
        return image
    try:
        image.reduce = halvings  # type: ignore[method-assign, assignment]
        image.load()
    except OSError:  # a tile may have fewer of them than the head says
        image = Image.open(io.BytesIO(data), formats=("JPEG2000",))
        image.load()
    return image


def _code_of(data: bytes) -> _Code:
    """One that allows nothing where the head makes no sense: whoever decodes it finds out."""
    at, code = data.find(_CODE) + len(_MARKER), _Code()
    while at >= len(_MARKER) and data[at : at + 1] == b"\xff":
        kind, length = data[at + 1 : at + 2], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if kind == _SIZE and len(segment) >= _SHORTEST_SIZE:
            code = _sized(segment)
        if kind == _STYLE and len(segment) > _HALVINGS_AT:
            return replace(code, halvings=segment[_HALVINGS_AT])
        if kind == _TILE or length < len(_MARKER):
            break
        at += len(_MARKER) + length
    return code


def _sized(segment: bytes) -> _Code:
    right, lower, left, upper = struct.unpack(">4I", segment[2:18])
    bits = frozenset((one & 0x7F) + 1 for one in segment[36::3])
    return _Code((right - left, lower - upper), bits)


def _wide_colours(image: Image.Image, data: bytes, code: _Code) -> Image.Image:
    """By OpenCV: Pillow rounds such samples up to 256, and so what is white to black."""
    if len(code.bits) > 1 or code.size != image.size:
        raise BadImage(_TOO_WIDE)
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    expected = (image.height, image.width, len(image.getbands()))
    if samples is None or samples.dtype != np.uint16 or samples.shape != expected:
        raise BadImage(_TOO_WIDE)
    [bits] = code.bits
    wide = np.asarray(samples[..., 2::-1], np.uint16)
    depth = depth_of(counted(wide)) if bits == DEPTHS[-1] and (wide & 0xFF).any() else bits
    bright = Image.fromarray(shifted(wide, depth))
    if image.mode == "RGBA":
        bright.putalpha(Image.fromarray(shifted(samples[..., 3], bits)))
    return bright
