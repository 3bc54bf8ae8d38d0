"""Limits a process takes upon itself before it touches untrusted bytes. Linux only."""

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def confine(memory_mb: int) -> None:
    """Confine this process: ``memory_mb`` on top of what it holds now, no core dumps, no output.

    It dies with its parent, leaves Ctrl-C to the parent, and is the one to go when memory runs out.
    """
    die_with_parent()
    _keep_quiet()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, even in the middle of a codec
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # not everywhere may a process volunteer
        Path("/proc/self/oom_score_adj").write_text("500")
    ceiling = _address_space() + memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def die_with_parent() -> None:
    """With the thread that started this process, to be exact."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def _keep_quiet() -> None:
    """Codecs chatter without bound on stderr, and stdout belongs to the program's results."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _address_space() -> int:
    """Bytes of virtual memory held now (proc_pid_statm(5))."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
