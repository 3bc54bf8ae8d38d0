"""What imgsort has done with a picture, move by move, and which of it still stands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imgsort.disk.identity import Identity
from imgsort.records.journal import Cause, Mode

UNDO = "undo"
REDO = "redo"
"""Kinds of runs whose moves have the cause ``undo``: the second takes back moves of the first."""


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation that moved or labelled pictures."""

    id: int
    kind: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A move of the journal that is done. Paths are absolute."""

    id: int
    run_id: int
    run_kind: str
    cause: Cause
    mode: Mode
    model: int | None
    """Whose verdict it carried out; None where no model was asked."""
    source: Path
    target: Path
    done_at: datetime

    @property
    def said(self) -> str:
        """Why it was made, for people: ``refile, model v2``."""
        cause = self.run_kind if self.cause == UNDO else self.cause
        return cause if self.model is None else f"{cause}, model v{self.model}"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """That a human said something about the picture."""

    id: int
    runs: frozenset[int]
    """The run it was said in, and if an undo brought it again, the one it was first said in."""
    by_hand: bool
    """A moved file said it: what people did with their files is theirs to put back."""
    said_at: datetime
    taken_back: int | None
    """The id of the retraction; None for a word that stands."""
    taken_back_in: int | None
    """The run of the retraction."""

    @property
    def stands(self) -> bool:
        return self.taken_back is None


@dataclass(frozen=True, slots=True)
class PictureHistory:
    """One arrival with every done move of its file, and when humans spoke of its content."""

    arrival_id: int
    sha256: str
    path: Path
    """Where the file was last known to be."""
    identity: Identity | None
    missing: bool
    moves: tuple[Move, ...]
    """Oldest first."""
    words: tuple[SpokenWord, ...]
    """About its content, oldest first; retractions are no words."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The moves of one picture, sorted by whether they still hold."""

    live: tuple[Move, ...]
    """Oldest first; the last one explains where the file is."""
    undone: tuple[Move, ...]
    """Those that an undo took back and a redo may bring again; the last one first."""


def standing(moves: Sequence[Move]) -> Standing:
    """Play the moves through, oldest first: an undo takes back one move, a redo brings it again."""
    live: list[Move] = []
    undone: list[Move] = []
    for move in moves:
        if move.cause != UNDO:
            live.append(move)
            undone.clear()
        elif move.run_kind == REDO and undone:
            live.append(undone.pop())
        elif live:
            undone.append(live.pop())
    return Standing(tuple(live), tuple(reversed(undone)))
