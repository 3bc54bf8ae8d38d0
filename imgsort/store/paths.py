"""Paths as the database keeps them: relative to the workspace where they lie below it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Anchor:
    """The workspace that stored paths start from, so that it can be moved as a whole."""

    root: Path
    _prefix: bytes

    @classmethod
    def at(cls, root: Path) -> Self:
        absolute = root.absolute()
        return cls(absolute, os.path.join(os.fsencode(absolute), b""))  # noqa: PTH118 - bytes

    def stored(self, path: Path | str) -> bytes:
        """The bytes of an absolute path, relative to the root if it lies below."""
        return os.fsencode(path).removeprefix(self._prefix)

    def absolute(self, stored: bytes) -> Path:
        return self.root / os.fsdecode(stored)

    def text(self, stored: bytes) -> str:
        """``absolute`` as text, for paths that come by the hundred thousand."""
        absolute = stored if stored.startswith(b"/") else self._prefix + stored
        return os.fsdecode(absolute)
