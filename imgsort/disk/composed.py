"""One spelling for names that look alike: macOS writes ``e`` and an accent, most others ``é``.

A file keeps the bytes of its name; only what is compared is composed.
"""

import unicodedata


def composed(text: str) -> str:
    """``text`` in Unicode's composed form (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spellings(text: str) -> list[str]:
    """``text`` as it is, composed and decomposed; each once."""
    if text.isascii():
        return [text]
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return list(dict.fromkeys(forms))
