"""Which sidecars lie beside a picture? The inbox is not listed anew for each of a long queue."""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from imgsort.disk.identity import Identity, fingerprint
from imgsort.filing.folders import Folders
from imgsort.filing.sidecars import pair_up
from imgsort.images import READABLE_SUFFIXES
from imgsort.workspace.workspace import Workspace

# A sidecar may come a moment after its picture; a list made after that serves the whole queue.
_GRACE_SECONDS = 1.0
_BELIEVED_SECONDS = 2.0
_FOLDERS = 64


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file that travels with a picture."""

    path: Path
    identity: Identity
    sha256: str


@dataclass(frozen=True, slots=True)
class _Listing:
    """What one folder held; ``taken_at`` is in seconds of the wall clock."""

    mtime_ns: int
    taken_at: float
    pairs: dict[str, tuple[str, ...]]


class Companions:
    """The sidecars of pictures in the folders that files come from."""

    def __init__(
        self,
        suffixes: Sequence[str],
        readable: Collection[str] = READABLE_SUFFIXES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Suffixes of the files that travel, and of the pictures."""
        self._suffixes = suffixes
        self._readable = readable
        self._now = now
        self._listings: dict[Path, _Listing] = {}

    @classmethod
    def of_workspace(cls, workspace: Workspace) -> Self:
        return cls(workspace.config.filing.sidecars, workspace.config.decode.suffixes)

    def read(self, folders: Folders, picture: Path, arrived_at: datetime) -> tuple[Sidecar, ...]:
        """What travels with a picture; one that can't be read just now stays where it is."""
        names = self.of(picture.parent, picture.name, arrived_at)
        found = (_read(folders, picture.with_name(name)) for name in names)
        return tuple(sidecar for sidecar in found if sidecar is not None)

    def of(self, folder: Path, name: str, arrived_at: datetime) -> tuple[str, ...]:
        """Names in ``folder`` that travel with picture ``name``; none if it can't be listed."""
        try:
            listing = self._listings.get(folder)
            if listing is None or not self._serves(listing, folder, arrived_at.timestamp()):
                listing = self._list(folder)
        except OSError:
            return ()
        return listing.pairs.get(name, ())

    def _serves(self, listing: _Listing, folder: Path, arrived_at: float) -> bool:
        age = self._now().timestamp() - listing.taken_at
        if not 0 <= age < _BELIEVED_SECONDS:
            return False
        late = listing.taken_at >= arrived_at + _GRACE_SECONDS
        return late or listing.mtime_ns == folder.stat().st_mtime_ns

    def _list(self, folder: Path) -> _Listing:
        if len(self._listings) >= _FOLDERS:
            self._listings.clear()
        mtime_ns, taken_at = folder.stat().st_mtime_ns, self._now().timestamp()
        names = os.listdir(folder)  # noqa: PTH208 - names only
        pairs = pair_up(names, self._suffixes, self._readable)
        listing = _Listing(mtime_ns, taken_at, pairs)
        self._listings[folder] = listing
        return listing


def _read(folders: Folders, path: Path) -> Sidecar | None:
    try:
        return Sidecar(path, *fingerprint(folders.spot(path).open()))
    except OSError:
        return None
