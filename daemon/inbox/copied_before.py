"""Copy mode leaves its originals in the inbox: which files there have been copied before?

By their numbers where those hold. A memory stick, a FUSE mount or a copied inbox has others, and a
tool may touch the files: then by content, one original for each copy that was made.
"""

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from imgsort.disk.identity import Identity
from imgsort.images.outcome import Picture, Refused
from imgsort.store import Store
from imgsort.store.journal import Original

_KEPT = 4096


class Originals:
    """Asked of every file by its numbers, and of what those don't tell after it was read."""

    def __init__(self, store: Store, inbox: Path) -> None:
        self._store = store
        self._inbox = os.fsencode(inbox)
        self._lately: dict[Identity, None] = {}
        """Recognised by content; an older one of these may have lost its numbers to a younger."""

    def known(self, identities: Sequence[Identity]) -> Collection[Identity]:
        """Those of these files that have been copied before. Raises what the store raises."""
        return self._store.journal.known_copies(identities) | (
            self._lately.keys() & set(identities)
        )

    def recognised(self, outcome: Picture | Refused) -> bool:
        """Is it an original that was copied under other numbers? Then these are remembered.

        The same content beside its original is another picture, with a copy of its own.
        """
        here = os.fsencode(outcome.path)
        copied = self._store.journal.originals([outcome.sha256])
        mine = next((one for one in copied if self._place(one) == here), None)
        mine = mine or next((one for one in copied if not self._lies_there(one)), None)
        if mine is None:
            return False
        self._store.journal.renew_original(mine.arrival_id, outcome.identity)
        if len(self._lately) >= _KEPT:
            self._lately.clear()
        self._lately[outcome.identity] = None
        return True

    def _place(self, one: Original) -> bytes:
        return b"/".join(part for part in (self._inbox, one.subfolder, one.name) if part)

    def _lies_there(self, one: Original) -> bool:
        try:
            status = os.lstat(self._place(one))
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == one.size
