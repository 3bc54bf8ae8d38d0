"""Is a file whose bytes were changed in its place still the same picture? Pure.

Photo programs write ratings, tags and rotations into pictures, and some save in several steps. What
was said of a picture follows it; of another picture under the same name nobody has said a thing.
"""

from dataclasses import dataclass
from pathlib import Path

from imgsort.images import ImageFacts

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


def is_same_picture(before: Looks, now: ImageFacts) -> bool:
    """Content that could never be read was a picture half written: the file is whole now."""
    if before.dhash is None or (before.dhash ^ now.dhash).bit_count() <= NEAR:
        return True
    shot = (before.captured_at, before.camera)
    return None not in shot and shot == (now.captured_at, now.camera)
