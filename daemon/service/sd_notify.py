"""Tell systemd how it goes (sd_notify(3)); silent where nobody listens."""

import faulthandler
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imgsort.care.heartbeat import Heartbeat

LOADING_SECONDS = 1800.0
"""How long loading may take in all, before systemd is let to give up on it."""
EXTENSION_SECONDS = 60
"""How much time systemd is asked for at once. Less than its TimeoutStartSec of 90."""


def notify(*assignments: str) -> None:
    """Send e.g. ``READY=1``, ``STATUS=…``, ``WATCHDOG=1`` to the socket in NOTIFY_SOCKET.

    A name that begins with @ is in the abstract namespace. Failures are ignored: being watched is
    no condition for working.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall("\n".join(assignments).encode(errors="backslashreplace"))
    except OSError:
        return


def watchdog_seconds() -> float | None:
    """How often WATCHDOG=1 should be sent: half of what systemd allows. None: it doesn't ask."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    allowed = os.environ.get("WATCHDOG_USEC", "")
    return int(allowed) / 2e6 if allowed.isdigit() and int(allowed) else None


def extend() -> None:
    """Ask for more time to start; to be repeated while it gets on.

    The watchdog counts already where READY was said before, by a start that waits for a disk, say.
    """
    notify(f"EXTEND_TIMEOUT_USEC={EXTENSION_SECONDS * 1_000_000}", "WATCHDOG=1")


@contextmanager
def loading() -> Iterator[None]:
    """Inside, systemd is asked for more time again and again, LOADING_SECONDS at most."""
    done = threading.Event()
    deadline = time.monotonic() + LOADING_SECONDS

    def ask() -> None:
        while time.monotonic() < deadline:
            extend()
            if done.wait(EXTENSION_SECONDS / 6):
                return

    notify("STATUS=loading")
    asking = threading.Thread(target=ask, name="loading", daemon=True)
    if "NOTIFY_SOCKET" in os.environ:
        asking.start()
    try:
        yield
    finally:
        done.set()
        if asking.is_alive():
            asking.join()


def reloading() -> None:
    """READY=1 has to follow. systemd before 253 doesn't look at the clock (CLOCK_MONOTONIC)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def status_line(health: Heartbeat) -> str:
    """What `systemctl status` shows: the state, what waits, and what is wrong."""
    line = f"{health.state}: {health.queue} waiting"
    if health.model is not None:
        line += f", model v{health.model}"
    if health.paused_reason:
        line += f"; {health.paused_reason}"
    if health.stuck:
        line += f"; {health.stuck} does not get on"
    return " ".join(line.split())


def tell_where_it_hangs() -> None:
    """On systemd's SIGABRT every thread's stack goes to stderr, which is the journal."""
    if watchdog_seconds() is not None:
        with suppress(OSError, ValueError):  # stderr may be no file
            faulthandler.enable(sys.stderr, all_threads=True)
