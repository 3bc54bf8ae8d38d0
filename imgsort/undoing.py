"""Which moves can be taken back, and which must stay because a human has spoken since? Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from imgsort.history import REDO, UNDO, Move, PictureHistory, standing

Wanted = Callable[[Move], bool]

MOVED_SINCE = "somebody has moved it since"
LABELLED_SINCE = "somebody has labelled it since"
GONE = "its file is missing"
A_COPY = "it is a copy, and its original is still where it came from; remove the copy by hand"


@dataclass(frozen=True, slots=True)
class TakeBack:
    """One picture and the moves to take back, newest first, each on its own."""

    picture: PictureHistory
    moves: tuple[Move, ...]

    @property
    def first(self) -> Move:
        """What is taken back first: the file lies where this brought it."""
        return self.moves[0]

    @property
    def unfiles(self) -> bool:
        """It ends up in the inbox again."""
        return self.moves[-1].cause == "file"

    @property
    def target(self) -> Path:
        """Where the picture will be in the end, but for a number if the name is taken."""
        return self.moves[-1].source


@dataclass(frozen=True, slots=True)
class Stays:
    """A picture whose move is not taken back."""

    path: Path
    reason: str


def taken_back(
    picture: PictureHistory, wanted: Wanted, *, only_last: bool = False
) -> TakeBack | Stays | None:
    """What of the ``wanted`` moves of one picture can be undone; None: none of them stands.

    Only the newest moves can: what lies below a move that isn't wanted stays.
    """
    live = standing(picture.moves).live
    if not any(wanted(move) for move in live):
        return None
    if not wanted(live[-1]):
        return Stays(picture.path, _moved_again(live[-1]))
    chain: list[Move] = []
    for move in reversed(live):
        if not wanted(move):
            break
        obstacle = _obstacle(picture, move)
        if obstacle is not None:
            if not chain:
                return Stays(picture.path, obstacle)
            break
        chain.append(move)
        if only_last:
            break
    return TakeBack(picture, tuple(chain))


def brought_again(picture: PictureHistory, run_id: int) -> TakeBack | Stays | None:
    """The moves that undo run ``run_id`` took back, to be made again; None: they have been."""
    if not any(move.run_id == run_id for move in picture.moves):
        return None
    newest = _newest_of(picture, run_id)
    if not newest:
        last = picture.moves[-1]
        redone = last.cause == UNDO and last.run_kind == REDO
        return None if redone else Stays(picture.path, _moved_again(last))
    obstacle = _obstacle(picture, newest[0])
    return Stays(picture.path, obstacle) if obstacle else TakeBack(picture, newest)


def redone(picture: PictureHistory, run_id: int) -> TakeBack | Stays | None:
    """The moves that redo run ``run_id`` made again, to be taken back once more."""
    newest = _newest_of(picture, run_id)
    live = standing(picture.moves).live
    again = {move.id for move in live[len(live) - len(newest) :]}
    return taken_back(picture, lambda move: move.id in again) if newest else None


def _newest_of(picture: PictureHistory, run_id: int) -> tuple[Move, ...]:
    """The picture's last moves, newest first, as long as they are of that run."""
    return tuple(takewhile(lambda move: move.run_id == run_id, reversed(picture.moves)))


def matching(
    run: int | None = None, since: datetime | None = None, model: int | None = None
) -> Wanted:
    """Moves that meet every condition given."""

    def wanted(move: Move) -> bool:
        return (
            (run is None or move.run_id == run)
            and (since is None or move.done_at >= since)
            and (model is None or move.model == model)
        )

    return wanted


def newest_first(found: Sequence[TakeBack]) -> list[TakeBack]:
    return sorted(found, key=lambda one: -one.first.id)


def _moved_again(move: Move) -> str:
    return f"it was moved again by run {move.run_id} ({move.run_kind}); undo that first"


def _obstacle(picture: PictureHistory, move: Move) -> str | None:
    if picture.missing:
        return GONE
    if picture.path != picture.moves[-1].target:
        return MOVED_SINCE
    if any(word.said_at >= move.done_at and word.run_id != move.run_id for word in picture.words):
        return LABELLED_SINCE
    return A_COPY if move.mode == "copy" else None
