"""Bytes become the pixels and facts a person would expect, or BadImage with a plain reason."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from imgsort.images import (
    READABLE_SUFFIXES,
    BadImage,
    ImageFacts,
    ImageLimits,
    decode,
)

LIMITS = ImageLimits(max_pixels=4_000_000, max_bytes=10_000_000)
WHITE, BLACK, RED, GREEN, BLUE = (255,) * 3, (0,) * 3, (255, 0, 0), (0, 255, 0), (0, 0, 255)
PALETTE = [*RED, *GREEN, *BLUE, *WHITE]
Quarters = tuple[tuple[int, ...], ...]


def quarters(mode: str, values: list[object], side: int = 32) -> Image.Image:
    """Four flat squares in reading order, each ``side`` wide: 2 x 2 corners a person can check."""
    image = Image.new(mode, (2 * side, 2 * side))
    for place, value in enumerate(values):
        left, top = place % 2 * side, place // 2 * side
        image.paste(value, (left, top, left + side, top + side))  # type: ignore[arg-type]
    return image


def corners(pixels: NDArray[np.uint8]) -> Quarters:
    """The colours in the middle of the four quarters, in reading order."""
    near, far = pixels.shape[0] // 4, pixels.shape[0] * 3 // 4
    return tuple(
        tuple(int(channel) for channel in pixels[y, x])
        for y, x in [(near, near), (near, far), (far, near), (far, far)]
    )


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decoded(data: bytes, size: int = 64) -> NDArray[np.uint8]:
    pixels, _ = decode(data, size, LIMITS)
    assert (pixels.shape, pixels.dtype) == ((size, size, 3), np.dtype(np.uint8))
    assert pixels.flags.c_contiguous
    return pixels


def facts_of(data: bytes) -> ImageFacts:
    return decode(data, 64, LIMITS)[1]


def reason_of(data: bytes, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(BadImage) as refusal:
        decode(data, 64, limits)
    return str(refusal.value)


def flat(mode: str, value: object) -> Image.Image:
    return Image.new(mode, (40, 30), value)  # type: ignore[arg-type]


def palette(transparent: bytes | int | None = None) -> bytes:
    image = quarters("P", [0, 1, 2, 3])
    image.putpalette(PALETTE)
    if transparent is None:
        return saved(image)
    return saved(image, transparency=transparent)


def wide(values: list[int], form: str) -> bytes:
    """A 16-bit grey picture of four quarters."""
    block = np.ones((32, 32), np.uint16)
    rows = [np.hstack([block * values[0], block * values[1]])]
    rows.append(np.hstack([block * values[2], block * values[3]]))
    return saved(Image.fromarray(np.vstack(rows).astype(np.uint16)), form)


def floats(values: list[float]) -> bytes:
    return saved(quarters("F", list(values)), "TIFF")


MODES = {
    "RGB": (saved(quarters("RGB", [RED, GREEN, BLUE, WHITE])), (RED, GREEN, BLUE, WHITE)),
    "grey": (
        saved(quarters("L", [0, 100, 200, 255])),
        (BLACK, (100,) * 3, (200,) * 3, WHITE),
    ),
    "one bit": (saved(quarters("1", [0, 1, 1, 0])), (BLACK, WHITE, WHITE, BLACK)),
    "palette": (palette(), (RED, GREEN, BLUE, WHITE)),
    "palette, see-through entry": (palette(transparent=0), (WHITE, GREEN, BLUE, WHITE)),
    "palette, half seen through": (
        palette(transparent=bytes([255, 0, 128, 255])),
        (RED, WHITE, (127, 127, 255), WHITE),
    ),
    "RGBA over white": (
        saved(quarters("RGBA", [(*RED, 255), (*RED, 0), (*BLACK, 128), (*BLUE, 51)])),
        (RED, WHITE, (127,) * 3, (204, 204, 255)),
    ),
    "grey and alpha": (
        saved(quarters("LA", [(0, 255), (0, 0), (0, 128), (100, 255)])),
        (BLACK, WHITE, (127,) * 3, (100,) * 3),
    ),
    "RGB, one colour see-through": (
        saved(quarters("RGB", [RED, GREEN, BLUE, BLACK]), transparency=RED),
        (WHITE, GREEN, BLUE, BLACK),
    ),
    "CMYK": (
        saved(
            quarters("CMYK", [(0,) * 4, (0, 255, 255, 0), (255, 255, 0, 0), (0, 0, 0, 255)]), "TIFF"
        ),
        (WHITE, RED, BLUE, BLACK),
    ),
    "16 bits, PNG": (
        wide([0, 0x0FFF, 0x8000, 0xFFFF], "PNG"),
        (BLACK, (0x0F,) * 3, (0x80,) * 3, WHITE),
    ),
    "12 of 16 bits, TIFF": (
        wide([0, 0x0800, 0x0400, 0x0FFF], "TIFF"),
        (BLACK, (0x80,) * 3, (0x40,) * 3, WHITE),
    ),
    "16 bits, TIFF": (
        wide([0, 0x8000, 0x4000, 0xFFFF], "TIFF"),
        (BLACK, (0x80,) * 3, (0x40,) * 3, WHITE),
    ),
    "floats 0 to 1": (floats([0.0, 0.2, 0.6, 1.0]), (BLACK, (51,) * 3, (153,) * 3, WHITE)),
    "floats 0 to 255": (floats([0.0, 51, 153, 255]), (BLACK, (51,) * 3, (153,) * 3, WHITE)),
    "floats below zero, stretched": (
        floats([-100.0, 0.0, 100.0, 400.0]),
        (BLACK, (51,) * 3, (102,) * 3, WHITE),
    ),
    "floats that are no numbers": (
        floats([float("nan"), float("inf"), float("-inf"), 1.0]),
        (BLACK, WHITE, BLACK, WHITE),
    ),
    "32-bit integers": (
        saved(quarters("I", [0, 1 << 30, 3 << 29, (1 << 31) - 1]), "TIFF"),
        (BLACK, (0x40,) * 3, (0x60,) * 3, (0x7F,) * 3),
    ),
}


@pytest.mark.parametrize("name", MODES)
def test_every_way_to_store_colours_comes_out_as_rgb_on_white(name: str) -> None:
    """Grey, palette, alpha, CMYK and wide samples look as a picture viewer would show them."""
    data, expected = MODES[name]

    assert corners(decoded(data)) == expected


def test_lab_comes_out_as_rgb() -> None:
    """A CIELAB TIFF's white, black and red come out so, within rounding of the colour transform."""
    lab = quarters("LAB", [(255, 128, 128), (0, 128, 128), (136, 208, 195), (255, 128, 128)])

    seen = np.array(corners(decoded(saved(lab, "TIFF"))))

    assert np.abs(seen - np.array([WHITE, BLACK, RED, WHITE])).max() <= 12


FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    "PNG": ("PNG", {}),
    "JPEG": ("JPEG", {"quality": 95, "subsampling": 0}),
    "WEBP": ("WEBP", {"lossless": True}),
    "BMP": ("BMP", {}),
    "GIF": ("GIF", {}),
    "TIFF": ("TIFF", {}),
    "AVIF": ("AVIF", {"quality": 95}),
    "HEIF": ("HEIF", {"quality": 95}),
    "MPO": ("MPO", {"quality": 95, "save_all": True, "append_images": [flat("RGB", BLACK)]}),
}


def in_format(name: str) -> bytes:
    pillow_heif.register_heif_opener()
    form, options = FORMATS[name]
    return saved(quarters("RGB", [RED, GREEN, BLUE, WHITE]), form, **options)


@pytest.mark.parametrize("name", FORMATS)
def test_every_promised_format_is_read(name: str) -> None:
    """Colours are right within a lossy codec's error, and the facts name format and size."""
    pixels, facts = decode(in_format(name), 64, LIMITS)

    assert np.abs(np.array(corners(pixels)) - np.array([RED, GREEN, BLUE, WHITE])).max() <= 8
    assert (facts.format, facts.width, facts.height) == (name, 64, 64)


def noisy(name: str) -> bytes:
    """A picture with so much detail that every part of its file matters."""
    pillow_heif.register_heif_opener()
    noise = np.random.default_rng(7).integers(0, 256, (96, 128, 3), np.uint8)
    form, options = FORMATS[name]
    return saved(Image.fromarray(noise), form, **options)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "MPO"])
