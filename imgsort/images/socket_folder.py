"""Where the fork server's socket lies: its whole path has 107 bytes, and TMPDIR may be long.

On clusters TMPDIR is a folder of the job and often long. Python looks for a shorter one by itself
from 3.14 on.
"""

import os
import tempfile
import threading
from multiprocessing import util
from pathlib import Path

from imgsort.errors import DecoderUnavailable

LONGEST_SOCKET = 107
"""Bytes of a socket's path (unix(7): sun_path, without the NUL at its end)."""
_BELOW = len("/pymp-xxxxxxxx/listener-xxxxxxxx")
"""Bytes of what multiprocessing adds to the folder for temporary files."""
_OTHERS = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - multiprocessing makes a folder of ours in it
_choosing = threading.Lock()


def choose_socket_folder() -> None:
    """See to it that this process's sockets fit. Raises DecoderUnavailable where none would."""
    with _choosing:
        folder = Path(tempfile.gettempdir())
        if _fits(folder):
            return
        before = tempfile.tempdir
        try:
            tempfile.tempdir = str(next(filter(_usable, _OTHERS), folder))
            made = Path(util.get_temp_dir())  # which it keeps until the process ends
        finally:
            tempfile.tempdir = before
    if not _fits(made.parent):
        longest = LONGEST_SOCKET - _BELOW
        raise DecoderUnavailable(
            f"No picture can be opened, for the name of the temporary folder {folder} is too long"
            f" for a socket ({_length(folder)} bytes; {longest} at most); set TMPDIR to a shorter"
            f" one, such as /tmp."
        )


def _fits(folder: Path) -> bool:
    return _length(folder) + _BELOW <= LONGEST_SOCKET


def _length(folder: Path) -> int:
    return len(os.fsencode(folder))


def _usable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
