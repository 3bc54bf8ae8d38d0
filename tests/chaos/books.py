"""Double-entry books of a workspace: what was dropped into it against what its folders and its log
hold. Nothing of imgsort is used to keep them."""

import hashlib
import io
import os
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgsort.workspace.workspace import Workspace
from tests.chaos.ledger import Harm

_SEEDS = count(1)


@dataclass
class Books:
    """``dropped``: how often each content must be there, by SHA-256."""

    workspace: Workspace
    dropped: Counter[str] = field(default_factory=Counter)
    labels: int = 0
    """Words that people said."""

    def drop(self, number: int, *, synced: bool = True) -> list[Path]:
        """New pictures in the inbox, each unlike all others; the names come again."""
        return [self.put(f"picture_{one}.png", picture(), synced=synced) for one in range(number)]

    def put(self, name: str, content: bytes, *, synced: bool = True) -> Path:
        """One file in the inbox; ``synced``: as a producer leaves it who cares for its work."""
        path = self.workspace.inbox / name
        while path.exists():
            path = path.with_stem(f"{path.stem}_again")
        with path.open("wb") as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        self.dropped[hashlib.sha256(content).hexdigest()] += 1
        return path

    def harm(self) -> Harm:
        """After a run that had nothing in its way. In mode copy the inbox isn't counted."""
        tree = self._tree()
        there = Counter(tree.values())
        if self.workspace.config.filing.mode == "move":
            there += Counter(_contents(self.workspace.inbox).values())
        rows = self._rows()
        return Harm(
            (self.dropped - there).total(),
            (there - self.dropped).total(),
            len(set(rows) ^ set(tree.items())) + len(rows) - len(set(rows)) + self._open_entries(),
        )

    def waiting(self) -> int:
        """Pictures in the inbox."""
        return sum(
            path.is_file() and not path.name.startswith(".part-")
            for path in self.workspace.inbox.rglob("*")
        )

    def _tree(self) -> dict[Path, str]:
        tree: dict[Path, str] = {}
        for folder in self.workspace.picture_folders[1:]:
            tree |= _contents(folder)
        return tree

    def _rows(self) -> list[tuple[Path, str]]:
        found = self._asked(
            "SELECT path_bytes, sha256 FROM arrivals JOIN images ON images.id = image_id"
            " WHERE state = 'filed' AND missing_at IS NULL"
        )
        return [(self.workspace.root / os.fsdecode(path), sha256) for path, sha256 in found]

    def _open_entries(self) -> int:
        [[moves, arrivals, labels]] = self._asked(
            "SELECT (SELECT count(*) FROM moves WHERE state = 'planned'),"
            " (SELECT count(*) FROM arrivals WHERE state = 'decided'),"
            " (SELECT count(*) FROM labels)"
        )
        return int(moves + arrivals + abs(labels - self.labels)) + self._miscounted()

    def _miscounted(self) -> int:
        """Kinds of arrivals of which `status` would tell another number than there are."""
        told = self._asked("SELECT decision, class_id, arrivals FROM arrival_counts WHERE arrivals")
        there = self._asked(
            "SELECT decision, coalesce(class_id, 0), count(*) FROM arrivals"
            " WHERE state = 'filed' GROUP BY 1, 2"
        )
        return len(set(told) ^ set(there))

    def _asked(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.workspace.database)) as log:
            assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return log.execute(question).fetchall()


def picture() -> bytes:
    """A PNG of noise that was never there before."""
    noise = np.random.default_rng([os.getpid(), next(_SEEDS)]).integers(0, 256, (24, 24, 3))
    buffer = io.BytesIO()
    Image.fromarray(noise.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _contents(folder: Path) -> dict[Path, str]:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".part-")
    }
