"""Stay out of the way of a daemon that is at work on the same machine."""

import os
import shutil
import subprocess
from contextlib import suppress

NICENESS = 10


def make_way() -> None:
    """Ask for less: low priority for processor and disk, and leave one core alone. Best effort.

    Libraries start a thread for each core they may use, so this comes before they are loaded.
    """
    with suppress(OSError):
        os.nice(NICENESS)
    with suppress(OSError):
        cores = os.sched_getaffinity(0)
        if len(cores) > 1:
            os.sched_setaffinity(0, cores - {min(cores)})
    ionice = shutil.which("ionice")  # there is no call for it in the standard library
    if ionice:
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - a fixed command
                [ionice, "-c", "3", "-p", str(os.getpid())],
                check=False,
                capture_output=True,
                timeout=5,
            )
