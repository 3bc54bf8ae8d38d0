"""Paths as systemd reads them (systemd.syntax(7), "Quoting"; systemd.unit(5), "Specifiers")."""

import os
import unicodedata
from pathlib import Path

from imgsort.disk.display import display
from imgsort.errors import UnitProblem


def quoted(path: Path) -> str:
    """One word in double quotes: blanks kept, quotes and backslashes escaped, ``%`` doubled.

    A ``$`` stands for itself in paths, and in a command line that begins with a colon.
    """
    return f'"{_escaped(_text(path))}"'


def quoted_optional(path: Path) -> str:
    """The same, behind the ``-`` that lets the path be missing."""
    return f'"-{_escaped(_text(path))}"'


def command(program: Path) -> str:
    """The same for the program of a command line, of which systemd allows fewer names."""
    if set("\\\"'") & set(_text(program)):
        raise UnitProblem(
            f"systemd starts no program with quotes or backslashes in its path, such as "
            f"{display(program)}; name a link to it with --program."
        )
    return quoted(program)


def plain(path: Path) -> str:
    """For a line of prose such as Description=, where nothing is quoted: specifiers are still
    resolved, and a backslash at the end would take the next line along (systemd.syntax(7)). Blanks
    at the end are cut off by systemd; that costs nobody anything in prose."""
    text = _text(path).replace("%", "%%")
    return f"{text}/" if text.endswith("\\") else text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _text(path: Path) -> str:
    """Raises UnitProblem for what no unit file can hold: it is lines of UTF-8."""
    try:
        text = os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        text = "\n"
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise UnitProblem(
            f"systemd can't be told the path {display(path)}: it has control characters or is not "
            f"UTF-8; rename that folder."
        )
    return text
