"""Remove inbox subfolders that filing has emptied, where the user wants that."""

import os
from pathlib import Path

PATIENCE_SECONDS = 10.0
"""Who copies a folder in makes it first and fills it then: an empty one may be about to be used."""
_KEPT = 4096


class Tidier:
    """Folders that files were taken from; ``sweep`` removes those that stay empty."""

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        self._left_at: dict[Path, float] = {}

    def taken_from(self, folder: Path, now: float) -> None:
        """A file was filed out of ``folder``. ``now``: monotonic seconds."""
        if folder != self._inbox and len(self._left_at) < _KEPT:
            self._left_at[folder] = now

    def sweep(self, now: float, patience: float = PATIENCE_SECONDS) -> None:
        """Remove what has been empty for long enough, and the folders above that are empty then."""
        for folder, left_at in list(self._left_at.items()):
            if now - left_at >= patience:
                del self._left_at[folder]
                self._remove(folder)

    def _remove(self, folder: Path) -> None:
        while folder != self._inbox:
            try:
                os.rmdir(folder)  # refuses a folder that holds anything, and a link  # noqa: PTH106
            except OSError:
                return
            folder = folder.parent
