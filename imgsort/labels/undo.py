"""Take moves and words back: of a run, since a time, by a model, of a file or folder.

Moves go back newest first through the journal, one journal row for each, so that an undo can be
undone. Labels are never removed: a word that is taken back gets a row that says so.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo, WorkspaceBusy
from imgsort.filing import recover
from imgsort.filing.errand import Applied, Done, Errand
from imgsort.filing.move_table import MoveCount, PlannedTrip, carried, flows, folder_name
from imgsort.filing.xmp_renewal import renewing
from imgsort.labels.classes import ClassByName, folders_of, remove_if_empty, take_back
from imgsort.labels.undo_rules import (
    Matching,
    Obstacle,
    Stays,
    TakeBack,
    last_thing,
    moves_again,
    moves_back,
    moves_back_again,
    newest_first,
    reroute,
    words_again,
    words_back,
)
from imgsort.reconcile.apply import ReconcileSummary, apply_reconcile
from imgsort.records.class_changes import ClassChange
from imgsort.records.files import Layout
from imgsort.records.history import REDO, UNDO, PictureHistory, Run, standing
from imgsort.records.labels import Retold, combined
from imgsort.store import Store
from imgsort.store.history import MoveFilter
from imgsort.store.layouts import layout_of
from imgsort.store.lookup import Finder, Name, Unmatched
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Selection:
    """Which moves are meant. Conditions that are given must all hold; at least one is."""

    run: int | None = None
    last: bool = False
    """The newest run, other than an undo, of which something still stands."""
    since: datetime | None = None
    model: int | None = None
    path: Path | None = None
    """A file or folder; alone it means what was done last with each picture there."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What an undo would do."""

    seen: ReconcileSummary
    """What humans had moved before."""
    kind: str
    """UNDO, or REDO where an undo itself is taken back."""
    run: Run | None
    """The one run that is meant, if so."""
    takes_back: tuple[TakeBack, ...]
    trips: tuple[PlannedTrip, ...]
    """The same for people."""
    stays: tuple[Stays, ...]
    classes: tuple[ClassChange, ...]
    """What was done to classes, and is taken back first."""
    retold: Mapping[str, Retold]
    """By content: the words that are taken back, or said again where an undo is taken back."""

    def __bool__(self) -> bool:
        """Is there anything to do?"""
        return bool(self.takes_back or self.retold or self.classes)

    @property
    def words(self) -> int:
        """How many words are taken back, or said again."""
        return sum(map(len, self.retold.values()))

    @property
    def unfiles(self) -> int:
        """How many pictures end up in the inbox again."""
        return sum(self.kind == UNDO and one.unfiles for one in self.takes_back)

    def flows(self) -> list[MoveCount]:
        """How many go from where to where, most first."""
        return flows(self.trips)

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "run": None if self.run is None else self.run.id,
            "would_move": len(self.takes_back),
            "classes": [one.back().said() for one in self.classes],
            "labels": self.words,
            "to_inbox": self.unfiles,
            "flows": [flow.as_dict() for flow in self.flows()],
            "stays": [{"path": display(one.path), "reason": one.reason} for one in self.stays],
        }


def plan_undo(workspace: Workspace, store: Store, chosen: Selection) -> Undoing:
    """Learn what humans have moved, then find what can be taken back.

    Raises ImgsortError for a run or path that isn't known, NothingToDo without any move to undo.
    """
    recover(workspace, store)  # what an undo that was killed had begun counts as done
    seen = apply_reconcile(workspace, store, None)
    lying = _lying(workspace, store, chosen.path)
    planner = _Planner(layout_of(workspace, store), store, lying, seen)
    if chosen.last:
        return planner.newest(chosen)
    return planner.of(chosen)


def plan_undo_of(
    workspace: Workspace, store: Store, run_id: int, only: set[int] | None = None
) -> Undoing:
    """What can be taken back of one run, without a look at all folders: only at the files of it.

    ``only``: of these arrivals. Raises ImgsortError for a run that isn't known.
    """
    recover(workspace, store)
    planner = _Planner(layout_of(workspace, store), store, only, ReconcileSummary(), looked=False)
    return planner.of(Selection(run_id))


