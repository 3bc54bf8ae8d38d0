"""Which files have stopped changing? Pure: what was seen, and the clock, come in as arguments.

Cases this exists for: a picture written slowly in place, with pauses longer than the quiet time, or
in pieces by a program that closes it in between;
one renamed in while its writer still holds it open; one that lay there half written when the daemon
started; ``chmod`` and ``touch -a`` during inference (nothing new); clocks that jump (monotonic).
"""

from dataclasses import dataclass
from enum import Enum, auto

from imgsort.disk.identity import Identity

_UNTOLD = 4
"""So many times longer is waited where the kernel doesn't tell of writers."""


class Writer(Enum):
    """Has somebody the file open for writing?"""

    NONE = auto()
    OPEN = auto()
    UNKNOWN = auto()
    """The kernel would not say (another's file, or a file system without leases)."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A file that may still be changing."""

    identity: Identity
    since: float
    """Monotonic seconds since which it has looked like this."""
    whole: bool
    """It was renamed in, so it needn't be waited for."""
    refused: bool = False
    """Looking so, it is no picture; it may become one."""


def seen(
    before: Watched | None, identity: Identity, writer: Writer, now: float, *, renamed: bool = False
) -> Watched:
    """What is known of a file after one more look at it."""
    if writer is Writer.OPEN:
        return Watched(identity, now, whole=False)
    if before is not None and before.identity == identity:
        return Watched(identity, before.since, before.whole or renamed, before.refused)
    return Watched(identity, now, renamed)


def remaining(
    watched: Watched,
    writer: Writer,
    now: float,
    settle_seconds: float,
    reject_seconds: float = 0.0,
) -> float:
    """Seconds until the next look is worth it; 0.0 once the file is settled.

    A file that somebody holds open for writing is never settled, for each look begins anew with it.
    One that is no picture waits for ``reject_seconds``: an upload may pause, or come in pieces.
    """
    if watched.whole and not (watched.refused and writer is Writer.UNKNOWN):
        return 0.0
    quiet = settle_seconds
    if watched.refused:
        quiet = reject_seconds * (_UNTOLD if writer is Writer.UNKNOWN else 1)
    return max(0.0, watched.since + quiet - now)
