"""When the shutter opened, as cameras, phones and tools write it; no zone is ever invented.

The date is what matters: a fraction, a zone, another separator or a time that makes no sense
doesn't cost it. What is said is the clock on the camera's wall, so a zone is dropped, not applied.
"""

import re
from collections.abc import Iterator
from datetime import date, time

from PIL import Image
from PIL.ExifTags import IFD, Base

_MOMENT = re.compile(
    r"\s*(\d{4})[:/.\-\s]\s*(\d{1,2})[:/.\-\s]\s*(\d{1,2})(?!\d)"
    r"(?:\s*T?\s*(\d{1,2})\s*[:.]\s*(\d{1,2})(?:\s*[:.]\s*(\d{1,2}))?(?:[.,]\d+)?\s*([AaPp]\.?[Mm])?)?"
)
_COMPACT = re.compile(r"\s*(\d{4})(\d\d)(\d\d)(?:[T\s_]?(\d\d):?(\d\d)(?::?(\d\d))?())?(?!\d)")
_FROM_TOOLS = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|exif:DateTimeDigitized|xmp:CreateDate)"
    rb"\s*(?:=\s*[\"']|>)\s*([0-9][0-9T:.+\-Z ]{3,40})"
)
_LOOKED_AT = 1_000_000
"""Bytes of XMP."""
_NOON = 12


def captured_at(image: Image.Image, exif: Image.Exif) -> str | None:
    """ISO 8601 without a zone; the date alone where there is no time that makes sense.

    The moment of the shot, else of its digitising, else what tools wrote beside it (XMP), else
    when the file was last changed.
    """
    try:
        return next((found for text in _texts(image, exif) if (found := as_iso(text))), None)
    except Exception:  # noqa: BLE001 - garbage tags raise what they like
        return None


def as_iso(text: str) -> str | None:
    """None for what is no date."""
    found = _MOMENT.match(text) or _COMPACT.match(text)
    return None if found is None else _iso(*found.groups())


def _iso(*parts: str | None) -> str | None:
    year, month, day, hour, minute, second, half = parts
    try:
        when = date(int(year or 0), int(month or 0), int(day or 0)).isoformat()
    except ValueError:
        return None
    try:
        clock = time(_hour(int(hour or ""), half), int(minute or ""), min(int(second or 0), 59))
    except ValueError:
        return when
    return f"{when}T{clock.isoformat()}"


def _hour(hour: int, half: str | None) -> int:
    """Some phones count to 12, and some write midnight as 24."""
    if half:
        return hour % _NOON + _NOON * (half[0] in "pP")
    return 0 if hour == 2 * _NOON else hour


def _texts(image: Image.Image, exif: Image.Exif) -> Iterator[str]:
    tags = exif.get_ifd(IFD.Exif)
    for tag in (Base.DateTimeOriginal, Base.DateTimeDigitized):
        yield _text(tags.get(tag))
        yield _text(exif.get(tag))  # some tools write it one level too high
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    xmp = xmp.encode("utf-8", "replace") if isinstance(xmp, str) else xmp
    if isinstance(xmp, bytes):
        yield from (found.decode("ascii") for found in _FROM_TOOLS.findall(xmp[:_LOOKED_AT]))
    yield _text(exif.get(Base.DateTime))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.split("\0")[0] if isinstance(value, str) else ""
