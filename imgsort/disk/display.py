"""Names as a person may safely read them: any bytes a file system allows, on one plain line."""

import os
import unicodedata
from pathlib import Path

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that move the cursor, hide, reorder or break a line."""


def display(name: bytes | str | Path) -> str:
    """The text form of a file name: bytes that aren't UTF-8 as ``\\xff``, controls escaped."""
    raw = name if isinstance(name, bytes) else os.fsencode(name)
    text = raw.decode("utf-8", "backslashreplace")
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")
