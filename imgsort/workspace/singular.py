"""English plurals, just enough to find `cats`, `wolves` and `mice` in a list of known words."""

from collections.abc import Iterator

_IRREGULAR = {
    "children": "child",
    "dice": "die",
    "feet": "foot",
    "geese": "goose",
    "lice": "louse",
    "mice": "mouse",
    "oxen": "ox",
    "people": "person",
    "teeth": "tooth",
}
# Tried in this order, so that `gloves` is glove before it could be glof.
_ENDINGS = (
    ("s", ""),
    ("es", ""),
    ("ies", "y"),
    ("ves", "f"),
    ("ves", "fe"),
    ("zzes", "z"),
    ("men", "man"),
    ("i", "us"),
)


def singulars(word: str) -> Iterator[str]:
    """Candidates for the singular of a lower-case lemma, best first; the caller knows real words.

    In a compound (`sea_lions`) only the last word changes.
    """
    head, separator, last = word.rpartition("_")
    if last in _IRREGULAR:
        yield head + separator + _IRREGULAR[last]
    if last.endswith("ss"):
        return
    for ending, instead in _ENDINGS:
        if len(last) > len(ending) and last.endswith(ending):
            yield head + separator + last.removesuffix(ending) + instead