def test_a_file_cut_short_is_refused(name: str, share: float) -> None:
    """At 10, 50 and 90 % of its length each format is refused as cut short or damaged."""
    data = noisy(name)

    reason = reason_of(data[: int(len(data) * share)])

    assert "cut short" in reason or reason == "the picture in the file is damaged"


def test_an_mpo_cut_in_its_first_picture_is_refused() -> None:
    """The first picture must be whole; what follows it isn't read."""
    data = noisy("MPO")

    assert "cut short" in reason_of(data[: len(data) // 3])


ORIENTED = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (GREEN, WHITE, RED, BLUE),
    7: (WHITE, GREEN, BLUE, RED),
    8: (BLUE, RED, WHITE, GREEN),
}
"""How red, green / blue, white lies in the file for each Exif orientation."""


def tagged(image: Image.Image, form: str, tags: dict[int, object]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    return saved(image, form, exif=exif)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("way", ORIENTED)
def test_a_picture_comes_out_upright(way: int, form: str) -> None:
    """All eight ways a camera may be held give the same picture, width and height included."""
    stored = quarters("RGB", list(ORIENTED[way])).resize((40, 20), Image.Resampling.NEAREST)
    data = tagged(stored, form, {274: way})

    pixels, facts = decode(data, 64, LIMITS)

    assert np.abs(np.array(corners(pixels)) - np.array([RED, GREEN, BLUE, WHITE])).max() <= 40
    assert (facts.width, facts.height) == ((40, 20) if way <= 4 else (20, 40))


@pytest.mark.parametrize("way", [0, 9, 99, 65535])
def test_an_orientation_that_does_not_exist_is_taken_for_upright(way: int) -> None:
    """Nonsense in the tag turns nothing."""
    data = tagged(quarters("RGB", [RED, GREEN, BLUE, WHITE]), "PNG", {274: way})

    assert corners(decoded(data)) == (RED, GREEN, BLUE, WHITE)


def test_real_photos_of_all_orientations_look_the_same(hostile: Path) -> None:
    """The nine files of one landscape differ by no more than their own JPEG noise."""
    files = [hostile / "exif_orientation" / f"Landscape_{way}.jpg" for way in range(1, 9)]

    pictures = [decoded(file.read_bytes(), 224).astype(int) for file in files]

    assert all(np.abs(picture - pictures[0]).mean() < 4 for picture in pictures)


def test_the_whole_picture_is_squashed_never_cropped() -> None:
    """A panorama's far ends, each a fiftieth of its width, are still at the edges."""
    image = flat("RGB", WHITE).resize((1000, 100))
    image.paste(RED, (0, 0, 20, 100))
    image.paste(BLUE, (980, 0, 1000, 100))

    pixels = decoded(saved(image), 100)

    assert tuple(pixels[50, 0]) == RED
    assert tuple(pixels[50, 99]) == BLUE
    assert tuple(pixels[50, 50]) == WHITE


@pytest.mark.parametrize("side", [70, 100, 128, 150, 200, 256, 300, 640])
def test_shrinking_averages_every_pixel(side: int) -> None:
    """A fine checkerboard becomes even grey at every ratio: no pixel is skipped."""
    board = ((np.indices((side, side)).sum(axis=0) % 2) * 255).astype(np.uint8)

    pixels = decoded(saved(Image.fromarray(board)), 64)

    assert abs(float(pixels.mean()) - 127.5) < 2


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (2, 1), (1, 3000), (5000, 2), (63, 65), (200_000, 1)]
)
def test_any_shape_is_fitted(width: int, height: int) -> None:
    """From one pixel to a thread of two hundred thousand: a flat picture stays flat."""
    data = saved(Image.new("RGB", (width, height), (10, 20, 30)))

    pixels = decoded(data)

    assert (pixels == (10, 20, 30)).all()


def test_a_large_jpeg_is_decoded_at_a_fraction_but_not_below_what_is_wanted() -> None:
    """Facts give the true size, and detail at the wanted size survives."""
    board = np.kron((np.indices((64, 64)).sum(axis=0) % 2) * 255, np.ones((16, 16)))
    data = saved(Image.fromarray(board.astype(np.uint8)), "JPEG", quality=95)

    pixels, facts = decode(data, 64, LIMITS)

    assert (facts.width, facts.height) == (1024, 1024)
    assert np.abs(pixels[:, :, 0].astype(int) - board[8::16, 8::16]).max() <= 16


def test_the_first_frame_of_an_animation_counts() -> None:
    """A red, then blue GIF is red."""
    data = saved(flat("RGB", RED), "GIF", save_all=True, append_images=[flat("RGB", BLUE)])

    assert corners(decoded(data)) == (RED,) * 4


def test_a_picture_in_bands_equals_the_picture_in_one_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Large pictures are converted band by band, and nothing shows at the seams."""
    from imgsort.images import colour

    noise = np.random.default_rng(3).integers(0, 256, (97, 31, 4), np.uint8)
    data = saved(Image.fromarray(noise, "RGBA"))
    whole = decoded(data)

    monkeypatch.setattr(colour, "_BAND_PIXELS", 31 * 7)

    assert (decoded(data) == whole).all()


def test_the_extension_plays_no_part_and_postscript_is_never_run() -> None:
    """Only bytes are looked at; formats outside the list are named and refused unopened."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n"
    buffers = {form: saved(flat("RGB", RED), form) for form in ("EPS", "PPM", "TGA", "ICO", "PDF")}

    assert reason_of(eps) == "the content is a PostScript document"
    assert reason_of(buffers["EPS"]) == "the content is a PostScript document"
    assert reason_of(buffers["PDF"]) == "the content is a PDF document"
    assert reason_of(buffers["ICO"]) == "the content is not a picture in a format imgsort reads"
    assert reason_of(buffers["PPM"]).endswith('which needs "netpbm" in decode.more_formats')
    assert reason_of(buffers["TGA"]).endswith('which needs "tga" in decode.more_formats')


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (bytes(20_000), "the file holds nothing but zero bytes, as after a failed copy"),
        (b"\xff\xd8", "it begins like a JPEG picture, but is damaged or cut short"),
        (b"<!DOCTYPE html><title>404</title>", "the content is a web page"),
        (b"hello, world\n", "the content is text, not a picture"),
        (b"8BPS\0\1", "the content is a Photoshop document"),
        (b"\x01\x02\xff\xfe", "the content is not a picture in a format imgsort reads"),
        (b"\0\0\0\x18ftypmp42" + bytes(16), "the content is a video"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "the content is not a picture in a format imgsort reads"),
    ],
)
def test_what_is_no_picture_is_told_in_words(data: bytes, reason: str) -> None:
    """The reason says what the file is where a glance tells."""
    assert reason_of(data) == reason


def test_a_pixel_bomb_is_refused_by_its_header() -> None:
    """Above the pixel cap nothing is decoded; the reason names the setting."""
    limits = ImageLimits(max_pixels=1_000_000, max_bytes=10_000_000)
    bomb = saved(Image.new("1", (2000, 1000)))

    assert reason_of(bomb, limits) == "it has more than the 1 megapixels of decode.max_megapixels"
    decode(bomb, 64, ImageLimits(max_pixels=2_000_000, max_bytes=10_000_000))


def test_a_header_that_claims_billions_of_pixels_is_refused() -> None:
    """67 bytes that claim 3.6 gigapixels cost nothing."""
    small = saved(Image.new("1", (8, 8)))
    claim = (60_000).to_bytes(4, "big") * 2
    import zlib

    header = b"IHDR" + claim + small[24:29]
    bomb = small[:12] + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]

    assert reason_of(bomb) == "it has more than the 4 megapixels of decode.max_megapixels"


