"""Group what comes in by size or by waiting time. Pure: the clock is an argument."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Batcher(Generic[Item]):
    """Items that wait to become a batch of ``size``, or fewer ``wait_seconds`` after the first."""

    size: int
    wait_seconds: float
    _items: list[Item] = field(default_factory=list)
    _first_at: float = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, now: float) -> None:
        """``now``: monotonic seconds."""
        if not self._items:
            self._first_at = now
        self._items.append(item)

    def patience(self, now: float) -> float | None:
        """Seconds until a batch is due (0.0: now), or None while nothing waits."""
        if not self._items:
            return None
        if len(self._items) >= self.size:
            return 0.0
        return max(0.0, self._first_at + self.wait_seconds - now)

    def take(self) -> list[Item]:
        """The next batch, at most ``size`` items, oldest first."""
        batch, self._items = self._items[: self.size], self._items[self.size :]
        return batch
