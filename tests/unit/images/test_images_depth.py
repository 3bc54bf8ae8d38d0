"""Pictures of 10, 12 and 14 bits look as the same pictures in 8 bits."""

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imgsort.images import ImageLimits, decode

LIMITS = ImageLimits(max_pixels=4_000_000, max_bytes=10_000_000)
SIZE = 64
RAMP = np.linspace(0, 255, SIZE).astype(np.uint8)
GREY = np.tile(RAMP, (SIZE, 1))
COLOUR = np.dstack([GREY, GREY[:, ::-1], GREY.T])


def tiff(
    values: NDArray[np.uint16], *, order: str = "<", photometric: int | None = None, planar: int = 1
) -> bytes:
    """An uncompressed TIFF of 16 bits a sample, [H, W] or [H, W, samples]."""
    height, width = values.shape[:2]
    samples = values.shape[2] if values.ndim == 3 else 1
    planes = [values.reshape(height, width, samples)]
    if planar == 2:
        planes = [planes[0][..., band] for band in range(samples)]
    strips = [plane.astype(f"{order}u2").tobytes() for plane in planes]
    bits = 8 + sum(map(len, strips))
    offsets_at = bits + 2 * samples
    counts_at = offsets_at + 4 * len(strips)
    directory_at = counts_at + 4 * len(strips)
    offsets = [8 + sum(map(len, strips[:number])) for number in range(len(strips))]
    photometric = (2 if samples >= 3 else 1) if photometric is None else photometric
    several = len(strips) > 1
    one = f"{order}HHIHxx" if order == "<" else ">HHIHxx"
    entries = [
        struct.pack(one, 256, 3, 1, width),
        struct.pack(one, 257, 3, 1, height),
        struct.pack(f"{order}HHII", 258, 3, samples, bits)
        if samples > 2
        else struct.pack(one, 258, 3, 1, 16),
        struct.pack(one, 259, 3, 1, 1),
        struct.pack(one, 262, 3, 1, photometric),
        struct.pack(f"{order}HHII", 273, 4, len(strips), offsets_at if several else 8),
        struct.pack(one, 277, 3, 1, samples),
        struct.pack(one, 278, 3, 1, height),
        struct.pack(f"{order}HHII", 279, 4, len(strips), counts_at if several else len(strips[0])),
        struct.pack(one, 284, 3, 1, planar),
    ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory_at)
    tables = struct.pack(f"{order}{samples}H", *[16] * samples)
    tables += struct.pack(f"{order}{len(strips)}I", *offsets)
    tables += struct.pack(f"{order}{len(strips)}I", *map(len, strips))
    body = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    return head + b"".join(strips) + tables + body


def seen(data: bytes) -> NDArray[np.uint8]:
    return decode(data, SIZE, LIMITS)[0]


def deep(values: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """As a sensor of so many bits writes them: the lower bits carry the finest steps."""
    shifted = (values.astype(np.uint16) << (bits - 8)) | (1 << (bits - 8)) - 1
    return np.asarray(shifted, np.uint16)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [1, 2])
def test_a_sensor_of_few_bits_is_as_bright_as_its_picture_in_eight(
    bits: int, order: str, planar: int
) -> None:
    """In colour, either byte order, pixel by pixel or plane by plane."""
    data = tiff(deep(COLOUR, bits), order=order, planar=planar)

    assert (seen(data) == COLOUR).all()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_a_compressed_colour_tiff_keeps_its_twelve_bits(compression: str) -> None:
    """What libtiff unpacks comes out as what Pillow reads itself."""
    import cv2

    number = {"tiff_lzw": 5, "tiff_adobe_deflate": 8}[compression]
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, number]
    written, data = cv2.imencode(".tif", deep(COLOUR, 12)[..., ::-1], flags)

    assert written
    assert Image.open(io.BytesIO(data.tobytes())).info["compression"] == compression
    assert (seen(data.tobytes()) == COLOUR).all()


@pytest.mark.parametrize("picture", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("hot", [1, 30])
def test_a_few_white_pixels_dont_make_a_picture_black(picture: NDArray[np.uint8], hot: int) -> None:
    """Hot pixels and a burnt-in date say nothing about the sensor."""
    wide = deep(picture, 12)
    wide[5, :hot] = 0xFFFF

    difference = np.abs(seen(tiff(wide)).astype(int) - seen(tiff(deep(picture, 12))))

    assert difference[6:].max() == 0
    assert difference[5, hot:].max(initial=0) == 0


@pytest.mark.parametrize("picture", [GREY, COLOUR], ids=["grey", "colour"])
def test_sixteen_bits_in_full_are_taken_as_they_are(picture: NDArray[np.uint8]) -> None:
    """A picture with much that is bright isn't made brighter."""
    wide = (picture.astype(np.uint16) // 8) * 257
    wide[: SIZE // 8] = 0xFFFF

    assert seen(tiff(wide))[SIZE // 2].max() == 255 // 8


def test_eight_bits_in_the_guise_of_sixteen_stay_as_dark_as_they_are() -> None:
    """Each byte written twice, as programs widen a picture: the night stays dark."""
    dark = COLOUR // 20

    assert (seen(tiff(dark.astype(np.uint16) * 257)) == dark).all()


def test_an_alpha_channel_beside_twelve_bits_keeps_its_meaning() -> None:
    """Opaque stays opaque: the colours alone are of the sensor's depth."""
    wide = np.dstack([deep(COLOUR, 12), np.full((SIZE, SIZE), 0xFFFF, np.uint16)])

    assert (seen(tiff(wide)) == COLOUR).all()


def test_where_white_is_zero_an_x_ray_is_not_its_negative() -> None:
    """TIFF's photometric interpretation 0 holds for 16 bits as it does for 8."""
    data = tiff(deep(GREY, 12), photometric=0)

    assert (seen(data)[..., 0] == 255 - GREY).all()
