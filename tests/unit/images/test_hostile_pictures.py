"""Pictures made to hurt: bombs in their metadata, two formats at once, files that never end."""

import io
import multiprocessing.forkserver
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsort.images import ImageLimits
from imgsort.images.outcome import Deferred, NoAttempts, Outcome, Picture, Refused
from imgsort.images.pool import DecoderPool

LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=50_000_000)
MEMORY_MB = 512
RED = (250, 10, 10)


def png_of(*extra: bytes, side: int = 32) -> bytes:
    """A red PNG with more chunks before its pixels."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), RED).save(out, "PNG")
    data = out.getvalue()
    place = data.index(b"IDAT") - 4
    return data[:place] + b"".join(extra) + data[place:]


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def jpeg_of(**options: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), RED).save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def tiff_block(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """An EXIF block with one directory; an entry is tag, type, count, value or place."""
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    return block + b"".join(struct.pack("<HHII", *each) for each in entries) + struct.pack(
        "<I", following
    )  # fmt: skip


def zipped(megabytes: int) -> bytes:
    """Zero bytes, a thousand to one."""
    return zlib.compress(bytes(megabytes * 1_000_000), 9)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(*segments: bytes) -> bytes:
    """A JPEG with more after its first two bytes."""
    data = jpeg_of()
    return data[:2] + b"".join(segments) + data[2:]


def frames(count: int) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("P", (64, 64), number % 250) for number in range(count)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def looping_tiff() -> bytes:
    """Its first directory names itself as the next one."""
    out = io.BytesIO()
    Image.new("RGB", (32, 32), RED).save(out, "TIFF")
    data = bytearray(out.getvalue())
    first = int(struct.unpack_from("<I", data, 4)[0])
    entries = int(struct.unpack_from("<H", data, first)[0])
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    return bytes(data)


def wide_tiff() -> bytes:
    """A directory whose strips would be two billion."""
    out = io.BytesIO()
    Image.new("RGB", (32, 32), RED).save(out, "TIFF")
    data = bytearray(out.getvalue())
    first = int(struct.unpack_from("<I", data, 4)[0])
    for number in range(int(struct.unpack_from("<H", data, first)[0])):
        place = first + 2 + 12 * number
        if struct.unpack_from("<H", data, place)[0] in {273, 279}:  # where strips lie, how long
            struct.pack_into("<I", data, place + 4, 2**31 - 1)
    return bytes(data)


PICTURES: dict[str, Callable[[], bytes]] = {
    "a thousand text chunks": lambda: png_of(*[chunk(b"tEXt", b"k\0" + b"v" * 900)] * 1000),
    "text that unpacks to 200 MB": lambda: png_of(chunk(b"zTXt", b"k\0\0" + zipped(200))),
    "international text of 200 MB": lambda: png_of(chunk(b"iTXt", b"k\0\1\0\0\0" + zipped(200))),
    "a colour profile of 200 MB": lambda: png_of(chunk(b"iCCP", b"k\0\0" + zipped(200))),
    "many profiles, 1 GB in all": lambda: png_of(*[chunk(b"zTXt", b"k\0\0" + zipped(20))] * 50),
    "four billion EXIF values": lambda: jpeg_of(exif=tiff_block((271, 2, 2**32 - 1, 8))),
    "an EXIF directory of 65,535": lambda: jpeg_of(
        exif=tiff_block(*[(tag % 65536, 4, 1, 0) for tag in range(5000)])
    ),
    "an EXIF directory in itself": lambda: jpeg_of(exif=tiff_block((0x8769, 4, 1, 8), following=8)),
    "EXIF that names a huge block": lambda: jpeg_of(
        exif=tiff_block((0x8769, 4, 1, 2**31), (0x8825, 4, 1, 2**32 - 1))
    ),
    "sixty thousand comments": lambda: with_segments(*[segment(0xFE, b"x" * 60)] * 60_000),
    "a colour profile in 255 parts": lambda: with_segments(
        *[segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + b"x" * 60_000) for n in range(1, 256)]
    ),
    "a multi-picture index of garbage": lambda: with_segments(
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 500)
    ),
    "twenty thousand frames": lambda: frames(20_000),
    "a TIFF that never ends": looping_tiff,
    "a TIFF of two billion strips": wide_tiff,
    "a picture and a zip archive": lambda: jpeg_of() + b"PK\3\4" + b"x" * 1000,
    "a picture and a web page": lambda: jpeg_of() + b"<html><script>alert(1)</script>",
    "a picture and a program": lambda: jpeg_of() + b"\x7fELF" + b"x" * 1000,
    "a picture and a PDF": lambda: with_segments(segment(0xFE, b"%PDF-1.7 /JS (app.alert(1))")),
}


def outcome_of(path: Path, seconds: float = 20.0) -> tuple[Outcome, int]:
    """What comes of a file in a confined worker, and how many workers it cost."""
    outcome, lost, _ = measured(path, seconds)
    return outcome, lost


def measured(path: Path, seconds: float = 20.0) -> tuple[Outcome, int, int]:
    """The same, and the most memory that the worker had, in kB (VmHWM, proc_pid_status(5))."""
    with DecoderPool(
        size=32, limits=LIMITS, timeout_seconds=seconds, memory_mb=MEMORY_MB,
        attempts=NoAttempts(), workers=1,
    ) as pool:  # fmt: skip
        outcome = pool.submit(path).result(timeout=120)
        return outcome, pool.rebuilt, max(map(peak_kb, workers()), default=0)


def workers() -> list[int]:
    """Process ids of the living decoder workers: the fork server's children."""
    server = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    text = Path(f"/proc/{server}/task/{server}/children").read_text()
    return [int(each) for each in text.split()]


