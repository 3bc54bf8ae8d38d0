"""Untrusted bytes become RGB pixels and facts, or BadImage with a reason a person understands.

They are opened in *worker* processes, a *pool* of them, where a crash or a hang costs that file
alone; an *outcome* is what became of it. ``formats`` says which decoders may see a file,
``thumbnails`` opens pictures for people to look at.

Importing this loads neither Pillow nor OpenCV: the journal and the sidecars want its values only.
"""

from imgsort.images.decode import PREPROCESSING, decode, decode_for_display, settle_in
from imgsort.images.facts import BadImage, ImageFacts, ImageLimits
from imgsort.images.optional_formats import MORE_NAMES, suffixes_of

READABLE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        *(".png", ".apng"),
        *(".heic", ".heics", ".heif", ".hif", ".avif"),
        *(".webp", ".gif", ".bmp", ".tif", ".tiff"),
    }
)
"""Suffixes of the files imgsort claims to read, lower case and with their dot."""

ALL_SUFFIXES = READABLE_SUFFIXES | suffixes_of(MORE_NAMES)
"""And of those it reads where decode.more_formats names their formats."""

__all__ = [
    "ALL_SUFFIXES",
    "MORE_NAMES",
    "PREPROCESSING",
    "READABLE_SUFFIXES",
    "BadImage",
    "ImageFacts",
    "ImageLimits",
    "decode",
    "decode_for_display",
    "settle_in",
    "suffixes_of",
]
