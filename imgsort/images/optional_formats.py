"""Formats of archives, which imgsort reads where decode.more_formats names them."""

from collections.abc import Collection, Mapping

MORE_NAMES = {"jpeg2000": "JPEG 2000", "tga": "TGA", "netpbm": "Netpbm"}
"""As decode.more_formats names them -> as people do."""

MORE_SUFFIXES = {
    "jpeg2000": frozenset({".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"}),
    "tga": frozenset({".tga"}),
    "netpbm": frozenset({".ppm", ".pgm", ".pbm", ".pnm"}),
}


def suffixes_of(formats: Collection[str]) -> frozenset[str]:
    """The suffixes that these formats add, lower case and with their dot."""
    return frozenset().union(*(MORE_SUFFIXES[one] for one in formats))


def format_of(suffix: str) -> str | None:
    """Which of these formats has files of this suffix (lower case)?"""
    return next((one for one, several in MORE_SUFFIXES.items() if suffix in several), None)


def what_it_takes(formats: Collection[str]) -> str:
    """What these formats need to be read, in the middle of a sentence."""
    listed = ", ".join(f'"{one}"' for one in MORE_NAMES if one in formats)
    return f"{listed} in decode.more_formats"


def told(kinds: Mapping[str, int]) -> str:
    """``3 JPEG 2000, 1 TGA (to be read with "jpeg2000", "tga" in …)``, or nothing."""
    there = [one for one in MORE_NAMES if kinds.get(one)]
    if not there:
        return ""
    listed = ", ".join(f"{kinds[one]:,} {MORE_NAMES[one]}" for one in there)
    return f"{listed} (to be read with {what_it_takes(there)} of config.toml)"
