"""JPEG 2000, TGA and Netpbm: read where they were asked for, as bright and as whole as they are."""

import io
import itertools
from base64 import b64decode
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imgsort.daemon.inbox.file_kinds import FileKind, NameRules, looks_like_picture
from imgsort.daemon.inbox.left_over import kind_of, told
from imgsort.daemon.service.reload import reloaded
from imgsort.errors import ConfigProblem
from imgsort.filing.sidecars import pair_up
from imgsort.images import MORE_NAMES, READABLE_SUFFIXES, BadImage, ImageLimits, decode
from imgsort.images.wholeness import lacks_its_end
from imgsort.workspace.config import DecodeSettings, parse_config

SIZE = 64
OFF = ImageLimits(max_pixels=4_000_000, max_bytes=40_000_000)
ON = ImageLimits(OFF.max_pixels, OFF.max_bytes, frozenset(MORE_NAMES))
RAMP = np.linspace(0, 255, SIZE).astype(np.uint8)
GREY = np.tile(RAMP, (SIZE, 1))
COLOUR = np.dstack([GREY, GREY[:, ::-1], GREY.T])
WHITE = np.full(3, 255)
NAMES = {"JPEG2000": "jpeg2000", "TGA": "tga", "PPM": "netpbm"}

DARK_COLOUR = (
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAEAAAABAAAwsHAAAAAAAP"
    "Y29scgEAAAAAABAAAAGoanAyY/9P/1EALwAAAAAAEAAAABAAAAAAAAAAAAAAABAAAAAQAAAAAAAAAAAAAwsBAQsB"
    "AQsBAf9SAAwAAAABAQEEBAAB/1wAB0BgaGhw/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40"
    "/5AACgAAAAABLQAB/5PP5TQRUFSvOgdE4U4aIQHvThaR/dYRQ7AmixiD1KZlerpgbyL6YCjC5GpaWql63vUTUDaI"
    "WsIoeo905xWxeaXYANTGhd9ikDXjpZqREFmaV8PzQBFPA7vph61cKpIvZ5MdjlvX06FW9bb7kIsvpYvynJX5icxi"
    "hlgDXK4fO4zdmyPquAuVEyTHcFcOrXGEc6CbwyXD8z8RT4cPbbMjMWwfrbCLt19e0+YsGi4HB+dKNuJX87z6tMj4"
    "A3X9K5BuG9WNxYmz42rT9iObEISOx4BhGslmPT/AD5BMAPkHQACQNfWXmR2wQmbNPaYz7eczD1NQvY7Nq98T/0hX"
    "wD6giAfUEDahmcnugDbZPaY0XzcGBHfAfaFANqGZye6AN0+4q//Z"
)
"""JPEG 2000 of 12 bits a sample that go up to 511, which none of our libraries can write."""
DARK_GREY = (
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAEAAAABAAAQsHAAAAAAAP"
    "Y29scgEAAAAAABEAAADdanAyY/9P/1EAKQAAAAAAEAAAABAAAAAAAAAAAAAAABAAAAAQAAAAAAAAAAAAAQsBAf9S"
    "AAwAAAABAAEEBAAB/1wAB0BgaGhw/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40/5AACgAA"
    "AAAAaAAB/5Pf4SwRaqHi4AWJISEk8bgBkbD6QVE3II8IHV4OOH33xa6noGK3OQq5yA6CymXaI/UUcvPtFBnuovLo"
    "ccDpyK27FMVhuwDBpYs/zM/zM/vAPqCANqGZye6AIr//2Q=="
)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def seen(data: bytes) -> NDArray[np.uint8]:
    return decode(data, SIZE, ON)[0]


def deep(values: NDArray[np.uint8], bits: int) -> NDArray[np.uint16]:
    """As a sensor of so many bits writes them: the lower bits carry the finest steps."""
    shifted = (values.astype(np.uint16) << (bits - 8)) | (1 << (bits - 8)) - 1
    return np.asarray(shifted, np.uint16)


