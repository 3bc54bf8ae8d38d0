"""Tell systemd how it goes (sd_notify(3)); silent where nobody listens."""

import os
import socket


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