def peak_kb(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("name", PICTURES)
def test_a_made_up_picture_is_read_or_refused_at_a_bounded_cost(name: str, tmp_path: Path) -> None:
    """Within the worker's memory, in seconds, in one try: no crash, no hang."""
    path = tmp_path / "a.jpg"
    path.write_bytes(PICTURES[name]())
    began = time.monotonic()

    outcome, lost, peak = measured(path)

    assert isinstance(outcome, Picture | Refused)
    assert lost == 0
    assert time.monotonic() - began < 15
    if isinstance(outcome, Refused):
        assert outcome.reason[0].islower()
    assert 0 < peak < (MEMORY_MB + 300) * 1000


@pytest.mark.parametrize(
    "name", ["a picture and a zip archive", "a picture and a web page", "a picture and a program"]
)
def test_a_file_of_two_formats_is_the_picture_it_begins_with(name: str, tmp_path: Path) -> None:
    """What follows the picture is carried along, and never looked into."""
    path = tmp_path / "a.jpg"
    path.write_bytes(PICTURES[name]())

    outcome, _ = outcome_of(path)

    assert isinstance(outcome, Picture)
    assert outcome.facts.format == "JPEG"
    assert abs(outcome.pixels.astype(int) - RED).max() < 4


def test_a_sparse_terabyte_is_left_where_it_is(tmp_path: Path) -> None:
    """It costs no disk, yet takes an hour to read: the limit on time holds for hashing too."""
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.write(jpeg_of())
        file.truncate(1 << 40)
    began = time.monotonic()

    outcome, _ = outcome_of(path, seconds=2)

    assert isinstance(outcome, Deferred)
    assert outcome.reason == "it is too big to be read within decode.timeout_seconds"
    assert time.monotonic() - began < 30


def test_a_file_that_grows_for_ever_is_left_for_later(tmp_path: Path) -> None:
    """Neither read for ever nor judged by half."""
    path = tmp_path / "growing.jpg"
    path.write_bytes(jpeg_of())
    over = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not over.wait(0.0005):
                file.write(os.urandom(10_000))
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        outcome, _ = outcome_of(path)
    finally:
        over.set()
        thread.join()

    assert outcome == Deferred(path, "it changed while it was read")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
@pytest.mark.parametrize("device", [(1, 5), (1, 3), (1, 8)], ids=["zero", "null", "random"])
def test_a_device_is_never_read(device: tuple[int, int], tmp_path: Path) -> None:
    """/dev/zero called a.jpg would be read for ever."""
    path = tmp_path / "a.jpg"
    try:
        os.mknod(path, 0o20666, os.makedev(*device))
    except PermissionError:
        pytest.skip("this container may make no devices")

    outcome, _ = outcome_of(path)

    assert outcome == Deferred(path, "it is not a regular file")


def test_a_link_on_the_way_down_is_not_followed(tmp_path: Path) -> None:
    """Below the folders it is told of; elsewhere (`classify`) the user's own links are."""
    outside, inbox = tmp_path / "outside", tmp_path / "inbox"
    outside.mkdir()
    inbox.mkdir()
    (outside / "a.jpg").write_bytes(jpeg_of())
    (inbox / "sub").symlink_to(outside)
    path = inbox / "sub" / "a.jpg"

    outcomes = []
    for bases in ((inbox,), ()):
        with DecoderPool(
            size=32, limits=LIMITS, timeout_seconds=20, memory_mb=MEMORY_MB,
            attempts=NoAttempts(), workers=1, bases=bases,
        ) as pool:  # fmt: skip
            outcomes.append(pool.submit(path).result(timeout=60))

    assert outcomes[0] == Deferred(path, "it vanished before it could be read")
    assert isinstance(outcomes[1], Picture)
    assert (np.abs(outcomes[1].pixels.astype(int) - RED) < 4).all()