def apply_undo(workspace: Workspace, store: Store, plan: Undoing) -> Applied:
    """Take back what the plan says, in a run of its own.

    Raises WorkspaceBusy where a daemon would file the pictures again at once, and as ``carried``;
    what is left of the plan then is found again by the same undo.
    """
    if plan.unfiles and (pid := workspace.daemon_pid()) is not None:
        raise WorkspaceBusy(
            f"{plan.unfiles:,} pictures would go back to the inbox, where the running daemon "
            f"(pid {pid}) would file them again at once; stop it, then undo."
        )
    alone = workspace.daemon_lock() if plan.unfiles else nullcontext()
    with alone, renewing(workspace, store):
        run_id = store.runs.begin(plan.kind)
        kept, folders = take_back(workspace, store, run_id, plan.classes)
        plan = replace(plan, takes_back=tuple(reroute(plan.takes_back, folders)))
        moving = {one.picture.sha256 for one in plan.takes_back}
        still = combined(said for sha256, said in plan.retold.items() if sha256 not in moving)
        if still:
            store.journal.record_decided(run_id, (), retold=still)
        applied = Applied(run_id, tuple(_carried(workspace, store, run_id, plan)))
        for one in plan.classes:
            if one.kind == "restored":
                left = folders_of(workspace, layout_of(workspace, store), one.new)
                remove_if_empty(store, ClassByName(one.class_id, one.new), left)
        store.runs.end(
            run_id,
            f"took back the moves of {len(applied.moved)} of {len(plan.takes_back)}, "
            f"{plan.words} words",
        )
    return replace(applied, classes_kept=tuple(kept))


def _carried(workspace: Workspace, store: Store, run_id: int, plan: Undoing) -> Iterator[Done]:
    """One move of each picture a round: each is a row of the journal that can be undone."""
    chains = {one.picture.arrival_id: one for one in plan.takes_back}
    paths = {arrival_id: one.picture.path for arrival_id, one in chains.items()}
    step = 0
    while paths:
        errands = [_errand(chains[one], step, path) for one, path in paths.items()]
        paths = {}
        for done in carried(workspace, store, run_id, errands, retold=plan.retold):
            arrival_id = done.arrival_id
            if done.moved and step + 1 < len(chains[arrival_id].moves):
                paths[arrival_id] = done.path
            else:
                yield done
        step += 1


def _errand(one: TakeBack, step: int, path: Path) -> Errand:
    picture = one.picture
    if picture.identity is None:
        raise ValueError(f"arrival {picture.arrival_id} has landed without an identity")
    wanted = one.moves[step].source
    return Errand(picture.arrival_id, path, picture.identity, picture.sha256, wanted, cause="undo")


