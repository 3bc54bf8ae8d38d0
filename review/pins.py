"""Which class each number key stands for: kept in the workspace, never reordered by itself.

state/review_pins.json has ten places, for the keys 1 to 9 and 0, each a class id or null. A new
class takes a place that is free.
"""

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from imgsort.disk.durable import replace_file
from imgsort.review.asked import not_there
from imgsort.review.call_refused import CallRefused
from imgsort.workspace.workspace import Workspace

KEYS = 10
_writing = threading.Lock()
"""Several tabs ask at once, each in a thread of its own."""
Pins = tuple[int | None, ...]


def pins_of(workspace: Workspace, names: Mapping[int, str], used: Collection[int]) -> Pins:
    """``names``: of the classes; ``used``: those with pictures or labels, which get free keys."""
    with _writing:
        before = _read(_file(workspace))
        now = with_free_keys(before, names, used)
        if now != before:
            _write(workspace, now)
    return now


def pin(workspace: Workspace, names: Mapping[int, str], body: Mapping[str, Any]) -> Pins:
    """``{pins: [id or null, ten of them]}``. Raises CallRefused."""
    pins = body.get("pins")
    if not isinstance(pins, list) or len(pins) != KEYS:
        raise CallRefused(f"pins are {KEYS} classes, or null for a key that is free.")
    taken = [one for one in pins if one is not None]
    if len(set(taken)) < len(taken):
        raise CallRefused("A class has one key.")
    if any(not isinstance(one, int) or one not in names for one in taken):
        raise not_there("such class")
    with _writing:
        _write(workspace, tuple(pins))
    return tuple(pins)


def with_free_keys(pins: Pins, names: Mapping[int, str], used: Collection[int]) -> Pins:
    """Keys of classes that are no more become free; free ones go to used classes, the oldest
    first. Pure."""
    kept = [one if one in names else None for one in pins]
    waiting = sorted(set(used) & names.keys() - set(kept), reverse=True)
    return tuple(one if one is not None or not waiting else waiting.pop() for one in kept)


def _file(workspace: Workspace) -> Path:
    return workspace.state / "review_pins.json"


def _read(path: Path) -> Pins:
    try:
        pins: Sequence[Any] = json.loads(path.read_bytes())
        known = [one if isinstance(one, int) else None for one in pins][:KEYS]
    except (OSError, ValueError, TypeError):
        known = []
    return tuple((*known, *[None] * KEYS)[:KEYS])


def _write(workspace: Workspace, pins: Pins) -> None:
    replace_file(_file(workspace), json.dumps(pins).encode())
