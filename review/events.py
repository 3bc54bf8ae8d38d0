"""What happens, told to every open tab."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

RING = 1000
MOST_TABS = 100
"""Open at once: each keeps a connection."""
_WAITING = 1000
"""A tab that doesn't read is told to reload, and keeps no more than these."""
_SILENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Event:
    """``label``, ``log``, ``daemon``, ``training``, ``model`` or ``acts``, and what of it."""

    number: int
    kind: str
    data: Any

    def line(self) -> bytes:
        text = json.dumps(self.data, ensure_ascii=True)
        return f"id: {self.number}\nevent: {self.kind}\ndata: {text}\n\n".encode()


@dataclass(eq=False, slots=True)
class Tab:
    """One open stream."""

    loop: asyncio.AbstractEventLoop
    waiting: "asyncio.Queue[Event | None]" = field(
        default_factory=lambda: asyncio.Queue(_WAITING + 1)
    )

    def put(self, event: Event | None) -> None:
        """In the loop's thread."""
        if self.waiting.qsize() >= _WAITING and event is not None:
            event = None  # the stream ends; the page comes back and catches up
        if not self.waiting.full():
            self.waiting.put_nowait(event)


class Events:
    """``tell`` from any thread; each tab ``listen``s in the loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: deque[Event] = deque(maxlen=RING)
        self._number = 0
        self._tabs: list[Tab] = []
        self._closed = False

    def tell(self, kind: str, data: Any) -> None:
        """To all tabs; those that are away catch up from the last thousand."""
        with self._lock:
            self._number += 1
            event = Event(self._number, kind, data)
            self._told.append(event)
            self._send(event)

    def is_full(self) -> bool:
        """Are there as many tabs as there may be?"""
        with self._lock:
            return len(self._tabs) >= MOST_TABS

    def close(self) -> None:
        """End every stream, so that the server can end."""
        with self._lock:
            self._closed = True
            self._send(None)

    async def listen(self, last: int | None = None) -> AsyncIterator[bytes]:
        """Lines of server-sent events, from the one after ``last`` on."""
        tab = Tab(asyncio.get_running_loop())
        with self._lock:
            missed, lost = self._since(last)
            closed = self._closed
            self._tabs.append(tab)
        try:
            yield b": hello\n\n" if not lost else b"event: reload\ndata: null\n\n"
            for event in missed:
                yield event.line()
            while not closed:
                try:
                    told = await asyncio.wait_for(tab.waiting.get(), _SILENCE_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if told is None:
                    return
                yield told.line()
        finally:
            with self._lock:
                self._tabs.remove(tab)

    def _since(self, last: int | None) -> tuple[list[Event], bool]:
        """What came after ``last``; and whether some of it is forgotten."""
        if last is None:
            return [], False
        first = self._told[0].number if self._told else self._number + 1
        if last > self._number or last < first - 1:
            return [], True
        return [event for event in self._told if event.number > last], False

    def _send(self, event: Event | None) -> None:
        for tab in self._tabs:
            try:
                tab.loop.call_soon_threadsafe(tab.put, event)
            except RuntimeError:  # its loop has ended
                continue
