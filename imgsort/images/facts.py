"""What is known of an image besides its pixels, and what an image may cost."""

from dataclasses import dataclass


class BadImage(Exception):
    """The bytes are no picture that can be used; ``str()`` is the reason, in a person's words."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Which one may be decoded at all. Checked before anything is decoded."""

    max_pixels: int
    max_bytes: int
    more_formats: frozenset[str] = frozenset()
    """Those of ``imgsort.images.optional_formats`` that may be decoded."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """``width`` and ``height`` are the whole picture's, upright, whatever was decoded of it."""

    width: int
    height: int
    format: str
    """Pillow's name of the format found in the bytes: JPEG, MPO, PNG, WEBP, HEIF…"""
    captured_at: str | None
    """ISO 8601 as the camera wrote it: local time, no zone; perhaps only the date."""
    camera: str | None
    dhash: int
    """Difference hash, 64 bits unsigned: near pictures differ in few bits (N. Krawetz, 2013)."""
