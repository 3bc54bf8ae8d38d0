"""Which moves and words can be taken back, and which must stay because a human has spoken since?

Pure. A word goes back with the moves of its run; of what people did by moving files none does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from imgsort.records.history import REDO, UNDO, Move, PictureHistory, SpokenWord, standing
from imgsort.records.labels import Retold

Wanted = Callable[[Move], bool]
WantedWord = Callable[[SpokenWord], bool]

MOVED_SINCE = "somebody has moved it since"
LABELLED_SINCE = "somebody has labelled it since"
GONE = "its file is missing"
A_COPY = "it is a copy, and its original is still where it came from; remove the copy by hand"
WORD_GOES = frozenset({GONE, A_COPY})
"""Reasons for which a file stays that don't keep what was said of it."""


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
    return (lambda move: move.run_id in word.runs), (lambda one: one.id == word.id)


def _is_later(move: Move, word: SpokenWord) -> bool:
    return move.run_id not in word.runs and move.done_at > word.said_at


def taken_back(
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
        return Stays(picture.path, _moved_again(live[-1]))
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


def redone(
    picture: PictureHistory, run_id: int, words: Collection[int] = ()
) -> TakeBack | Stays | None:
    """The moves that redo run ``run_id`` made again, to be taken back once more."""
    newest = _newest_of(picture, run_id)
    live = standing(picture.moves).live
    again = {move.id for move in live[len(live) - len(newest) :]}
    return taken_back(picture, lambda move: move.id in again, words) if newest else None


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


def rerouted(found: Iterable[TakeBack], folders: Iterable[tuple[Path, Path]]) -> Iterator[TakeBack]:
    """The same after these folders got other names, one after the other."""
    renamed = list(folders)
    for one in found:
        moves = [
            replace(move, source=_now(move.source, renamed), target=_now(move.target, renamed))
            for move in one.moves
        ]
        picture = replace(one.picture, path=_now(one.picture.path, renamed))
        yield TakeBack(picture, tuple(moves))


def _now(path: Path, folders: Iterable[tuple[Path, Path]]) -> Path:
    for former, now in folders:
        if former in path.parents:
            path = now / path.relative_to(former)
    return path


def newest_first(found: Sequence[TakeBack]) -> list[TakeBack]:
    return sorted(found, key=lambda one: -one.first.id)


def _moved_again(move: Move) -> str:
    return f"it was moved again by run {move.run_id} ({move.run_kind}); undo that first"


def _obstacle(picture: PictureHistory, move: Move, words: Collection[int] = ()) -> str | None:
    if picture.missing:
        return GONE
    if picture.path != picture.moves[-1].target:
        return MOVED_SINCE
    if any(_was_said_since(word, move) for word in picture.words if word.id not in words):
        return LABELLED_SINCE
    return A_COPY if move.mode == "copy" else None


def _was_said_since(word: SpokenWord, move: Move) -> bool:
    return word.stands and word.said_at >= move.done_at and move.run_id not in word.runs
