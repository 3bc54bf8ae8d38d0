"""Does every stage get on? What the systemd watchdog and `status` are told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Stage:
    outstanding: int = 0
    moved_at: float = 0.0


@dataclass(slots=True)
class Pulse:
    """Counts what each stage has in hand, and when it last got on. Times are monotonic seconds."""

    clock: Callable[[], float] = time.monotonic
    _stages: dict[str, _Stage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, stage: str) -> None:
        """The stage has one more thing in hand."""
        with self._lock:
            entry = self._stages.setdefault(stage, _Stage())
            if entry.outstanding == 0:
                entry.moved_at = self.clock()
            entry.outstanding += 1

    def end(self, stage: str) -> None:
        """The stage is through with one thing."""
        with self._lock:
            entry = self._stages[stage]
            entry.outstanding -= 1
            entry.moved_at = self.clock()

    def beat(self, stage: str) -> None:
        """The stage waits for a trouble to pass, which is getting on too."""
        with self._lock:
            self._stages.setdefault(stage, _Stage()).moved_at = self.clock()

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        self.begin(stage)
        try:
            yield
        finally:
            self.end(stage)

    @property
    def busy_now(self) -> bool:
        """Whether any stage has something in hand."""
        with self._lock:
            return any(stage.outstanding for stage in self._stages.values())

    def stuck(self, limit: float) -> str | None:
        """A stage that has had something in hand for ``limit`` seconds without getting on."""
        now = self.clock()
        with self._lock:
            for name, stage in self._stages.items():
                if stage.outstanding and now - stage.moved_at > limit:
                    return name
        return None
