"""The one gate for class names, whichever way they come in: CLI, config, CSV or a folder's name."""

import unicodedata

from imgsort.errors import BadLabel

MAX_BYTES = 120
_FORBIDDEN = {"/", "\\", "\0"}


def checked_label(name: str) -> str:
    """The name as a class folder may bear it (Unicode NFC), or BadLabel saying what is wrong."""
    label = unicodedata.normalize("NFC", name.strip())
    shown = ascii(name)
    if not label:
        raise BadLabel("A class name can't be empty; give it a plain folder name such as cat.")
    if label.startswith((".", "-", "~")):
        raise BadLabel(f"{shown} can't be a class name: it begins with {label[0]!r}; use a plain folder name.")
    if any(character in _FORBIDDEN for character in label):
        raise BadLabel(f"{shown} can't be a class name: it is a path, not one folder; use a plain folder name.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in label):
        raise BadLabel(f"{shown} can't be a class name: it has invisible characters; type it anew.")
    if len(label.encode()) > MAX_BYTES:
        raise BadLabel(f"{shown[:40]}… can't be a class name: it is longer than {MAX_BYTES} bytes; shorten it.")
    return label
