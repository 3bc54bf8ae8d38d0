"""Is a file whose bytes were changed still the same picture, in its place or elsewhere? Pure.

Photo programs write ratings, tags and rotations into pictures, and some save in several steps. What
was said of a picture follows it; of another picture under the same name nobody has said a thing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imgsort.images import ImageFacts
from imgsort.workspace.template import split_name

NEAR = 4
"""Bits of the difference hash, as for near-duplicates in training; other scenes differ in 20."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What tells pictures apart, as far as the log has it."""

    dhash: int | None
    """None for content that was never read as a picture."""
    captured_at: str | None
    camera: str | None


@dataclass(frozen=True, slots=True)
class Edit:
    """An arrival whose file has other bytes than before, and it isn't known yet of what."""

    arrival_id: int
    path: Path
    before: Looks


@dataclass(frozen=True, slots=True)
class Lost:
    """A picture whose file was found missing a while ago."""

    arrival_id: int
    path: Path
    """Where it lay."""
    dev: int
    ino: int
    looks: Looks


def lost_one(path: Path, dev: int, ino: int, now: ImageFacts, lost: Iterable[Lost]) -> Lost | None:
    """The picture that a new file is, if somebody changed and moved it in one go: by its file or
    its name, and by what it shows. None where it may be several, or none."""
    stem = split_name(path.name)[0]
    several = [
        one
        for one in lost
        if ((one.dev, one.ino) == (dev, ino) or split_name(one.path.name)[0] == stem)
        and one.looks.dhash is not None
        and is_same_picture(one.looks, now)
    ]
    return several[0] if len(several) == 1 else None


def is_same_picture(before: Looks, now: ImageFacts) -> bool:
    """Content that could never be read was a picture half written: the file is whole now."""
    if before.dhash is None or (before.dhash ^ now.dhash).bit_count() <= NEAR:
        return True
    shot = (before.captured_at, before.camera)
    return None not in shot and shot == (now.captured_at, now.camera)
