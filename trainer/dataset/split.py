"""Labels become folds: every picture trains, and is judged by a head that hasn't seen it.

Groups of near-duplicates and bursts stay together. A model remembers in which fold it had each
picture (``imgsort.models.heads.learned_model``); the next one deals a known picture into the same
fold again, so that both can be judged on it, each by a head that hasn't seen it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgsort.models.heads.learned_model import FOLDS
from imgsort.trainer.dataset.groups import Grouping

ALL_ALIKE = 0.5
"""Share of pictures with look-alikes in several folds from which on these judge all the same."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One picture a human gave a class."""

    sha256: str
    label: int
    """Id of the class."""
    representative: bool
    """It was labelled without regard to what it shows: by import, audit, or a whole folder."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """Every labelled picture's fold."""

    folds: Mapping[str, int]
    """By sha256, 0 to 4."""
    alike: frozenset[str]
    """Pictures with look-alikes in other folds too: they train, and judge nothing."""
    all_alike: bool
    """So many of them (one fixed camera?) that they judge all the same; it is said."""

    def may_judge(self, sha256: str) -> bool:
        return self.all_alike or sha256 not in self.alike


def deal(pictures: Sequence[LabelledImage], grouping: Grouping, before: Mapping[str, int]) -> Dealt:
    """Folds for all pictures. ``before``: those of the serving model, by sha256.

    A group goes where most of its known pictures were, else to the fold that has the fewest of its
    class; among groups their hashes decide who comes first, never how they came by their labels.
    """
    labels = {picture.sha256: picture.label for picture in pictures}
    folds: dict[str, int] = {}
    of_class: defaultdict[int, list[int]] = defaultdict(lambda: [0] * FOLDS)
    groups = [tuple(name for name in group if name in labels) for group in grouping.groups]
    ranked = sorted(
        filter(None, groups), key=lambda names: (not _known(names, before), _lot(names))
    )
    for names in ranked:
        held = of_class[_commonest(labels[name] for name in names)]
        known = _known(names, before)
        fold = _commonest(known) if known else held.index(min(held))
        held[fold] += len(names)
        folds.update(dict.fromkeys(names, fold))
    pairs = [pair for pair in grouping.links if pair[0] in folds and pair[1] in folds]
    alike = frozenset(name for one, two in pairs if folds[one] != folds[two] for name in (one, two))
    return Dealt(folds, alike, len(alike) > ALL_ALIKE * len(labels))


def blind_fold(names: Collection[str], seen: Mapping[str, int]) -> int | None:
    """The one fold in which a model had all of these pictures that it has seen; -1 if it has seen
    none of them, None where they were in several."""
    met = {seen[name] for name in names if name in seen}
    return -1 if not met else met.pop() if len(met) == 1 else None


def neighbours(grouping: Grouping) -> dict[str, set[str]]:
    """Each picture with those of its group and those it is linked to."""
    near: dict[str, set[str]] = {}
    together: Iterable[tuple[str, ...]] = (*grouping.groups, *grouping.links)
    for names in together:
        for name in names:
            near.setdefault(name, set()).update(names)
    return near


def _known(names: Iterable[str], before: Mapping[str, int]) -> list[int]:
    return [before[name] for name in names if 0 <= before.get(name, -1) < FOLDS]


def _lot(group: Sequence[str]) -> str:
    # A group's first hash is its lowest, so large groups would draw low lots; hashed anew, none do.
    return hashlib.sha256(f"imgsort fold {group[0]}".encode()).hexdigest()


def _commonest(numbers: Iterable[int]) -> int:
    counts = Counter(numbers)
    return min(counts, key=lambda number: (-counts[number], number))
