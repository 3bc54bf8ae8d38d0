"""Labels become a training set and a holdout that never moves.

Which side a picture falls on depends on the hash of its group, never on how it came by its label.
Were corrections put into training and confirmed pictures into the holdout, the holdout would hold
only what the model got right. The gate then reads those of the holdout side whose labels are
representative; the others wait there, unused, until somebody looks through their folder.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from imgsort.trainer.groups import Grouping

Side = Literal["train", "holdout"]

LEAST_SHARE, MOST_SHARE = 0.2, 0.5
WANTED_HOLDOUT = 60
"""Representative pictures the holdout should have at least: twice what the gate needs."""
BARELY_HOLDOUT, BARELY_SHARE = 35, 0.7
"""Where half would be too few for the gate but this share is enough, as of one audit of 50, it is
this; corrections too, or the holdout would come to lack what was noticed to be wrong."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture a human gave a class."""

    sha256: str
    label: int
    """Id of the class."""
    representative: bool
    side: Side | None = None
    """Where an earlier training put it; None if it is new."""


@dataclass(frozen=True, slots=True)
class Split:
    """Every labelled picture's part, each tuple sorted by sha256."""

    training: tuple[Labelled, ...]
    holdout: tuple[Labelled, ...]
    """Representative labels only: what the gate reads."""
    waiting: tuple[Labelled, ...]
    """On the holdout side, but not representative: neither trained on nor read."""
    bridging: tuple[Labelled, ...]
    """Alike to a picture of the other side: neither trained on nor read."""
    assigned: Mapping[str, Side]
    """What this split decided anew, by sha256, to be frozen."""


def holdout_share(representative: int) -> float:
    """Which share of each class is held out, given how many representative labels there are."""
    if not representative:
        return LEAST_SHARE
    barely = BARELY_HOLDOUT / representative
    if MOST_SHARE < barely <= BARELY_SHARE:
        return barely
    return min(max(WANTED_HOLDOUT / representative, LEAST_SHARE), MOST_SHARE)


def split(labelled: Sequence[Labelled], grouping: Grouping, share: float) -> Split:
    """Freeze a side for every group that has none yet, then leave out what bridges the sides.

    ``grouping`` covers the labelled pictures and may cover others. Of each class about ``share``
    is held out, counting what is frozen already; within a class the groups' hashes decide.
    """
    pictures = {picture.sha256: picture for picture in labelled}
    near = _neighbours(grouping, pictures)
    sides: dict[str, Side] = {
        name: picture.side for name, picture in pictures.items() if picture.side is not None
    }
    frozen = dict(sides)
    groups = [tuple(name for name in group if name in pictures) for group in grouping.groups]
    new, bridging = [], set()
    for group in filter(None, groups):
        fresh = [name for name in group if name not in frozen]
        met = {frozen[other] for name in group for other in (name, *near[name]) if other in frozen}
        if len(met) == 1:
            sides.update(dict.fromkeys(fresh, met.pop()))
        elif met:
            bridging.update(fresh)
        elif fresh:
            new.append(fresh)
    sides.update(_drawn(new, pictures, sides, share))
    held = {name for name, side in sides.items() if side == "holdout"}
    bridging |= {
        name for name, side in sides.items() if side == "train" and not held.isdisjoint(near[name])
    }
    return _parted(pictures, sides, frozen, bridging)


def _parted(
    pictures: Mapping[str, Labelled],
    sides: Mapping[str, Side],
    frozen: Mapping[str, Side],
    bridging: set[str],
) -> Split:
    """Deal the pictures out by side."""
    parts: dict[str, list[Labelled]] = defaultdict(list)
    for name in sorted(pictures):
        picture = pictures[name]
        if name in bridging:
            part = "bridging"
        elif sides[name] == "train":
            part = "training"
        else:
            part = "holdout" if picture.representative else "waiting"
        parts[part].append(picture)
    return Split(
        tuple(parts["training"]),
        tuple(parts["holdout"]),
        tuple(parts["waiting"]),
        tuple(parts["bridging"]),
        {name: side for name, side in sides.items() if name not in frozen},
    )


def _neighbours(grouping: Grouping, pictures: Mapping[str, Labelled]) -> dict[str, set[str]]:
    """Per labelled picture: those it is linked to or shares a group with."""
    near: dict[str, set[str]] = {name: set() for name in pictures}
    together: Iterable[tuple[str, ...]] = (*grouping.links, *grouping.groups)
    for names in together:
        known = [name for name in names if name in pictures]
        if len(known) > 1:
            for name in known:
                near[name].update(known)
                near[name].discard(name)
    return near


def _drawn(
    groups: Sequence[Sequence[str]],
    pictures: Mapping[str, Labelled],
    frozen: Mapping[str, Side],
    share: float,
) -> dict[str, Side]:
    """A side for each new group: of every class those with the lowest hashes are held out."""
    total = Counter(picture.label for picture in pictures.values())
    held = Counter(pictures[name].label for name, side in frozen.items() if side == "holdout")
    drawn: dict[str, Side] = {}
    for group in sorted(groups, key=_lot):
        label = _majority(pictures[name].label for name in group)
        wanted = round(share * total[label])
        side: Side = "holdout" if held[label] + len(group) <= wanted else "train"
        if side == "holdout":
            held.update(pictures[name].label for name in group)
        drawn.update(dict.fromkeys(group, side))
    return drawn


def _lot(group: Sequence[str]) -> str:
    # A group's first hash is its lowest, so large groups would draw low lots; hashed anew, none do.
    return hashlib.sha256(f"imgsort holdout {group[0]}".encode()).hexdigest()


def _majority(labels: Iterable[int]) -> int:
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def cross_folds(labels: Sequence[int], groups: Sequence[int], count: int) -> tuple[int, ...]:
    """A fold from 0 to ``count - 1`` for each row: groups stay whole, classes are spread evenly.

    Each group, the largest first, goes to the fold that has the fewest of its class, then to the
    smallest fold.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    of_class = [Counter[int]() for _ in range(count)]
    folds = [0] * len(labels)
    for rows in sorted(members.values(), key=lambda rows: (-len(rows), rows[0])):
        label = _majority(labels[row] for row in rows)
        best = min(range(count), key=lambda fold: (of_class[fold][label], of_class[fold].total()))
        for row in rows:
            folds[row] = best
            of_class[best][labels[row]] += 1
    return tuple(folds)
