"""Which pictures show the same scene? Near-duplicates by dhash and embedding, and bursts by time.

A link says: these two must not be told apart by which of them the model has seen. Near-duplicates
are searched without comparing everything with everything: two 64-bit hashes that differ in at most
4 bits agree in at least one of 5 bands (pigeonhole), so only neighbours within a band are compared,
and embeddings only where the hashes already agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 4
MIN_COSINE = 0.9
"""On photographs of magnetic tiles 0.98 found 14 of the 48 pairs that are alike pixel by pixel, 0.9
all of them; on photographs of animals neither finds a pair."""
BURST_SECONDS = 2.0

_BANDS = (0, 13, 26, 39, 52)
"""First bit of each band, counted from the highest; the last band has 12 bits, the others 13."""
_COMPARISONS = 20_000_000
"""Hash comparisons a band may take. Beyond it (tens of thousands of pictures in one band) only the
nearest in hash order are compared."""
_CANDIDATES = 300_000
"""Pairs a band may hand on to the embeddings; a fixed camera's frames are all alike."""
_CHUNK = 8_192


@dataclass(frozen=True, slots=True)
class Shot:
    """What is known of one picture beside its embedding."""

    sha256: str
    dhash: int
    """64-bit unsigned."""
    subfolder: str = ""
    camera: str | None = None
    captured_at: str | None = None
    """ISO 8601 as the camera wrote it, without a zone."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two pictures by their position, ``first < second``, and how alike they are."""

    first: int
    second: int
    cosine: float
    """1.0 for two shots of a burst, however they look."""


def near_duplicates(shots: Sequence[Shot], embeddings: NDArray[np.floating]) -> tuple[Link, ...]:
    """Pairs with dhash distance <= 4 and embedding cosine >= 0.9, in order of position.

    ``embeddings`` [N, D] belong to ``shots`` row by row, of any float type.
    """
    hashes = np.array([shot.dhash for shot in shots], np.uint64)
    found = [pairs for start in _BANDS for pairs in _band_candidates(hashes, start)]
    if not found:
        return ()
    packed = np.unique(np.concatenate([low * len(shots) + high for low, high in found]))
    low, high = packed // len(shots), packed % len(shots)
    cosine = _cosines(embeddings, low, high)
    alike = np.flatnonzero(cosine >= MIN_COSINE)
    return tuple(Link(int(low[at]), int(high[at]), min(float(cosine[at]), 1.0)) for at in alike)


def burst_links(shots: Sequence[Shot]) -> tuple[Link, ...]:
    """Consecutive shots of one camera in one subfolder, at most two seconds apart."""
    timed = [
        (shot.subfolder, shot.camera, moment, position)
        for position, shot in enumerate(shots)
        if shot.camera is not None and (moment := _moment(shot.captured_at)) is not None
    ]
    timed.sort(key=lambda entry: (entry[0], entry[1] or "", entry[2], entry[3]))
    gap = timedelta(seconds=BURST_SECONDS)
    return tuple(
        Link(min(before[3], after[3]), max(before[3], after[3]), 1.0)
        for before, after in pairwise(timed)
        if before[:2] == after[:2] and after[2] - before[2] <= gap
    )


def _moment(captured_at: str | None) -> datetime | None:
    """None for what some cameras write instead of a time, and for a day alone."""
    if captured_at is None or len(captured_at) <= len("2026-11-28"):
        return None
    try:
        moment = datetime.fromisoformat(captured_at)
    except ValueError:
        return None
    return moment.replace(tzinfo=None)


Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _band_candidates(hashes: NDArray[np.uint64], start: int) -> Iterator[Pairs]:
    """Pairs that agree in the band and differ in few bits, lower position first.

    The hash is rotated so that the band leads, and sorted: one band's pictures are then a run, and
    inside it those with the most leading bits in common lie side by side. Step by step each is
    compared with the next, the one after that, and so on to the end of its run.
    """
    width = np.uint64(13 if start < _BANDS[-1] else 12)
    turn = np.uint64(start)
    rotated = hashes << turn | hashes >> (np.uint64(64) - turn) if start else hashes
    order = np.argsort(rotated, kind="stable")
    ranked = rotated[order]
    band = ranked >> (np.uint64(64) - width)
    alive = np.arange(len(order))
    compared = handed_on = 0
    step = 0
    while len(alive) and compared < _COMPARISONS and handed_on < _CANDIDATES:
        step += 1
        alive = alive[alive + step < len(order)]
        alive = alive[band[alive] == band[alive + step]]
        compared += len(alive)
        close = np.bitwise_count(ranked[alive] ^ ranked[alive + step]) <= MAX_DISTANCE
        one, other = order[alive[close]], order[alive[close] + step]
        handed_on += len(one)
        if len(one):
            yield np.minimum(one, other), np.maximum(one, other)


def _cosines(
    embeddings: NDArray[np.floating], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Cosine of each pair of rows, computed in chunks; 0 where a row is zero or not finite."""
    found = np.zeros(len(low), np.float32)
    for begin in range(0, len(low), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        one = embeddings[low[part]].astype(np.float32)
        other = embeddings[high[part]].astype(np.float32)
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
            found[part] = np.nan_to_num(np.einsum("nd,nd->n", one, other) / lengths, posinf=0.0)
    return found
