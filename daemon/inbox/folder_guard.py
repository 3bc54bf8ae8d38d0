"""Are the folders still those the daemon started with? A naked mount point is never used."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GuardedFolder:
    """A folder as it stood at one moment."""

    path: Path
    dev: int
    ino: int
    mounted: bool
    """Something is mounted right there."""

    @classmethod
    def at(cls, path: Path) -> "GuardedFolder":
        """Raises OSError when it is missing, or no folder."""
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(None, "it is not a folder")
        above = path.resolve().parent.stat()
        return cls(path, status.st_dev, status.st_ino, status.st_dev != above.st_dev)


def now_at(before: GuardedFolder) -> "GuardedFolder | str":
    """The folder as it stands now, or in words why nothing may be done there."""
    try:
        now = GuardedFolder.at(before.path)
    except OSError as problem:
        return f"{before.path} is missing or can't be reached ({problem.strerror}); put it back"
    if before.mounted and not now.mounted:
        return f"{before.path} is no longer mounted; mount it again"
    return now


class FolderGuard:
    """The folders pictures go to, as they stood when the daemon started."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = [GuardedFolder.at(folder) for folder in folders]

    def trouble(self) -> str | None:
        """Why nothing may be filed now, or None."""
        for folder in self._folders:
            now = now_at(folder)
            if isinstance(now, str):
                return now
        return None