def test_a_file_above_the_byte_cap_is_refused() -> None:
    """The reason names size and setting."""
    data = saved(flat("RGB", RED)) + bytes(2_000_000)
    limits = ImageLimits(max_pixels=1_000_000, max_bytes=1_000_000)

    assert reason_of(data, limits) == "it has 2.0 MB, and decode.max_file_mb is 1"


def test_running_out_of_memory_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """MemoryError from any depth names the setting that limits it."""
    from imgsort.images import colour

    def exhausted(image: Image.Image) -> NDArray[np.uint8]:
        raise MemoryError

    monkeypatch.setattr(colour, "grey_or_rgb", exhausted)

    assert reason_of(saved(flat("RGB", RED))) == "it needs more memory than decode.memory_mb allows"


def test_a_decoder_may_raise_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever type comes out of a codec, a BadImage reaches the caller."""
    from imgsort.images import colour

    for kind in (ValueError, TypeError, IndexError, SyntaxError, RecursionError, KeyError):

        def broken(image: Image.Image, kind: type[Exception] = kind) -> NDArray[np.uint8]:
            raise kind("codec says no")

        monkeypatch.setattr(colour, "grey_or_rgb", broken)
        assert reason_of(saved(flat("RGB", RED))) == "the picture in the file is damaged"


def test_the_camera_and_its_clock_are_kept() -> None:
    """Capture time without a zone, maker and model once each."""
    exif = Image.Exif()
    exif[271], exif[272] = "Canon", "Canon EOS 5D\0\0"
    exif.get_ifd(0x8769)[36867] = "2021:05:04 10:20:30"

    facts = facts_of(saved(flat("RGB", RED), "JPEG", exif=exif))

    assert (facts.captured_at, facts.camera) == ("2021-05-04T10:20:30", "Canon EOS 5D")


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2019:05:06 07:08:09.123", "2019-05-06T07:08:09"),
        ("2019:05:06 07:08:09+02:00", "2019-05-06T07:08:09"),
        ("2019-05-06T07:08:09Z", "2019-05-06T07:08:09"),
        ("2019/05/06 07:08", "2019-05-06T07:08:00"),
        ("2019: 5: 6  7: 8: 9", "2019-05-06T07:08:09"),
        ("2019:05:06 07:08:60", "2019-05-06T07:08:59"),
        ("2019:05:06 24:08:09", "2019-05-06T00:08:09"),
        ("2019:05:06 07:08:09 PM", "2019-05-06T19:08:09"),
        ("20190506_070809", "2019-05-06T07:08:09"),
        ("2019:05:06", "2019-05-06"),
        ("2019:05:06 99:99:99", "2019-05-06"),
        (b"2019:05:06 07:08:09", "2019-05-06T07:08:09"),
    ],
)
def test_a_capture_time_is_understood_however_it_is_written(
    written: str | bytes, moment: str
) -> None:
    """Fractions, zones, other separators and a nonsense time don't cost the date."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = written

    assert facts_of(saved(flat("RGB", RED), "JPEG", exif=exif)).captured_at == moment


def test_the_moment_of_the_shot_is_preferred_and_the_last_change_will_do() -> None:
    """Original, then digitised, then what a tool wrote in XMP, then DateTime."""
    picture, exif = flat("RGB", RED), Image.Exif()
    exif[306] = "2022:01:01 00:00:00"
    assert facts_of(saved(picture, "JPEG", exif=exif)).captured_at == "2022-01-01T00:00:00"

    xmp = b"<x:xmpmeta><rdf:Description photoshop:DateCreated='2021-01-01T00:00:00'/></x:xmpmeta>"
    for form in ("JPEG", "WEBP"):
        found = facts_of(saved(picture, form, exif=exif, xmp=xmp)).captured_at
        assert found == "2021-01-01T00:00:00", form

    exif.get_ifd(0x8769)[36868] = "2020:01:01 00:00:00"
    assert facts_of(saved(picture, "JPEG", exif=exif)).captured_at == "2020-01-01T00:00:00"
    exif.get_ifd(0x8769)[36867] = "0000:00:00 00:00:00"
    assert facts_of(saved(picture, "JPEG", exif=exif)).captured_at == "2020-01-01T00:00:00"
    exif.get_ifd(0x8769)[36867] = "2019:01:01 00:00:00"
    assert facts_of(saved(picture, "JPEG", exif=exif)).captured_at == "2019-01-01T00:00:00"


