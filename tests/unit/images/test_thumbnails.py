"""Pictures for people to look at: in proportion, upright, and opened in worker processes only."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsort.images import thumbnails as viewing
from imgsort.images.outcome import Deferred, Picture, Refused
from imgsort.images.pool import DecoderPool
from imgsort.images.thumbnails import views
from imgsort.workspace.config import DecodeSettings

CONFIG = DecodeSettings(workers=2)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(path: Path, width: int, height: int, orientation: int = 1) -> Path:
    """As stored: red above, blue below."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (0, height // 2, width, height))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def test_a_picture_keeps_its_proportions(tmp_path: Path) -> None:
    """Shrunk to fit, upright, never enlarged; in the order asked for."""
    paths = [
        halves(tmp_path / "tall.png", 400, 200, orientation=6),
        halves(tmp_path / "small.png", 40, 30),
    ]
    tall, small = views(paths, 100, CONFIG)
    assert isinstance(tall, Picture)
    assert isinstance(small, Picture)
    assert (tall.path, tall.pixels.shape) == (paths[0], (100, 50, 3))
    assert (tuple(tall.pixels[50, 45]), tuple(tall.pixels[50, 5])) == (RED, BLUE)
    assert (small.path, small.pixels.shape) == (paths[1], (30, 40, 3))
    assert small.sha256 == hashlib.sha256(paths[1].read_bytes()).hexdigest()


@pytest.mark.parametrize(("width", "height"), [(4001, 3001), (1999, 333), (151, 2000), (149, 151)])
def test_nothing_but_the_picture_is_seen(tmp_path: Path, width: int, height: int) -> None:
    """A JPEG is shrunk while it is decoded, to sides that are rounded up: no rim is left black."""
    (seen,) = views([halves(tmp_path / "one.jpg", width, height)], 150, CONFIG)
    assert isinstance(seen, Picture)
    shown = seen.pixels
    assert max(shown.shape[:2]) == 150
    assert abs(shown.shape[1] / shown.shape[0] / (width / height) - 1) < 0.05
    assert shown[..., 0][: shown.shape[0] // 2 - 8].min() > 230
    assert shown[..., 2][shown.shape[0] // 2 + 8 :].min() > 230


def test_what_cant_be_seen_is_told(tmp_path: Path) -> None:
    """Cut short, too big for the memory it may take, gone: the reasons that sorting would give."""
    whole = halves(tmp_path / "whole.jpg", 300, 200)
    cut = tmp_path / "cut.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(cut)
    os.truncate(cut, 3000)
    big = tmp_path / "big.png"
    Image.new("RGB", (11_000, 11_000)).save(big, compress_level=1)
    paths = [cut, big, tmp_path / "gone.jpg", whole]
    first, second, third, last = views(
        paths, 100, DecodeSettings(workers=1, memory_mb=256, max_megapixels=200)
    )
    assert isinstance(first, Refused)
    assert first.reason == "the file is cut short"
    assert isinstance(second, Refused)
    assert "memory" in second.reason
    assert isinstance(third, Deferred)
    assert isinstance(last, Picture)


def test_no_pictures_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report without mistakes costs nothing."""
    monkeypatch.setattr(viewing, "open_decoder", DecoderPool)  # which would miss its arguments
    assert list(views([], 100, CONFIG)) == []
