"""The part of WordNet 3.0 that stands above the 1,000 ImageNet classes (imgsort/data).

A synset is one meaning; its lemmas are the words for it; its wnid (`n02121620`) names it for good.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

IMAGENET_CLASSES = 1000
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a word, and what of ImageNet it covers."""

    wnid: str
    lemmas: tuple[str, ...]
    parent: str | None
    """First lemma of the meaning above; None at the very top."""
    indices: tuple[int, ...]
    """The ImageNet classes at or below this meaning, ascending, never empty."""

    @property
    def examples(self) -> tuple[str, ...]:
        """Names of the first few classes it covers."""
        return tuple(class_name(index) for index in self.indices[:_EXAMPLES])

    @property
    def gloss(self) -> str:
        """The meaning in words: `plant, flora: a kind of organism, such as daisy`."""
        words = ", ".join(plain(lemma) for lemma in self.lemmas[:2])
        kind = f": a kind of {plain(self.parent)}" if self.parent else ""
        shown = [name for name in self.examples if name != plain(self.lemmas[0])]
        return f"{words}{kind}" + (f", such as {' and '.join(shown[:2])}" if shown else "")


@dataclass(frozen=True, slots=True)
class ImagenetClass:
    """One of the 1,000 classes, in the order of the network's output."""

    index: int
    wnid: str
    lemmas: tuple[str, ...]
    ancestors: tuple[str, ...]
    """wnids of every meaning above it, nearest first."""


@dataclass(frozen=True)
class _Wordnet:
    classes: tuple[ImagenetClass, ...]
    lemmas: dict[str, tuple[str, ...]]
    members: dict[str, tuple[int, ...]]
    wnids: dict[str, tuple[str, ...]]
    """Key of a word (see ``key``) -> its senses, the most frequent first."""


def key(word: str) -> str:
    """A word as the tables spell it: `Great White-Shark` -> `great_white_shark`."""
    return re.sub(r"[\s_\-]+", "_", re.sub("['\u2019]", "", word.strip())).lower()


def plain(lemma: str) -> str:
    """A lemma as people write it: `great_white_shark` -> `great white shark`."""
    return lemma.replace("_", " ")


def imagenet_classes() -> tuple[ImagenetClass, ...]:
    return _wordnet().classes


def class_name(index: int) -> str:
    """What people call ImageNet class ``index``: its first lemma."""
    return plain(_wordnet().classes[index].lemmas[0])


def known_words() -> tuple[str, ...]:
    """Every word that stands for some ImageNet class, as keys."""
    return tuple(_wordnet().wnids)


def senses(word: str) -> tuple[Sense, ...]:
    """The meanings of exactly this word (no plurals), the most frequent first; () if unknown.

    Meanings that cover the same ImageNet classes are one.
    """
    found: dict[tuple[int, ...], Sense] = {}
    for wnid in _wordnet().wnids.get(key(word), ()):
        meaning = sense(wnid)
        if meaning:
            found.setdefault(meaning.indices, meaning)
    return tuple(found.values())


def sense(wnid: str) -> Sense | None:
    """The meaning with this id, or None when it covers no ImageNet class."""
    table = _wordnet()
    indices = table.members.get(wnid)
    if indices is None:
        return None
    return Sense(wnid, table.lemmas[wnid], _parent(table, wnid), indices)


def _parent(table: _Wordnet, wnid: str) -> str | None:
    """The nearest meaning above. Ancestors come flat, so it is one that covers at least as much."""
    first = table.classes[table.members[wnid][0]]
    line = (first.wnid, *first.ancestors)
    covered = set(table.members[wnid])
    for above in line[line.index(wnid) + 1 :]:
        if covered.issubset(table.members[above]):
            return table.lemmas[above][0]
    return None


@cache
def _wordnet() -> _Wordnet:
    text = files("imgsort").joinpath("data", "imagenet_wordnet.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    classes = tuple(
        ImagenetClass(row["index"], row["wnid"], tuple(row["lemmas"]), tuple(row["ancestors"]))
        for row in raw["classes"]
    )
    members: dict[str, list[int]] = {}
    for one in classes:
        for wnid in (one.wnid, *one.ancestors):
            members.setdefault(wnid, []).append(one.index)
    return _Wordnet(
        classes,
        {wnid: tuple(words) for wnid, words in raw["synsets"].items()},
        {wnid: tuple(indices) for wnid, indices in members.items()},
        # `ash-bin` and `ash_bin` share a key, and their senses too.
        {key(word): tuple(meanings) for word, meanings in raw["senses"].items()},
    )