@pytest.mark.parametrize("clock", ["0000:00:00 00:00:00", "yesterday", "", "2021:13:41 99:99:99"])
def test_a_camera_clock_that_makes_no_sense_is_left_out(clock: str) -> None:
    """Garbage in a tag costs the fact, never the picture."""
    exif = Image.Exif()
    exif[271], exif[272] = "\n\x1b[31m", "  "
    exif.get_ifd(0x8769)[36867] = clock

    facts = facts_of(saved(flat("RGB", RED), "JPEG", exif=exif))

    assert facts.captured_at is None
    assert facts.camera == "[31m"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_for_exif_leave_the_picture_alone(garbage: bytes) -> None:
    """The pixels don't depend on an EXIF block that can't be parsed."""
    clean = saved(flat("RGB", (9, 99, 199)), "JPEG", quality=95)
    data = saved(flat("RGB", (9, 99, 199)), "JPEG", quality=95, exif=b"Exif\0\0XX" + garbage)

    assert (decoded(data) == decoded(clean)).all()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_give_a_picture_or_a_reason(data: st.DataObject) -> None:
    """Flip any bytes of any format: a picture or BadImage comes out, nothing else."""
    original = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded(bytes(damaged))
    except BadImage as refusal:
        reason = str(refusal)
    else:
        reason = "it is a picture"
    assert reason


SAMPLES = {name: in_format(name) for name in FORMATS if name not in {"TIFF", "AVIF", "HEIF"}}


def test_near_pictures_have_near_hashes_and_others_do_not() -> None:
    """Saved again at another size and quality, few of 64 bits differ; mirrored, many."""
    ramp = np.add.outer(np.arange(300), 2 * np.arange(400)) % 256
    image = Image.fromarray(ramp.astype(np.uint8))
    first = facts_of(saved(image)).dhash
    again = facts_of(saved(image.resize((200, 150)), "JPEG", quality=40)).dhash
    other = facts_of(saved(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).dhash

    assert 0 <= first < 1 << 64
    assert (first ^ again).bit_count() <= 6
    assert (first ^ other).bit_count() >= 16


def test_a_flat_and_a_rising_picture_have_the_hashes_computed_by_hand() -> None:
    """No cell of a flat picture is brighter than its left neighbour; of a rising one, all are."""
    rising = np.tile(np.linspace(0, 255, 90).astype(np.uint8), (80, 1))

    assert facts_of(saved(flat("L", 77))).dhash == 0
    assert facts_of(saved(Image.fromarray(rising))).dhash == (1 << 64) - 1


def test_the_suffixes_are_lower_case_with_a_dot() -> None:
    """Callers compare with ``path.suffix.lower()``."""
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in READABLE_SUFFIXES)
    assert {".jpg", ".jpeg", ".png", ".heic", ".avif", ".tif"} <= READABLE_SUFFIXES


def test_importing_images_loads_no_picture_library(run_python: Callable[[str], str]) -> None:
    """`imgsort log` reads facts, not pictures."""
    code = "import sys, imgsort.images; print({'cv2', 'PIL', 'numpy'} & set(sys.modules))"

    assert run_python(code) == "set()"


@pytest.fixture
def run_python() -> Callable[[str], str]:
    import subprocess

    def run(code: str) -> str:
        command = [sys.executable, "-c", code]
        root = Path(__file__).parents[3]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def hostile(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tarfile

    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(test_data / "hostile.tar.gz") as archive:
        members = [one for one in archive if one.name.startswith("exif_orientation/")]
        archive.extractall(folder, members, filter="data")
    return folder
