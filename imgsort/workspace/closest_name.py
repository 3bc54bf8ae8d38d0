"""The name that somebody may have meant. Pure."""

import difflib
from collections.abc import Iterable

_CLOSE = 0.6


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most alike, if one is alike at all."""
    folded = {one.casefold(): one for one in sorted(known)}
    near = difflib.get_close_matches(name.casefold(), folded, 1, _CLOSE)
    return folded[near[0]] if near else None
