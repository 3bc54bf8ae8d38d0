"""Which moves and words can be taken back, and which must stay because a human has spoken since?

Pure. A word goes back with the moves of its run; of what people did by moving files none does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import takewhile
from pathlib import Path

from imgsort.records.history import REDO, UNDO, Move, PictureHistory, SpokenWord, standing
from imgsort.records.labels import Retold

Wanted = Callable[[Move], bool]
WantedWord = Callable[[SpokenWord], bool]


class Obstacle(Enum):
    """Why a move is not taken back; the value is the sentence for people, for ``about`` what."""

    GONE = "its file is missing"
    IS_COPY = "it is a copy, and its original is still where it came from; remove the copy by hand"
    MOVED_SINCE = "somebody has moved it since"
    LABELLED_SINCE = "somebody has labelled it since"
    MOVED_AGAIN = "it was moved again by run {}; undo that first"
    NAME_TAKEN = "another class is called {} by now"
    FOLDER_GONE = "sorted/{} is gone; make it to put it back"

    @property
    def keeps_words(self) -> bool:
        """Does what was said of the picture stand too?"""
        return self not in {Obstacle.GONE, Obstacle.IS_COPY}


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
    obstacle: Obstacle
    about: str = ""

    @property
    def reason(self) -> str:
        """For people."""
        return self.obstacle.value.format(self.about)


def words_back(picture: PictureHistory, wanted: WantedWord) -> Retold:
    """The ``wanted`` words that can be taken back: the newest that stand."""
    standing_words = [word for word in picture.words if word.stands]
    newest = takewhile(lambda word: not word.by_hand and wanted(word), reversed(standing_words))
    return Retold(taken_back=tuple(sorted(word.id for word in newest)))


def words_again(picture: PictureHistory, run_id: int) -> Retold:
    """What undo run ``run_id`` took back, to be said again, unless somebody has spoken since."""
    last = max((word.id for word in picture.words if word.stands), default=0)
    again = (
        word.id
        for word in picture.words
        if word.taken_back_in == run_id and (word.taken_back or 0) > last
    )
    return Retold(said_again=tuple(again))


def last_thing(picture: PictureHistory) -> tuple[Wanted, WantedWord]:
    """What was done last with one picture: a move, a word, or both by one run."""
    live = standing(picture.moves).live
    words = [word for word in picture.words if word.stands]
    if not words or words[-1].by_hand or (live and _is_later(live[-1], words[-1])):
        return (lambda _: True), (lambda _: False)
    word = words[-1]
    return (lambda move: move.run_id in word.runs), (lambda said: said.id == word.id)


def _is_later(move: Move, word: SpokenWord) -> bool:
    return move.run_id not in word.runs and move.done_at > word.said_at


def moves_back(
    picture: PictureHistory,
    wanted: Wanted,
    words: Collection[int] = (),
    *,
    only_last: bool = False,
) -> TakeBack | Stays | None:
    """What of the ``wanted`` moves of one picture can be undone; None: none of them stands.

    Only the newest moves can: what lies below a move that isn't wanted stays. ``words`` are taken
    back too, and keep nothing where it is.
    """
    live = standing(picture.moves).live
    if not any(wanted(move) for move in live):
        return None
    if not wanted(live[-1]):
        return _moved_again(picture, live[-1])
    chain: list[Move] = []
    for move in reversed(live):
        if not wanted(move):
            break
        obstacle = _obstacle(picture, move, words)
        if obstacle is not None:
            if not chain:
                return Stays(picture.path, obstacle)
            break
        chain.append(move)
        if only_last:
            break
    return TakeBack(picture, tuple(chain))


def moves_again(picture: PictureHistory, run_id: int) -> TakeBack | Stays | None:
    """The moves that undo run ``run_id`` took back, to be made again; None: they have been."""
    if not any(move.run_id == run_id for move in picture.moves):
        return None
    newest = _newest_of(picture, run_id)
    if not newest:
        last = picture.moves[-1]
        redone = last.cause == UNDO and last.run_kind == REDO
        return None if redone else _moved_again(picture, last)
    obstacle = _obstacle(picture, newest[0])
    return Stays(picture.path, obstacle) if obstacle else TakeBack(picture, newest)


def moves_back_again(
    picture: PictureHistory, run_id: int, words: Collection[int] = ()
) -> TakeBack | Stays | None:
    """The moves that redo run ``run_id`` made again, to be taken back once more."""
    newest = _newest_of(picture, run_id)
    live = standing(picture.moves).live
    again = {move.id for move in live[len(live) - len(newest) :]}
    return moves_back(picture, lambda move: move.id in again, words) if newest else None


def _newest_of(picture: PictureHistory, run_id: int) -> tuple[Move, ...]:
    """The picture's last moves, newest first, as long as they are of that run."""
    return tuple(takewhile(lambda move: move.run_id == run_id, reversed(picture.moves)))


@dataclass(frozen=True, slots=True)
class Matching:
    """Moves and words that meet every condition given."""

    run: int | None = None
    since: datetime | None = None
    model: int | None = None

    def move(self, move: Move) -> bool:
        return (
            (self.run is None or move.run_id == self.run)
            and (self.since is None or move.done_at >= self.since)
            and (self.model is None or move.model == self.model)
        )

    def word(self, word: SpokenWord) -> bool:
        return (
            (self.run is None or self.run in word.runs)
            and (self.since is None or word.said_at >= self.since)
            and self.model is None
        )


def reroute(plans: Iterable[TakeBack], folders: Iterable[tuple[Path, Path]]) -> Iterator[TakeBack]:
    """The same after these folders got other names, one after the other."""
    renamed = list(folders)
    for plan in plans:
        moves = [
            replace(move, source=_now(move.source, renamed), target=_now(move.target, renamed))
            for move in plan.moves
        ]
        picture = replace(plan.picture, path=_now(plan.picture.path, renamed))
        yield TakeBack(picture, tuple(moves))


def _now(path: Path, folders: Iterable[tuple[Path, Path]]) -> Path:
    for former, now in folders:
        if former in path.parents:
            path = now / path.relative_to(former)
    return path


def newest_first(plans: Iterable[TakeBack]) -> list[TakeBack]:
    return sorted(plans, key=lambda plan: -plan.first.id)


def _moved_again(picture: PictureHistory, last: Move) -> Stays:
    return Stays(picture.path, Obstacle.MOVED_AGAIN, f"{last.run_id} ({last.run_kind})")


def _obstacle(picture: PictureHistory, move: Move, words: Collection[int] = ()) -> Obstacle | None:
    if picture.missing:
        return Obstacle.GONE
    if picture.path != picture.moves[-1].target:
        return Obstacle.MOVED_SINCE
    if any(_was_said_since(word, move) for word in picture.words if word.id not in words):
        return Obstacle.LABELLED_SINCE
    return Obstacle.IS_COPY if move.mode == "copy" else None


def _was_said_since(word: SpokenWord, move: Move) -> bool:
    return word.stands and word.said_at >= move.done_at and move.run_id not in word.runs
