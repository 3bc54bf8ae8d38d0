"""Units, shards, rates: plain arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.backfill.pace import JobPace, duration
from imgsort.backfill.units import Shard, size_of, units_left, units_of
from imgsort.errors import BackfillMisused


@given(st.integers(1, 10_000), st.integers(1, 500))
def test_units_have_every_picture_once(pictures: int, unit_images: int) -> None:
    """Their sizes add up, and only the last one is smaller."""
    sizes = [size_of(n, pictures, unit_images) for n in range(units_of(pictures, unit_images))]
    assert sum(sizes) == pictures
    assert all(size == unit_images for size in sizes[:-1])
    assert sizes[-1] > 0


@given(st.integers(0, 300), st.integers(1, 20), st.sets(st.integers(0, 299)))
def test_shards_share_a_job_without_a_word(units: int, of: int, done: set[int]) -> None:
    """Together they do what is left, and no unit twice."""
    shares = [units_left(units, done, shard=Shard(n, of)) for n in range(1, of + 1)]
    assert sorted(unit for share in shares for unit in share) == units_left(units, done)


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/0", "-1/4", ""])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    """With the form it should have."""
    with pytest.raises(BackfillMisused, match="3/20"):
        Shard.parse(text)


def test_a_shard_is_typed_as_it_is_shown() -> None:
    assert str(Shard.parse("3/20")) == "3/20"


def test_the_hours_to_go() -> None:
    """What is left, at the rate of this run alone: pictures of earlier runs took no time now."""
    pace = JobPace(done=6_000, pictures=42_000, fresh=1_000, seconds=100)
    assert pace.rate == 10
    assert pace.hours_to_go == 1
    assert pace.in_words() == "6,000 of 42,000 pictures, 10 a second, 60 minutes to go"


def test_a_rate_that_nobody_knows_is_not_told() -> None:
    """Neither at the first moment nor before the first picture."""
    assert JobPace(0, 100, 0, 5).in_words() == "0 of 100 pictures"
    assert JobPace(5, 100, 5, 0).in_words() == "5 of 100 pictures"


def test_durations_are_told_in_the_unit_that_says_most() -> None:
    assert [duration(each) for each in (59, 600, 86_400)] == [
        "59 seconds",
        "10 minutes",
        "24.0 hours",
    ]
