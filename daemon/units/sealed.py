"""A unit's first two lines: whose it is, and a checksum that tells whether somebody edited it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from imgsort.daemon.units.escape import quoted

_MADE = "# Made by `imgsort service install`; your changes belong into `systemctl edit`. SHA-256 "
_OF = "# Workspace "


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file in the units' place tells of itself."""

    intact: bool
    """It is as imgsort wrote it."""
    workspace: str | None
    """The workspace's path as it is quoted there; None if imgsort didn't write it."""


def sealed(text: str, workspace: Path) -> str:
    """The text below its two lines."""
    body = f"{_OF}{quoted(workspace)}\n\n{text}"
    return f"{_MADE}{_sum(body)}\n{body}"


def seal_of(text: str) -> Seal:
    first, _, body = text.partition("\n")
    if not first.startswith(_MADE):
        return Seal(intact=False, workspace=None)
    second = body.partition("\n")[0]
    return Seal(intact=first == _MADE + _sum(body), workspace=second.removeprefix(_OF))


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