def netpbm(values: NDArray[np.integer], greatest: int) -> bytes:
    """A binary PGM or PPM with samples up to ``greatest``."""
    kind, magic = (np.uint8 if greatest < 256 else ">u2"), ("P6" if values.ndim == 3 else "P5")
    head = f"{magic}\n# by a test\n{values.shape[1]} {values.shape[0]}\n{greatest}\n"
    return head.encode() + values.astype(kind).tobytes()


def jpeg2000(values: NDArray[np.uint16]) -> bytes:
    """Samples of 16 bits: [H, W], or three or four of them a pixel."""
    import cv2

    order = [2, 1, 0, 3][: values.shape[-1]]
    written, data = cv2.imencode(".jp2", values[..., order] if values.ndim == 3 else values)
    assert written
    return data.tobytes()


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("picture", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_picture_comes_out_as_it_went_in(form: str, picture: NDArray[np.uint8]) -> None:
    """In colour and in grey, with the size and the format in its facts."""
    pixels, facts = decode(encoded(Image.fromarray(picture), form), SIZE, ON)

    expected = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    assert (pixels == expected).all()
    assert (facts.width, facts.height, facts.format) == (SIZE, SIZE, form)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG2000", {"no_jp2": True}),
        ("JPEG2000", {"tile_size": (32, 32)}),
        ("TGA", {"compression": "tga_rle"}),
        ("TGA", {"orientation": 1}),
    ],
)
def test_every_way_of_writing_a_format_is_read(form: str, options: dict[str, object]) -> None:
    """A bare code stream, tiles, run lengths, rows from above."""
    assert (seen(encoded(Image.fromarray(COLOUR), form, **options)) == COLOUR).all()


@pytest.mark.parametrize("form", NAMES)
def test_nothing_is_read_unasked(form: str) -> None:
    """The reason says what to write, and a format alone lets no other one in."""
    data = encoded(Image.fromarray(COLOUR), form)
    others = frozenset(MORE_NAMES) - {NAMES[form]}

    for limits in (OFF, ImageLimits(OFF.max_pixels, OFF.max_bytes, others)):
        with pytest.raises(BadImage, match=f'needs "{NAMES[form]}" in decode.more_formats$'):
            decode(data, SIZE, limits)
    assert (seen(data) == COLOUR).all()


@pytest.mark.parametrize("form", ["JPEG2000", "TGA"])
def test_what_is_transparent_lies_on_white_paper(form: str) -> None:
    """In colour and in grey."""
    picture = Image.fromarray(COLOUR).convert("RGBA")
    picture.putalpha(Image.fromarray(np.where(GREY < 128, 0, 255).astype(np.uint8)))

    pixels = seen(encoded(picture, form))
    assert (pixels[:, :30] == WHITE).all()
    assert (pixels[:, 34:] == COLOUR[:, 34:]).all()
    assert (seen(encoded(picture.convert("LA"), form))[:, :30] == WHITE).all()


