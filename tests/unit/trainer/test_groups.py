"""Near-duplicates and bursts form groups; nothing else does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.trainer.dataset.groups import group
from imgsort.trainer.dataset.near_duplicates import Shot, burst_links, near_duplicates

RNG = np.random.default_rng(0)


def named(number: int) -> str:
    return f"{number:064x}"


def directions(count: int, width: int = 64) -> NDArray[np.float32]:
    """Rows far apart from each other in angle."""
    return RNG.normal(size=(count, width)).astype(np.float32)


def turned(row: NDArray[np.float32], cosine: float) -> NDArray[np.float32]:
    """A row at that cosine from ``row``."""
    aside = RNG.normal(size=row.shape)
    aside -= aside @ row / (row @ row) * row
    unit = row / np.linalg.norm(row)
    sine = np.sqrt(1 - cosine**2)
    return np.asarray(cosine * unit + sine * aside / np.linalg.norm(aside), np.float32)


def fillers(count: int, first: int = 1000) -> list[Shot]:
    """Pictures unlike each other, so that a twentieth of the set is a group's worth."""
    hashes = RNG.integers(0, 2**64, count, dtype=np.uint64)
    return [Shot(named(first + at), int(value)) for at, value in enumerate(hashes)]


@pytest.mark.parametrize(
    ("flipped_bits", "cosine", "linked"),
    [(0, 0.99, True), (4, 0.91, True), (5, 0.99, False), (0, 0.89, False), (4, 0.89, False)],
)
def test_two_conditions(flipped_bits: int, cosine: float, linked: bool) -> None:
    """Near-duplicates differ in at most 4 bits and lie within cosine 0.9: both at once."""
    base = directions(1)[0]
    shots = [Shot(named(1), 0), Shot(named(2), sum(1 << 13 * bit for bit in range(flipped_bits)))]
    found = near_duplicates(shots, np.stack([base, turned(base, cosine)]))
    assert [(link.first, link.second) for link in found] == ([(0, 1)] if linked else [])


def test_bands_find_what_brute_force_finds() -> None:
    """The search by bands misses no pair that comparing everything with everything would find."""
    centres = RNG.integers(0, 2**64, 60, dtype=np.uint64)
    hashes = []
    for centre in np.repeat(centres, 10):
        bits = RNG.choice(64, RNG.integers(0, 5), replace=False).astype(np.uint64)
        hashes.append(int(centre) ^ sum(1 << int(bit) for bit in bits))
    embeddings = np.ones((600, 3), np.float16)
    shots = [Shot(named(at), value) for at, value in enumerate(hashes)]
    found = {(link.first, link.second) for link in near_duplicates(shots, embeddings)}
    assert found == {
        (low, high)
        for low in range(600)
        for high in range(low + 1, 600)
        if (hashes[low] ^ hashes[high]).bit_count() <= 4
    }


def test_complete_linkage() -> None:
    """A chain of look-alikes whose ends are not alike isn't one group; its links are all kept."""
    start = directions(1, 16)[0]
    middle = turned(start, 0.95)
    unit = start / np.linalg.norm(start)
    end = (2 * float(middle @ unit) * middle - unit).astype(np.float32)  # mirrored: cosine 0.8
    rest = fillers(60)
    shots = [Shot(named(at), 7) for at in range(3)] + rest
    embeddings = np.concatenate([np.stack([start, middle, end]), directions(60, 16)])
    grouping = group(shots, embeddings)
    assert sorted(map(len, grouping.groups)) == [1] * 61 + [2]
    assert set(grouping.links) == {(named(0), named(1)), (named(1), named(2))}


def test_all_alike_is_one_group() -> None:
    """Five copies of one picture, saved anew each time, are one group."""
    shots = [Shot(named(at), 99) for at in range(5)] + fillers(95)
    embeddings = np.concatenate([np.tile(directions(1), (5, 1)), directions(95)])
    groups = group(shots, embeddings).groups
    assert [members for members in groups if len(members) > 1] == [
        tuple(named(at) for at in range(5))
    ]


def test_never_over_a_twentieth() -> None:
    """A hundred equal pictures among two hundred are cut into groups of at most ten."""
    shots = [Shot(named(at), 99) for at in range(100)] + fillers(100)
    embeddings = np.concatenate([np.tile(directions(1), (100, 1)), directions(100)])
    grouping = group(shots, embeddings)
    assert max(map(len, grouping.groups)) == 10
    assert sorted(name for members in grouping.groups for name in members) == sorted(
        shot.sha256 for shot in shots
    )


def test_order_does_not_matter() -> None:
    """The groups depend on the pictures, not on the order in which they are listed."""
    shots = [Shot(named(at), 99) for at in range(100)] + fillers(100)
    embeddings = np.concatenate([np.tile(directions(1), (100, 1)), directions(100)])
    shuffled = np.random.default_rng(1).permutation(200)
    assert group([shots[at] for at in shuffled], embeddings[shuffled]) == group(shots, embeddings)


def at(number: int, second: str, camera: str | None = "X100", subfolder: str = "a") -> Shot:
    dhash = int(RNG.integers(0, 2**64, dtype=np.uint64))
    return Shot(named(number), dhash, subfolder, camera, f"2026-05-01T10:00:{second}")


def test_burst() -> None:
    """Shots of one camera, at most two seconds apart from the next, are one burst."""
    shots = [at(1, "00"), at(2, "02"), at(3, "04"), at(4, "06.500")]
    assert [(link.first, link.second) for link in burst_links(shots)] == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    "other",
    [
        at(2, "00", camera="D750"),
        at(2, "00", subfolder="b"),
        at(2, "00", camera=None),
        Shot(named(2), 5, "a", "X100", None),
        Shot(named(2), 5, "a", "X100", "0000:00:00 00:00:00"),
    ],
)
def test_no_burst(other: Shot) -> None:
    """Another camera, another subfolder or an unknown time make no burst."""
    assert burst_links([at(1, "00"), other]) == ()


def test_a_day_is_no_moment() -> None:
    """Two scans of which only the day is known are no burst."""
    shots = [Shot(named(at), at, "", "X100", "2026-05-01") for at in (1, 2)]
    assert burst_links(shots) == ()


def test_bursts_join_groups() -> None:
    """Pictures of one burst go together although they don't look alike."""
    shots = [at(1, "00"), at(2, "01"), at(3, "02"), *fillers(97)]
    groups = group(shots, directions(100)).groups
    assert (named(1), named(2), named(3)) in groups


def test_broken_embeddings_link_nothing() -> None:
    """A row of zeros or of no numbers is like nothing, not like everything."""
    shots = [Shot(named(at), 1) for at in range(3)]
    embeddings = np.array([[0, 0], [np.nan, 1], [1, 1]], np.float32)
    assert near_duplicates(shots, embeddings) == ()


def test_empty() -> None:
    """No pictures make no groups."""
    assert group([], np.zeros((0, 4), np.float16)).groups == ()
