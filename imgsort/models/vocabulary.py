"""Words -> sets of ImageNet classes: what `--classes cat,dog,snake` means. Decides, asks nobody."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import WordProblem
from imgsort.models.wordnet import (
    IMAGENET_CLASSES,
    Sense,
    class_name,
    imagenet_classes,
    key,
    known_words,
    plain,
    sense,
    senses,
)
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.singular import singulars

_SUGGESTIONS = 5
_SHORTEST_PART = 3
_ALIKE = 0.75
# Two ImageNet classes each are called crane, cardigan and maillot.
_TELLING_NAMES = {
    "n02012849": "crane_bird",
    "n03126707": "crane_machine",
    "n02113186": "cardigan_dog",
    "n02963159": "cardigan_sweater",
    "n03710637": "maillot_tights",
    "n03710721": "maillot_swimsuit",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One class the user named, and what it stands for."""

    name: str
    """The class folder's name, as typed."""
    sense: Sense | None
    """What it stands for; None while ambiguous, or when it stands for nothing."""
    candidates: tuple[Sense, ...] = ()
    """The meanings to choose from, when somebody must; ``name=wnid`` chooses."""
    others: tuple[Sense, ...] = ()
    """Rarer meanings passed over in favour of ``sense``."""
    suggestions: tuple[str, ...] = ()
    """Known words that come closest, when it stands for nothing."""

    @property
    def indices(self) -> tuple[int, ...]:
        """ImageNet classes it stands for, ascending."""
        return self.sense.indices if self.sense else ()

    @property
    def examples(self) -> tuple[str, ...]:
        """Names of the first few of them."""
        return self.sense.examples if self.sense else ()


@dataclass(frozen=True, slots=True)
class Row:
    """What a word stands for, to be shown to the user."""

    word: str
    classes: int
    """How many ImageNet classes."""
    examples: tuple[str, ...]
    """Names of the first few of them."""
    note: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The classes of a model, in order. No two settled words share an ImageNet class."""

    words: tuple[Word, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(word.name for word in self.words)

    @property
    def ambiguous(self) -> tuple[Word, ...]:
        """Words somebody must choose a meaning for, by resolving again with ``name=wnid``."""
        return tuple(word for word in self.words if word.candidates)

    def require_clear(self) -> None:
        """Raise WordProblem, one line a word, if any word is ambiguous."""
        if self.ambiguous:
            raise WordProblem("\n".join(_question(word) for word in self.ambiguous))

    def groups(self) -> NDArray[np.bool_]:
        """[K, 1000]: True where an ImageNet class belongs to a word. Raises WordProblem."""
        self.require_clear()
        table = np.zeros((len(self.words), IMAGENET_CLASSES), np.bool_)
        for row, word in zip(table, self.words, strict=True):
            row[list(word.indices)] = True
        return table

    def rows(self) -> tuple[Row, ...]:
        """What each word stands for, in order."""
        return tuple(
            Row(
                word.name, len(word.indices), word.sense.examples if word.sense else (), _note(word)
            )
            for word in self.words
        )


def resolve(words: Sequence[str]) -> Vocabulary:
    """What each word stands for: `cat`, `kitty=cat`, `plant=n00017222`; `mouse=` is nothing yet.

    Raises BadLabel for a name no folder may bear, WordProblem for words that overlap or a meaning
    that isn't known. Ambiguous words come back with their candidates (``require_clear``).
    """
    vocabulary = Vocabulary(tuple(_resolved(word) for word in words))
    _refuse_same_names(vocabulary.names)
    for one, other in combinations(vocabulary.words, 2):
        _refuse_overlap(one, other)
    return vocabulary


def split_words(text: str) -> list[str]:
    """`cat, dog,` -> the words between the commas; empty ones are left out."""
    return [word.strip() for word in text.split(",") if word.strip()]


def imagenet_names() -> tuple[str, ...]:
    """The 1,000 class folder names, in the network's order; unique even when case is ignored."""
    return tuple(
        checked_label(_TELLING_NAMES.get(one.wnid, one.lemmas[0].lower()))
        for one in imagenet_classes()
    )


