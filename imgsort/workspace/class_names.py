"""The one gate for class names, whichever way they come in: CLI, config, CSV or a folder's name."""

import unicodedata

from imgsort.errors import BadLabel

MAX_BYTES = 120
_SEPARATORS = {"/", "\\", "\0"}
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Letters and marks by category, yet nothing is drawn: Hangul fillers, blank Braille, CGJ.
_BLANK_LETTERS = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f"}
# ZWNJ and ZWJ spell words in Persian and the Indic scripts, and join emoji; in Latin, Greek and
# Cyrillic they would only make two names look like one. Hebrew is the first block after those.
_JOINERS = {"\u200c", "\u200d"}
_JOINING_FROM = "\u0590"


def checked_label(name: str) -> str:
    """The name as a class folder may bear it (Unicode NFC), or BadLabel saying what is wrong."""
    label = unicodedata.normalize("NFC", name.strip())
    if not label:
        raise BadLabel("A class name can't be empty; give it a plain folder name such as cat.")
    if label.startswith((".", "-", "~")):
        raise _refusal(name, f"it begins with {label[0]!r}; use a plain folder name.")
    if not _SEPARATORS.isdisjoint(label):
        raise _refusal(name, "it is a path, not one folder; use a plain folder name.")
    if not _is_visible(label):
        raise _refusal(name, "it has invisible characters; type it anew.")
    if len(label.encode()) > MAX_BYTES:
        raise _refusal(name, f"it is longer than {MAX_BYTES} bytes; shorten it.")
    return label


def _is_visible(label: str) -> bool:
    """Whether something is drawn, and nothing in it hides or reorders what is."""
    padded = f" {label} "
    for before, character, after in zip(padded, label, padded[2:], strict=False):
        if character in _JOINERS:
            if not (_may_join(before) and _may_join(after)):
                return False
        elif character in _BLANK_LETTERS or unicodedata.category(character) in _UNSEEN:
            return False
    return any(unicodedata.category(character)[0] in "LNPS" for character in label)


def _may_join(neighbour: str) -> bool:
    return neighbour >= _JOINING_FROM and neighbour not in _JOINERS and not neighbour.isspace()


def _refusal(name: str, reason: str) -> BadLabel:
    # repr() spells out control and bidi characters, so that the message can't be bent by them.
    shown = repr(name) if len(name) <= MAX_BYTES else repr(name[:40]) + "…"
    return BadLabel(f"{shown} can't be a class name: {reason}")