@dataclass(frozen=True, slots=True)
class _Planner:
    layout: Layout
    store: Store
    lying: set[int] | None
    """The arrivals that lie at the path that was named; None without one."""
    seen: ReconcileSummary
    looked: bool = True
    """The log knows of every file whether it is there."""

    def newest(self, chosen: Selection) -> Undoing:
        for run_id in self.store.history.runs_that_acted():
            run = self.store.history.run(run_id)
            if run is None or run.kind in {UNDO, REDO}:
                continue
            plan = self.of(replace(chosen, run=run_id, last=False))
            if plan or (plan.stays and not self._was_undone(run_id)):
                return plan
        raise NothingToDo(
            "Nothing is left to be put back; `imgsort why` tells a picture's moves and labels."
        )

    def of(self, chosen: Selection) -> Undoing:
        run = self._run(chosen.run)
        moved = MoveFilter(chosen.run, chosen.since, chosen.model)
        if run is not None and run.kind == UNDO:
            return self._plan(REDO, run, moved, lambda one: _again(one, run.id))
        # A redo made moves stand again that belong to other runs: undoing it means those.
        wanted = Matching(chosen.run, chosen.since, chosen.model)
        if run is not None and run.kind == REDO:
            return self._plan(UNDO, run, moved, lambda one: _redone(one, run.id, wanted))
        if moved == MoveFilter():
            return self._plan(UNDO, run, moved, _last)
        return self._plan(UNDO, run, moved, lambda one: _back(one, wanted))

    def _plan(
        self,
        kind: str,
        run: Run | None,
        moved: MoveFilter,
        judge: Callable[[PictureHistory], "_Judged"],
    ) -> Undoing:
        classes = self._classes(moved)
        judged = [self._with_folder(judge(one), classes) for one in self._pictures(moved)]
        moves = [one.move for one in judged]
        found = newest_first(move for move in moves if isinstance(move, TakeBack))
        held = {one.sha256 for one in judged if one.holds_words}
        retold = {one.sha256: one.retold for one in judged if one.retold and one.sha256 not in held}
        return Undoing(
            seen=self.seen,
            kind=kind,
            run=run,
            takes_back=tuple(found),
            trips=tuple(self._trip(one) for one in found),
            stays=tuple(one for one in moves if isinstance(one, Stays)),
            retold=retold,
            classes=classes,
        )

    def _classes(self, moved: MoveFilter) -> tuple[ClassChange, ...]:
        """None where only some pictures are meant, or a model's moves."""
        if self.lying is not None or moved.model is not None or moved == MoveFilter():
            return ()
        return tuple(self.store.classes.changes(moved.run, moved.since))

    def _pictures(self, moved: MoveFilter) -> list[PictureHistory]:
        if moved == MoveFilter():
            return self.store.history.of(self.lying or ())
        ids = {
            *self.store.history.moved_arrivals(moved),
            *self.store.history.spoken_arrivals(moved),
        }
        wanted = ids if self.lying is None else ids & self.lying
        found = self.store.history.of(wanted)
        return found if self.looked else [_seen_now(one) for one in found]

    def _run(self, run_id: int | None) -> Run | None:
        if run_id is None:
            return None
        run = self.store.history.run(run_id)
        if run is None:
            raise ImgsortError(
                f"There is no run {run_id}; `imgsort why` names the runs of a picture."
            )
        return run

    def _was_undone(self, run_id: int) -> bool:
        moved = MoveFilter(run=run_id)
        pictures = self.store.history.of(self.store.history.moved_arrivals(moved))
        return any(move.run_id == run_id for one in pictures for move in standing(one.moves).undone)

    def _with_folder(self, one: "_Judged", classes: Collection[ClassChange]) -> "_Judged":
        """A class folder that is gone was renamed or removed by a human: it isn't made again, but
        for a class that comes back itself, unless another one has its name by now."""
        if not isinstance(one.move, TakeBack):
            return one
        name = self.layout.place_of(str(one.move.target)).class_name
        if name is not None and name in self._taken(classes):
            return replace(one, move=_stays(one.move, Obstacle.NAME_TAKEN, name))
        back = {change.old for change in classes}
        if name is None or name in back or self._is_there(name, one.move.target):
            return one
        return replace(one, move=_stays(one.move, Obstacle.FOLDER_GONE, name))

    def _is_there(self, name: str, target: Path) -> bool:
        """Where stations come first, the folders of a class come and go with its pictures; those of
        a retired one stay while pictures lie in them."""
        if self.layout.reading is not None and name in self.store.classes.names().values():
            return True
        folder = self.layout.class_folder(str(target))
        return folder is not None and Path(folder).is_dir()

    def _taken(self, classes: Collection[ClassChange]) -> set[str]:
        """The names of those that can't come back, for another class has them."""
        live = self.store.classes.names() if classes else {}
        others = {change.old: set(live) - {change.class_id} for change in classes}
        return {name for name, ids in others.items() if any(live[one] == name for one in ids)}

    def _trip(self, one: TakeBack) -> PlannedTrip:
        path = one.picture.path
        return PlannedTrip(
            folder_name(self.layout, path), folder_name(self.layout, one.target), path
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What becomes of one picture."""

    sha256: str
    move: TakeBack | Stays | None
    retold: Retold

    @property
    def holds_words(self) -> bool:
        """Its file stays because somebody has done something else with it since."""
        return isinstance(self.move, Stays) and self.move.obstacle.keeps_words


def _stays(move: TakeBack, obstacle: Obstacle, class_name: str) -> Stays:
    return Stays(move.picture.path, obstacle, display(class_name))


def _seen_now(picture: PictureHistory) -> PictureHistory:
    return replace(picture, missing=picture.missing or not os.path.lexists(picture.path))


def _back(picture: PictureHistory, wanted: Matching) -> _Judged:
    words = words_back(picture, wanted.word)
    return _Judged(picture.sha256, moves_back(picture, wanted.move, words.taken_back), words)


def _last(picture: PictureHistory) -> _Judged:
    move, word = last_thing(picture)
    words = words_back(picture, word)
    moves = moves_back(picture, move, words.taken_back, only_last=True)
    return _Judged(picture.sha256, None if words and isinstance(moves, Stays) else moves, words)


def _again(picture: PictureHistory, run_id: int) -> _Judged:
    return _Judged(picture.sha256, moves_again(picture, run_id), words_again(picture, run_id))


def _redone(picture: PictureHistory, run_id: int, wanted: Matching) -> _Judged:
    words = words_back(picture, wanted.word)
    return _Judged(picture.sha256, moves_back_again(picture, run_id, words.taken_back), words)


def _lying(workspace: Workspace, store: Store, path: Path | None) -> set[int] | None:
    if path is None:
        return None
    if path.is_dir():
        return {one.arrival_id for one in store.pictures.below(_inside(workspace, path))}
    [found] = Finder(workspace, store, Path.cwd()).find([Name(str(path), "path")])
    if isinstance(found, Unmatched):
        raise ImgsortError(f"{display(path)}: {found.reason}.")
    return {one.arrival_id for one in found.pictures}


def _inside(workspace: Workspace, folder: Path) -> Path:
    """The folder as the log writes it, whatever links lead to the workspace."""
    try:
        return workspace.root / folder.resolve().relative_to(workspace.root.resolve())
    except ValueError:
        return folder.absolute()
