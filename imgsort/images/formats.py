"""Which decoders may see a file: an allow-list, chosen by the bytes and never by the name."""

import functools
import importlib
from collections.abc import Collection

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Tried in this order. JPEG brings MPO along: Pillow tells them apart after opening."""

PLUGINS = tuple(
    f"PIL.{name}ImagePlugin"
    for name in (
        *("Jpeg", "Mpo", "Png", "WebP", "Bmp", "Gif", "Tiff", "Avif"),
        *("Jpeg2K", "Ppm", "Tga"),
    )
)

_PILLOWS = {"jpeg2000": "JPEG2000", "netpbm": "PPM", "tga": "TGA"}


def formats_for(data: bytes, more: Collection[str] = ()) -> tuple[str, ...]:
    """Pillow's names of the formats that may be tried on these bytes, registered on return.

    ``more``: those of ``imgsort.images.optional_formats`` that were asked for.
    """
    register()
    asked = on_demand(data)
    if asked in more:
        return (_PILLOWS[asked],)
    if data[4:8] != b"ftyp":
        return FORMATS
    # ISO 14496-12: a box of brands. "mif1" fits both, and Pillow's AVIF plugin would claim it.
    brands = data[8 : max(16, min(int.from_bytes(data[:4], "big"), 256))]
    if b"avif" in brands or b"avis" in brands:
        return ("AVIF",)
    _register_heif()
    return ("HEIF",)


def on_demand(data: bytes) -> str:
    """Which of the formats that are read on demand these bytes begin like; "" for none."""
    from imgsort.images import jpeg2000, netpbm, tga

    begins = {"jpeg2000": jpeg2000.begins, "netpbm": netpbm.begins, "tga": tga.begins}
    return next((name for name, does in begins.items() if does(data)), "")


@functools.cache
def register() -> None:
    """Load our plugins only. Left to itself Pillow loads all forty at the first stranger."""
    for plugin in PLUGINS:
        importlib.import_module(plugin)


@functools.cache
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )
