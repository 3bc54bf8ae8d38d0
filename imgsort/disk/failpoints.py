"""Die at a named point, so that the tests can see what a crash there leaves behind.

``IMGSORT_FAILPOINT=after-tx1:2`` kills the process (SIGKILL) when it reaches that point for the
second time. Without the variable, which is read once, a point costs a function call.
"""

import os
import signal
from dataclasses import dataclass
from functools import cache

VARIABLE = "IMGSORT_FAILPOINT"

FILING = (
    "before-tx1",
    "after-tx1",
    "after-content-fsync",
    "after-place",
    "after-retarget",
    "after-target-fsync",
    "after-source-fsync",
    "after-tx2",
    "after-drop",
)
"""In the order a batch meets them, whether files are moved or copied."""
NAMING = ("named",)
"""Met before ``after-place`` by a file that gets another name: where there is no RENAME_NOREPLACE
it bears both names there."""
COPYING = ("part-made", "part-half", "part-synced", "part-named", "part-published")
"""Met before ``after-place`` by a file that can't be renamed or is to be copied."""
CROSSING = ("after-unlink",)
"""Met before ``after-source-fsync`` by a move whose file bore both names, or was copied."""
RECOVERY = ("recovery-begun", "recovery-swept", "recovery-judged")
"""Met in recovery, which then places and finishes files through the points above."""
LOOKING = ("tree-half-learned", "tree-learned")
"""Met when the log learns what a human moved: inside its transaction and after it."""
RENAMING = ("class-renamed-in-log", "class-folder-renamed")
"""Met by `classes rename` between the folder and the log; the first, before it, where stations come
first."""


@dataclass(slots=True)
class _Armed:
    name: str
    remaining: int


@cache
def _armed() -> _Armed | None:
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return None
    name, _, hit = wanted.partition(":")
    return _Armed(name, int(hit or 1))


def failpoint(name: str) -> None:
    """Kill this process here if the environment says so."""
    armed = _armed()
    if armed is None or armed.name != name:
        return
    armed.remaining -= 1
    if armed.remaining == 0:
        os.kill(os.getpid(), signal.SIGKILL)
