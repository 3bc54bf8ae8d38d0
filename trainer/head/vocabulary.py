"""Which classes shall a new model tell? Pure.

ImageNet's thousand names are a way to start, not a vocabulary. While every label is one of them
they stay; the first label of a class of the user's own makes the vocabulary theirs, and so does an
import, whose folders name all the classes its owner cares about, be they called as ImageNet's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

IMAGENET = 1_000


@dataclass(frozen=True, slots=True)
class LabelVocabulary:
    """What a model tells beside the labelled classes."""

    unlabelled: tuple[int, ...]
    """Ids of classes that the first model alone knows."""
    retired: tuple[str, ...]
    """Names that go."""


def vocabulary(
    labelled: Collection[int],
    unlabelled: Sequence[int],
    first: Collection[int],
    names: Mapping[int, str],
    *,
    named: bool,
) -> LabelVocabulary:
    """``first``: the ids of the first model's classes: ImageNet's thousand, or the words that were
    given at `init`, which are the user's and stay. ``named``: an import named classes."""
    words_given = len(first) != IMAGENET
    own = named or set(labelled) - set(first)
    if words_given or not own:
        return LabelVocabulary(tuple(unlabelled), ())
    return LabelVocabulary((), tuple(names[number] for number in unlabelled))