def test_an_alpha_channel_that_a_tga_only_has_for_show_hides_nothing() -> None:
    """Many programs write 32 bits and leave the last eight empty, or say that they mean nothing."""
    hidden = Image.fromarray(COLOUR).convert("RGBA")
    hidden.putalpha(0)
    undeclared = bytearray(encoded(Image.fromarray(np.dstack([COLOUR, GREY])), "TGA"))
    undeclared[17] &= 0xF0

    assert (seen(encoded(hidden, "TGA")) == COLOUR).all()
    assert (seen(bytes(undeclared)) == COLOUR).all()


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("picture", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_sensor_of_few_bits_is_as_bright_as_its_picture_in_eight(
    bits: int, picture: NDArray[np.uint8]
) -> None:
    """As in a TIFF: samples of 16 bits, of which a sensor used fewer."""
    expected = picture if picture.ndim == 3 else np.dstack([picture] * 3)

    assert (seen(netpbm(deep(picture, bits), 65535)) == expected).all()
    assert (seen(jpeg2000(deep(picture, bits))) == expected).all()


def test_a_jpeg_2000_of_wide_colours_has_its_white_and_its_paper() -> None:
    """Pillow alone makes white black and what is opaque transparent; what nobody here reads right
    is refused."""
    opaque = np.dstack([deep(COLOUR, 16), np.full((SIZE, SIZE), 0xFFFF, np.uint16)])
    assert (seen(jpeg2000(opaque)) == COLOUR).all()
    wide = bytearray(encoded(Image.fromarray(COLOUR).convert("LA"), "JPEG2000"))
    start = wide.find(b"\xff\x4f\xff\x51") + 42
    wide[start] = wide[start + 3] = 15
    with pytest.raises(BadImage, match="more than 8 bits a sample"):
        seen(bytes(wide))


def test_declared_bits_are_taken_at_their_word() -> None:
    """A dark picture of 12 bits is dark, in colour and in grey."""
    for written in (DARK_COLOUR, DARK_GREY):
        assert seen(b64decode(written)).max() == 511 >> 4


@pytest.mark.parametrize(("greatest", "share"), [(15, 17), (100, 2.55), (1023, 0.2493), (4095, 1)])
def test_the_greatest_value_that_a_netpbm_names_is_white(greatest: int, share: float) -> None:
    """Whatever it is: a dark picture of 12 declared bits stays dark."""
    values = (GREY.astype(np.uint16) * greatest) // 1020
    expected = np.rint(values * 255.0 / greatest)

    assert (seen(netpbm(values, greatest))[..., 0] == expected).all()
    assert seen(netpbm(values, greatest)).max() <= 64


def test_plain_netpbm_is_read() -> None:
    """Numbers as text, and the two colours of a fax."""
    pixels = seen(b"P2 # a comment\n2 1\n4095\n0 4095\n")
    assert (pixels[0, 0].tolist(), pixels[0, -1].tolist()) == ([0] * 3, [255] * 3)
    fax = seen(encoded(Image.fromarray(GREY).convert("1", dither=Image.Dither.NONE), "PPM"))
    assert set(np.unique(fax)) == {0, 255}


def test_a_large_jpeg_2000_is_the_same_picture_when_it_is_decoded_smaller() -> None:
    """Scans of archives have more pixels than time; whatever their size leaves over when halved."""
    clouds = np.random.default_rng(1).integers(0, 255, (9, 9, 3), np.uint8)
    for width, height in itertools.product((1024, 1025, 1027), (771, 1282)):
        picture = Image.fromarray(clouds).resize((width, height), Image.Resampling.BICUBIC)
        whole = seen(encoded(picture, "PNG")).astype(int)
        assert np.abs(seen(encoded(picture, "JPEG2000")) - whole).mean() < 2


@pytest.mark.parametrize("form", NAMES)
def test_a_file_that_is_cut_short_is_refused_wherever_it_was_cut(form: str) -> None:
    """It may be being written still; what is refused so is looked at again until it rests."""
    data = encoded(Image.fromarray(COLOUR), form)
    body = len(data) - (30 if form == "TGA" else 0)  # what follows the picture of a TGA is optional

    for length in (*range(1, 64), *range(64, body, body // 30), body - 1):
        with pytest.raises(BadImage) as refused:
            decode(data[:length], SIZE, ON)
        assert refused.value.args[0][0].islower()
    with pytest.raises(BadImage, match="the file is cut short"):
        decode(data[: len(data) // 2], SIZE, ON)


@pytest.mark.parametrize(
    "data",
    [
        b"P5 60000 60000 255\n",
        b"P6 99999 99999 65535\n",
        bytes([0, 0, 2, *[0] * 9, 255, 255, 255, 255, 24, 0]) + bytes(100),
    ],
)
def test_too_many_pixels_are_refused_before_they_are_decoded(data: bytes) -> None:
    """A few bytes may claim gigabytes."""
    with pytest.raises(BadImage, match="more than the 4 megapixels of"):
        decode(data, SIZE, ON)


@pytest.mark.parametrize("form", NAMES)
def test_hurt_bytes_make_a_picture_or_a_reason_and_nothing_else(form: str) -> None:
    """Ten of them at random, two hundred times."""
    whole, chance = encoded(Image.fromarray(COLOUR), form), np.random.default_rng(3)
    for _ in range(200):
        data = bytearray(whole)
        for place in chance.integers(0, min(len(data), 400), 10):
            data[place] = chance.integers(256)
        with suppress(BadImage):
            assert seen(bytes(data)).shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"P1 is the name of a road" * 20,
        b"Pf\n2 2\n-1.0\n" + bytes(16),
        bytes(1000),
        b"\0\0\1\0\1\0\x10\x10\0\0\1\0 \0h\4\0\0\x16\0\0\0" + b"a" * 300,
        b"\0\0\2\0\1\0\x10\x10\0\0\1\0 \0h\4\0\0\x16\0\0\0" + b"a" * 300,
    ],
    ids=["text", "float map", "zeros", "icon", "cursor"],
)
def test_what_only_looks_like_one_is_no_picture(data: bytes) -> None:
    """TGA has no signature, and Netpbm two letters."""
    with pytest.raises(BadImage):
        decode(data, SIZE, ON)


def test_other_formats_are_what_they_are_with_all_switched_on() -> None:
    """By their bytes, whatever they are called."""
    for form in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        data = encoded(Image.fromarray(COLOUR), form)
        pixels, facts = decode(data, SIZE, ON)
        assert facts.format == form
        assert (pixels == decode(data, SIZE, OFF)[0]).all()


def test_a_jpeg_2000_without_its_end_is_still_being_saved() -> None:
    """As far as a hint goes; the folders are looked at again."""
    data = encoded(Image.fromarray(COLOUR), "JPEG2000")
    assert not lacks_its_end(data[:16], data[-4096:], len(data))
    assert lacks_its_end(data[:16], data[-4096:-2], len(data) - 2)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("jpg2000", "not 'jpg2000'; write 'jpeg2000'"),
        ("TGA", "not 'TGA'; write 'tga'"),
        ("svg", "knows 'jpeg2000', 'tga', 'netpbm', not 'svg'"),
    ],
)
def test_a_misspelt_format_is_refused_in_a_sentence(written: str, said: str) -> None:
    """With the key, and what it should be."""
    with pytest.raises(ConfigProblem) as refused:
        parse_config({"decode": {"more_formats": [written]}}, "config.toml")
    assert said in str(refused.value)
    assert str(refused.value).startswith("config.toml: decode.more_formats: knows")


def test_a_format_is_switched_on_by_its_name() -> None:
    """Alone, and none by default; a running daemon takes it at its next start."""
    config = parse_config({"decode": {"more_formats": ["tga"]}}, "config.toml")
    assert config.decode.suffixes - READABLE_SUFFIXES == {".tga"}
    assert DecodeSettings().suffixes == READABLE_SUFFIXES
    kept = reloaded(parse_config({}, "config.toml"), config)
    assert (kept.waiting, kept.config.decode.more_formats) == (("decode.more_formats",), ())


def test_what_could_be_read_is_named_with_what_it_takes() -> None:
    """Among what a run left in the inbox."""
    assert [kind_of(name) for name in ("a.JP2", "b.tga", "c.pgm", "d.psd")] == [
        *("jpeg2000", "tga", "netpbm"),
        "other",
    ]
    assert told({"video": 1, "jpeg2000": 3, "netpbm": 1}) == (
        '1 video, 3 JPEG 2000, 1 Netpbm (to be read with "jpeg2000", "netpbm" in '
        "decode.more_formats of config.toml)"
    )


def test_names_and_sidecars_follow_what_is_switched_on() -> None:
    """Off, a file is left and a sidecar stays with the JPEG; on, the picture before it has it."""
    on = DecodeSettings(more_formats=("jpeg2000",)).suffixes
    assert NameRules(READABLE_SUFFIXES).kind("a.jp2") is FileKind.UNSUPPORTED
    assert NameRules(on).kind("a.JP2") is FileKind.PICTURE
    there = ["a.jp2", "a.jpg", "a.xmp", "b.jp2", "b.jp2.xmp"]
    assert pair_up(there, [".xmp"]) == {"a.jpg": ("a.xmp",)}
    assert pair_up(there, [".xmp"], on) == {"a.jp2": ("a.xmp",), "b.jp2": ("b.jp2.xmp",)}
    start = encoded(Image.fromarray(COLOUR), "JPEG2000")[:16]
    assert looks_like_picture(start, on)
    assert not looks_like_picture(start, READABLE_SUFFIXES)
