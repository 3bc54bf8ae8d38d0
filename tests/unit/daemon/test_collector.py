"""Group by size or by waiting time."""

from imgsort.daemon.pipeline.collector import Batcher


def test_nothing_waits_for_nothing() -> None:
    """An empty batcher is never due."""
    assert Batcher[int](size=3, wait_seconds=0.1).patience(99.0) is None


def test_a_full_batch_is_due_at_once() -> None:
    """The size is reached: nobody waits for the clock."""
    batcher = Batcher[int](size=3, wait_seconds=60.0)
    for number in range(3):
        batcher.add(number, now=10.0)
    assert batcher.patience(10.0) == 0.0
    assert batcher.take() == [0, 1, 2]
    assert batcher.patience(10.0) is None


def test_a_small_batch_is_due_after_the_first_one_has_waited() -> None:
    """The time counts from the oldest item, not from the newest."""
    batcher = Batcher[int](size=32, wait_seconds=1.0)
    batcher.add(1, now=10.0)
    batcher.add(2, now=10.75)
    assert batcher.patience(10.75) == 0.25
    assert batcher.patience(11.0) == 0.0
    assert batcher.take() == [1, 2]


def test_what_does_not_fit_stays_for_the_next_batch() -> None:
    """A batch never exceeds its size, and the order is kept."""
    batcher = Batcher[int](size=2, wait_seconds=1.0)
    for number in range(5):
        batcher.add(number, now=0.0)
    assert [batcher.take(), batcher.take(), batcher.take()] == [[0, 1], [2, 3], [4]]
    assert len(batcher) == 0
