"""Untrusted bytes become RGB pixels and facts, or BadImage with a reason a person understands.

Importing this loads neither Pillow nor OpenCV: the journal and the sidecars want its values only.
"""

from imgsort.images.facts import BadImage, ImageFacts, ImageLimits
from imgsort.images.picture import (
    PREPROCESSING,
    decode,
    decode_for_display,
    settle_in,
)

READABLE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        *(".png", ".apng"),
        *(".heic", ".heics", ".heif", ".hif", ".avif"),
        *(".webp", ".gif", ".bmp", ".tif", ".tiff"),
    }
)
"""Suffixes of the files imgsort claims to read, lower case and with their dot."""

__all__ = [
    "PREPROCESSING",
    "READABLE_SUFFIXES",
    "BadImage",
    "ImageFacts",
    "ImageLimits",
    "decode",
    "decode_for_display",
    "settle_in",
]
