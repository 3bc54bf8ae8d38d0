"""Compiled models in a folder, and the sums that tell whether they are as they were written.

OpenVINO maps a blob without comparing its bytes: zeroed weights in it would pass unnoticed.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imgsort.disk.durable import replace_file

SUMS = "sums.json"
LOCK = "lock"


@contextmanager
def trusted_blobs(folder: Path) -> Iterator[None]:
    """Inside, one process at a time, the folder's blobs are as recorded; new ones are recorded."""
    with _locked(folder):
        forget_unknown(folder)
        yield
        with suppress(OSError):  # a full disk: then the next start compiles again
            remember(folder)


def forget_all(folder: Path) -> None:
    """Delete every blob, so that those still needed are compiled again. No folder will do."""
    with suppress(OSError), _locked(folder):
        for blob in folder.glob("*.blob"):
            blob.unlink(missing_ok=True)


def forget_unknown(folder: Path) -> None:
    """Delete the blobs that are not as recorded, so that they are compiled again."""
    recorded = _recorded(folder)
    for blob in folder.glob("*.blob"):
        if recorded.get(blob.name) != _sha256(blob):
            blob.unlink(missing_ok=True)


def remember(folder: Path) -> None:
    """Record the blobs that are there now."""
    recorded = _recorded(folder)
    blobs = {blob.name for blob in folder.glob("*.blob")}
    if blobs != recorded.keys():
        sums = {name: recorded.get(name) or _sha256(folder / name) for name in sorted(blobs)}
        replace_file(folder / SUMS, json.dumps(sums, indent=2).encode())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recorded(folder: Path) -> dict[str, str]:
    try:
        table = json.loads((folder / SUMS).read_bytes())
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
