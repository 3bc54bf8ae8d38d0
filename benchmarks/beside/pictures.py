"""The pictures of a round: the same for every contender, and never the same bytes twice."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from imgsort.images.generated import QUALITY, generated_jpegs
from imgsort.models.classify import pictures_in

SIDE = (500, 375)


def generated(count: int) -> list[bytes]:
    return list(generated_jpegs(*SIDE, count))


def from_folder(folder: Path, count: int) -> list[bytes]:
    """Its first pictures as JPEG, none larger than 500 pixels, over again where there are few."""
    paths = pictures_in([folder])[:count]
    if not paths:
        raise SystemExit(f"There is no picture in {folder}; name another folder with --images.")
    made = [_shrunk(path) for path in paths]
    return [made[number % len(made)] for number in range(count)]


def _shrunk(path: Path) -> bytes:
    target = io.BytesIO()
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((max(SIDE), max(SIDE)))
        small.save(target, "JPEG", quality=QUALITY)
    return target.getvalue()


def lay_out(pictures: Sequence[bytes], folder: Path, number: int) -> set[str]:
    """Write them as round ``number``, and return their names; the disk has them then."""
    folder.mkdir(parents=True)
    for place, content in enumerate(pictures):
        # A tail behind the picture's end makes another content of it, which nobody has seen yet.
        tail = b"round %d, picture %d" % (number, place)
        (folder / _name(number, place)).write_bytes(content + tail)
    os.sync()
    return {_name(number, place) for place in range(len(pictures))}


def _name(number: int, place: int) -> str:
    return f"round{number:02}-{place:05}.jpg"
