"""Pictures that belong together: they go to the holdout or to training as one.

Near-duplicates are joined by complete linkage: every two of a group are alike. Single linkage
chained a hundred unrelated grey tiles into one group. Bursts are joined whole. No group may hold
more than a twentieth of the set, or one long series would decide the split by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.dataset.near_duplicates import Link, Shot, burst_links, near_duplicates

LARGEST_SHARE = 0.05
SMALLEST_CAP = 2
"""In a set of under 40 pictures a twentieth is less than a pair; a pair is still a group."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Every picture in exactly one group."""

    groups: tuple[tuple[str, ...], ...]
    """sha256 of the members, sorted; the groups in order of their first member."""
    links: tuple[tuple[str, str], ...]
    """Near-duplicates and neighbours in a burst; complete linkage and the cap may leave two linked
    pictures in different groups."""


def group(shots: Sequence[Shot], embeddings: NDArray[np.floating]) -> Grouping:
    """Groups of ``shots``; ``embeddings`` [N, D] belong to them row by row.

    Shots are taken in order of their hash, so that the answer doesn't depend on the order given.
    """
    order = sorted(range(len(shots)), key=lambda position: shots[position].sha256)
    ranked = [shots[position] for position in order]
    alike = near_duplicates(ranked, np.asarray(embeddings)[order])
    bursts = burst_links(ranked)
    cap = max(SMALLEST_CAP, int(LARGEST_SHARE * len(shots)))
    pairs = [[link.first, link.second] for link in bursts]
    members = _joined(len(ranked), [*_cliques(alike, cap), *pairs], cap)
    names = [shot.sha256 for shot in ranked]
    groups = sorted(tuple(names[position] for position in group) for group in members)
    linked = {(names[link.first], names[link.second]) for link in (*alike, *bursts)}
    return Grouping(tuple(groups), tuple(sorted(linked)))


def _cliques(links: Iterable[Link], cap: int) -> list[list[int]]:
    """Complete linkage: two groups become one when the last pair across them is found alike.

    The most alike pairs come first, so each merger happens at its least alike pair, as in the
    textbook's algorithm, but only over the links there are.
    """
    clusters: dict[int, list[int]] = {}
    home: dict[int, int] = {}
    # Per cluster: how many links to each other cluster have been seen.
    seen: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for link in sorted(links, key=lambda link: (-link.cosine, link.first, link.second)):
        for position in (link.first, link.second):
            if position not in home:
                home[position] = position
                clusters[position] = [position]
        one, other = home[link.first], home[link.second]
        if one == other:
            continue
        seen[one][other] += 1
        seen[other][one] += 1
        sizes = len(clusters[one]), len(clusters[other])
        if seen[one][other] == sizes[0] * sizes[1] and sum(sizes) <= cap:
            into, gone = (one, other) if sizes[0] >= sizes[1] else (other, one)
            for position in clusters[gone]:
                home[position] = into
            clusters[into] += clusters.pop(gone)
            _hand_over(seen, gone, into)
    return list(clusters.values())


def _hand_over(seen: dict[int, dict[int, int]], gone: int, into: int) -> None:
    for other, count in seen.pop(gone).items():
        del seen[other][gone]
        if other != into:
            seen[into][other] += count
            seen[other][into] += count


def _joined(count: int, sets: Iterable[list[int]], cap: int) -> list[list[int]]:
    """Join sets that share a picture, in the order given, unless that exceeds the cap."""
    from scipy.cluster.hierarchy import DisjointSet

    joined = DisjointSet(range(count))
    for one, *others in sets:
        for other in others:
            if joined.subset_size(one) + joined.subset_size(other) <= cap:
                joined.merge(one, other)
    return [sorted(group) for group in joined.subsets()]
