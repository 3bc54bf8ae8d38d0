"""Which classes shall a new model tell? Pure.

ImageNet's thousand names are a way to start, not a vocabulary. While every label is one of them
they stay; the first label of a class of the user's own makes the vocabulary theirs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

IMAGENET = 1_000


@dataclass(frozen=True, slots=True)
class Vocabulary:
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
    keep_imagenet: bool,
) -> Vocabulary:
    """``first``: the ids of the first model's classes: ImageNet's thousand, or the words that were
    given at `init`, which are the user's and stay."""
    theirs = len(first) != IMAGENET or not set(labelled) - set(first)
    if theirs or keep_imagenet:
        return Vocabulary(tuple(unlabelled), ())
    return Vocabulary((), tuple(names[number] for number in unlabelled))
