"""What can be done between two folders? Tried with an empty hidden file, for real."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import uuid4

from imgsort.filing import no_replace as renaming
from imgsort.filing.folders import Folders, Spot

Ability = Literal["rename", "link", "look", "copy"]
"""How a file gets there: renamed; linked and unlinked; looked for and then renamed; copied."""


def ability(source: Path, target: Path) -> Ability:
    """Raises OSError where a file can't be made or named."""
    name = f".imgsort-probe-{uuid4().hex}"
    with Folders([source, target]) as folders:
        probe, moved = Spot(folders.folder(source), name), Spot(folders.folder(target), f"{name}-")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(name, flags, 0o600, dir_fd=probe.folder.descriptor))
        try:
            return _tried(probe, moved)
        finally:
            for spot in (probe, moved):
                with suppress(OSError):
                    spot.remove()


def _tried(probe: Spot, moved: Spot) -> Ability:
    ways: tuple[tuple[Ability, renaming.Way, frozenset[int]], ...] = (
        ("rename", renaming.rename_noreplace, renaming.UNSUPPORTED),
        ("link", renaming.link, renaming.NO_LINKS),
        ("look", renaming.rename_looking, frozenset()),
    )
    for word, way, unknown in ways:
        try:
            way(probe, moved)
        except OSError as problem:
            if problem.errno == errno.EXDEV:
                return "copy"
            if problem.errno not in unknown:
                raise
        else:
            return word
    raise AssertionError("the last way knows no unknown")
