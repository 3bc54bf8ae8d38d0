"""Pictures for people to look at, opened where all untrusted files are: in worker processes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imgsort.images import decode_for_display
from imgsort.images.outcome import NoAttempts, Outcome, Picture
from imgsort.images.pool import DecodeLimits, open_decoder
from imgsort.images.resizing import fitted_size


def views(
    paths: Sequence[Path], longest_side: int, config: DecodeLimits, bases: tuple[Path, ...] = ()
) -> Iterator[Outcome]:
    """What is in each file, in this order: a Picture's pixels are uint8 RGB [h, w, 3] here.

    They are the whole picture, upright, shrunk to fit ``longest_side``. Below ``bases`` no link is
    followed.
    """
    if not paths:
        return
    with open_decoder(config, longest_side, NoAttempts(), bases, decode_for_display) as pool:
        for future in [pool.submit(path) for path in paths]:
            outcome = future.result()
            yield whole_picture(outcome, longest_side) if isinstance(outcome, Picture) else outcome


def whole_picture(picture: Picture, side: int) -> Picture:
    """What ``decode_for_display`` gave, without the sheet it lies on."""
    width, height = fitted_size(picture.facts.width, picture.facts.height, side)
    return replace(picture, pixels=picture.pixels[:height, :width])