def _resolved(typed: str) -> Word:
    name, equals, meaning = typed.partition("=")
    label = checked_label(name)
    meaning = meaning.strip()
    if not equals:
        return _looked_up(label, label)
    if not meaning:
        return Word(label, None)
    if re.fullmatch(r"n\d{8}", meaning):
        chosen = sense(meaning)
        if chosen is None:
            raise WordProblem(
                f"{typed}: {meaning} covers no ImageNet class; write a word instead, as in "
                f"--classes {label}=cat."
            )
        return Word(label, chosen)
    found = _looked_up(label, meaning)
    if found.sense is None and not found.candidates:
        closest = f" (closest: {', '.join(found.suggestions)})" if found.suggestions else ""
        raise WordProblem(
            f"{typed}: {meaning!r} stands for no ImageNet class{closest}; write another word, or "
            f"--classes {label} for a folder that learns from your labels alone."
        )
    return found


def _looked_up(label: str, word: str) -> Word:
    found = _senses_of(word)
    if not found:
        return Word(label, None, suggestions=_closest(key(word)))
    first, *rest = found
    if not rest:
        return Word(label, first)
    if _is_plainly(first, rest):
        return Word(label, first, others=tuple(rest))
    return Word(label, None, candidates=found)


def _is_plainly(first: Sense, rest: Sequence[Sense]) -> bool:
    """Whether the most frequent meaning goes without asking: `cat` is a cat, not a big cat.

    So it is when each other meaning bears a name of its own that only adds a word to this one's.
    In `crane` both bear the very name, and a `plane` is more often an airplane than the tool: ask.
    """
    return all(key(other.lemmas[0]).endswith(f"_{key(first.lemmas[0])}") for other in rest)


def _senses_of(word: str) -> tuple[Sense, ...]:
    """The meanings of the word itself, else of its singular."""
    for form in (key(word), *singulars(key(word))):
        if found := senses(form):
            return found
    return ()


def _closest(word: str) -> tuple[str, ...]:
    """Known words that hold this one as a part, shortest first; then those spelled alike."""
    forms = {form for form in (word, *singulars(word)) if len(form) >= _SHORTEST_PART}
    parts = [known for known in known_words() if forms & set(known.split("_"))]
    parts.sort(key=lambda known: (len(known), known))
    alike = difflib.get_close_matches(word, known_words(), n=_SUGGESTIONS, cutoff=_ALIKE)
    return tuple(plain(known) for known in dict.fromkeys(parts + alike))[:_SUGGESTIONS]


def _refuse_same_names(names: tuple[str, ...]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.get(name.casefold())
        if twin == name:
            raise WordProblem(f"{name} is named twice; leave one of them out.")
        if twin is not None:
            raise WordProblem(
                f"{twin} and {name} would be one folder where case doesn't count; "
                f"leave one of them out."
            )
        seen[name.casefold()] = name


def _refuse_overlap(one: Word, other: Word) -> None:
    shared = sorted(set(one.indices) & set(other.indices))
    if shared:
        count = "1 ImageNet class" if len(shared) == 1 else f"{len(shared)} ImageNet classes"
        examples = " and ".join(class_name(index) for index in shared[:2])
        raise WordProblem(
            f"{one.name} and {other.name} overlap in {count} ({examples}), so an image could "
            f"belong to both; leave one of them out, or name a narrower word."
        )


def _question(word: Word) -> str:
    choices = "; ".join(
        f"--classes {word.name}={meaning.wnid} ({meaning.gloss})" for meaning in word.candidates
    )
    return f"{word.name} means several things; say which one: {choices}."


def _note(word: Word) -> str:
    if word.candidates:
        return f"means several things: {_choices(word, word.candidates)}"
    if word.sense is None:
        closest = f"; closest words: {', '.join(word.suggestions)}" if word.suggestions else ""
        return f"stands for nothing yet: the folder learns from your labels{closest}"
    if word.others:
        return f"{word.sense.gloss}; not {_choices(word, word.others)}"
    return word.sense.gloss


def _choices(word: Word, meanings: Sequence[Sense]) -> str:
    return "; ".join(f"{meaning.gloss} ({word.name}={meaning.wnid})" for meaning in meanings)
