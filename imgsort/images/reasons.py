"""Why bytes are no usable picture, in words for the person who dropped them."""

import cv2
from PIL import Image, UnidentifiedImageError

from imgsort.images import jpeg2000
from imgsort.images.facts import BadImage, ImageLimits
from imgsort.images.formats import on_demand
from imgsort.images.optional_formats import MORE_NAMES, what_it_takes

NO_MEMORY = "it needs more memory than decode.memory_mb allows"
_CUT_SHORT = "the file is cut short"
_DAMAGED = "the picture in the file is damaged"
_UNKNOWN = "the content is not a picture in a format imgsort reads"

_OURS = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_STRANGERS = (
    (b"%pdf", "a PDF document"),
    (b"%!ps", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"8bps", "a Photoshop document"),
    (b"pk\3\4", "a zip archive"),
    (b"version https://git-lfs", "a Git LFS pointer; the picture was never downloaded"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing, which imgsort doesn't read"),
    (b"<?xml", "XML text"),
)
_SIGNS_OF_A_CUT = (
    "truncat",
    "end of file",
    "eof",
    "not enough data",
    "unexpected end",
    "too short",
)


def in_words(problem: Exception, data: bytes, limits: ImageLimits) -> str:
    """The reason behind whatever was raised while ``data`` was opened and decoded."""
    if isinstance(problem, BadImage):
        return str(problem)
    if isinstance(problem, MemoryError) or _is_cv2_memory(problem):
        return NO_MEMORY
    if isinstance(problem, Image.DecompressionBombError):
        return too_many_pixels(limits)  # Pillow met it first, or deeper in the file
    if isinstance(problem, UnidentifiedImageError):
        return _unidentified(data, limits)
    return _CUT_SHORT if _is_cut(problem, data) else _DAMAGED


def _is_cut(problem: Exception, data: bytes) -> bool:
    said = str(problem).lower()
    if isinstance(problem, EOFError) or any(sign in said for sign in _SIGNS_OF_A_CUT):
        return True
    return jpeg2000.begins(data) and jpeg2000.lacks_its_end(data)


def too_many_pixels(limits: ImageLimits) -> str:
    """The reason for a picture above the pixel cap."""
    return f"it has more than the {limits.max_pixels / 1e6:g} megapixels of decode.max_megapixels"


def too_big(size: int, limits: ImageLimits) -> str:
    """The reason for a file of ``size`` bytes, above the byte cap."""
    return f"it has {size / 1e6:,.1f} MB, and decode.max_file_mb is {limits.max_bytes / 1e6:g}"


def _unidentified(data: bytes, limits: ImageLimits) -> str:
    """What these bytes are, where a glance tells; no decoder of ours took them."""
    asked = on_demand(data)
    if asked and asked not in limits.more_formats:
        return f"the content is a {MORE_NAMES[asked]} picture, which needs {what_it_takes([asked])}"
    if (name := f"a {MORE_NAMES[asked]}" if asked else _our_format(data)) is not None:
        return f"it begins like {name} picture, but is damaged or cut short"
    if data[4:8] == b"ftyp":
        return "the content is a video"
    if not any(data):
        return "the file holds nothing but zero bytes, as after a failed copy"
    start = data[:64].lstrip().lower()
    for magic, name in _STRANGERS:
        if start.startswith(magic):
            return f"the content is {name}"
    return "the content is text, not a picture" if _is_text(data[:4096]) else _UNKNOWN


def _our_format(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP"
    if data[4:8] == b"ftyp" and any(brand in data[8:64] for brand in _PICTURE_BRANDS):
        return "an HEIF or AVIF"
    return next((f"a {name}" for magic, name in _OURS if data.startswith(magic)), None)


def _is_text(data: bytes) -> bool:
    try:
        return all(each.isprintable() or each.isspace() for each in data.decode())
    except UnicodeDecodeError:
        return False


def _is_cv2_memory(problem: Exception) -> bool:
    return isinstance(problem, cv2.error) and problem.code == cv2.Error.StsNoMem
