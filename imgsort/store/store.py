"""``Store``: the database as the rest of imgsort sees it, values in and values out."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, update

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.records.audit_draw import AuditDraw
from imgsort.records.class_changes import ClassChange, ClassStanding
from imgsort.records.files import KnownClass, KnownFile, RenamedClass, TreeChanges
from imgsort.records.history import PictureHistory, Run
from imgsort.records.journal import Decision, Landed, Plan, Planned
from imgsort.records.labels import HumanLabel, NewLabel, Retold
from imgsort.records.pictures import LoggedPicture
from imgsort.records.same_picture import Edit, Lost
from imgsort.records.verdict import Verdict
from imgsort.store import (
    audit_draw,
    classes,
    history,
    journal,
    labels,
    latecomers,
    pictures,
    predictions,
    training,
)
from imgsort.store import (
    decode_attempts as attempts,
)
from imgsort.store import (
    edits as editing,
)
from imgsort.store import (
    files as tree,
)
from imgsort.store import (
    rejoined_files as rejoining,
)
from imgsort.store import (
    renamed_folders as rerouting,
)
from imgsort.store.decisions import record_decided
from imgsort.store.engine import Database
from imgsort.store.paths import Anchor
from imgsort.store.reader import Reader
from imgsort.store.tables import RUNS
from imgsort.store.training import Arrived, Stratum, TrainingRecord

if TYPE_CHECKING:
    from imgsort.records.model_card import ModelCard


NOTHING_RETOLD = Retold()


class Store(Reader):
    """Open with ``Store.open``. Threads may share one; each call is one transaction.

    Besides what a method names, any may raise StoreFull, StoreBusy (both pass by themselves: try
    again later), StoreBroken, or DatabaseProblem when the file turns out to be damaged.
    """

    def __init__(self, database: Database, anchor: Anchor) -> None:
        super().__init__(database, anchor)
        self._tries: dict[Identity, int] | None = None
        self._tries_lock = threading.Lock()

    def integrity(self) -> list[str]:
        """What is wrong with the database file, in SQLite's words; empty when it is sound."""
        return self._database.integrity()

    # Runs, classes and models

    def begin_run(self, kind: str) -> int:
        with self._database.writing() as connection:
            statement = insert(RUNS).values(kind=kind, started_at=_now()).returning(RUNS.c.id)
            return connection.execute(statement).scalar_one()

    def end_run(self, run_id: int, summary: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.id == run_id).values(ended_at=_now(), summary=summary)
            )

    def add_audit(self, draw: AuditDraw) -> None:
        with self._database.writing() as connection:
            audit_draw.record(connection, draw)

    def audit_of(self, run_id: int) -> AuditDraw | None:
        """The draw of this run, if it made one."""
        with self._database.reading() as connection:
            return audit_draw.audit_of(connection, run_id)

    def all_audits(self) -> list[AuditDraw]:
        """Every draw, oldest first."""
        with self._database.reading() as connection:
            return audit_draw.all_audits(connection)

    def ensure_classes(self, names: Iterable[str]) -> dict[str, int]:
        """The ids of these classes, which are made if they don't exist."""
        with self._database.writing() as connection:
            return predictions.ensure_classes(connection, names, _now())

    def class_names(self) -> dict[int, str]:
        """The classes in use, by id: those a model may say and training learns. Not the retired."""
        with self._database.reading() as connection:
            return classes.live(connection)

    def retired_classes(self) -> dict[int, str]:
        """The classes that were given up, by id."""
        with self._database.reading() as connection:
            return classes.retired(connection)

    def class_standings(self, folder: Path) -> list[ClassStanding]:
        """Every class; ``folder`` (absolute) holds the class folders."""
        with self._database.reading() as connection:
            return classes.standings(connection, self._anchor, folder)

    def change_classes(
        self,
        run_id: int | None,
        changes: Sequence[ClassChange],
        undone: Collection[int] = (),
    ) -> None:
        """Retire classes or bring them back; ``undone``: the rows of changes this takes back."""
        with self._database.writing() as connection:
            classes.change(connection, run_id, changes, _now())
            classes.note_undone(connection, undone, _now())

    def rename_class(
        self,
        run_id: int | None,
        renamed: ClassChange,
        folders: tuple[Path, Path],
        undone: Collection[int] = (),
    ) -> None:
        """A class, and its folder (absolute, before and after), go by another name. Hold the filing
        lock."""
        with self._database.writing() as connection:
            tree.rename_folder(connection, self._anchor, *folders)
            named = RenamedClass(renamed.class_id, renamed.old, renamed.new)
            tree.rename_classes(connection, [named])
            classes.change(connection, run_id, [renamed], _now())
            classes.note_undone(connection, undone, _now())

    def class_changes(
        self, run_id: int | None = None, since: datetime | None = None
    ) -> list[ClassChange]:
        """What commands did to classes and nobody has taken back, the newest first."""
        with self._database.reading() as connection:
            return classes.standing_changes(connection, run_id, since)

    def forget_class_folders(self, ids: Collection[int]) -> None:
        """The folders of these classes are gone."""
        with self._database.writing() as connection:
            classes.forget_folders(connection, list(ids))

    def emptied_classes(
        self, gone: Mapping[int, str], folder: Path
    ) -> tuple[dict[int, str], tuple[str, ...]]:
        """Of these classes, whose folders in ``folder`` are gone, by id: those that a person has
        emptied into others; and the names of those that nothing ever was filed as or called."""
        folders = [(number, str(folder / name)) for number, name in gone.items()]
        with self._database.reading() as connection:
            given_up, unused = classes.emptied(connection, self._anchor, folders)
        return {one: gone[one] for one in sorted(given_up)}, tuple(gone[one] for one in unused)

    def retire_emptied(self, names: Mapping[int, str]) -> None:
        """Retire classes whose folders are gone; no command did that, so none undoes it."""
        changes = [ClassChange(one, "retired", name, name) for one, name in names.items()]
        with self._database.writing() as connection:
            classes.change(connection, None, changes, _now())
            classes.forget_folders(connection, list(names))

    def add_model(self, card: "ModelCard") -> None:
        """Make a registry version known, so that predictions can refer to it. May be repeated.

        Raises ModelProblem where another model has had this version's number.
        """
        with self._database.writing() as connection:
            predictions.ensure_model(connection, card)

    def predictions_for(self, sha256s: Collection[str], model: int) -> dict[str, Verdict]:
        """What ``model`` has said before of images with this content; the unknown are left out."""
        with self._database.reading() as connection:
            return predictions.predictions_for(connection, sha256s, model)

    def record_verdicts(self, model: int, verdicts: Mapping[str, Verdict]) -> None:
        """What ``model`` says now of images that are known, by sha256."""
        with self._database.writing() as connection:
            predictions.record_verdicts(connection, model, verdicts, _now())

    # The filing protocol

    def record_decided(
        self,
        run_id: int,
        plans: Sequence[Plan],
        words: Sequence[NewLabel] = (),
        changes: Sequence[ClassChange] = (),
        retold: Retold = NOTHING_RETOLD,
    ) -> list[Planned]:
        """TX1: write a batch down before any of its files moves. The answers keep the order.

        A sidecar plan that names no arrival belongs to the picture planned last before it.
        ``words``: what a human said of these pictures, ``changes`` of classes, and ``retold``: what
        an undo does to words, are written in the same transaction.
        """
        with self._database.writing() as connection:
            now = _now()
            planned = record_decided(connection, self._anchor, run_id, plans, now)
            labels.add_labels(connection, run_id, words, now)
            classes.change(connection, run_id, changes, now)
            labels.retell(connection, run_id, retold, now)
            return planned

    def retarget(self, move_id: int, target: Path) -> None:
        """Aim a planned move at another unused name."""
        with self._database.writing() as connection:
            journal.retarget(connection, self._anchor, move_id, target)

    def mark_landed(self, landed: Sequence[Landed]) -> None:
        """TX2: these files lie at their targets. May be repeated."""
        with self._database.writing() as connection:
            journal.mark_landed(connection, self._anchor, landed)
        if self._tries:  # some may have been forgotten with this
            self._tries = None

    def drop(self, move_ids: Sequence[int]) -> None:
        """These planned moves won't happen: forget them, and arrivals that were only decided."""
        with self._database.writing() as connection:
            journal.drop(connection, move_ids)

    def unfinished(self) -> list[Planned]:
        """Planned moves that nobody has marked landed, oldest first."""
        with self._database.reading() as connection:
            return journal.unfinished(connection, self._anchor)

    def reserved_targets(self) -> set[Path]:
        """Targets of planned moves: names that are taken although no file bears them yet."""
        with self._database.reading() as connection:
            return journal.reserved_targets(connection, self._anchor)

    def known_copies(self, identities: Iterable[Identity]) -> set[Identity]:
        """Which of these inbox files have been copied out before (mode copy)."""
        with self._database.reading() as connection:
            return journal.known_copies(connection, identities)

    def originals(self, sha256s: Collection[str]) -> list[journal.Original]:
        """The inbox files of these contents that have been copied out (mode copy)."""
        with self._database.reading() as connection:
            return journal.originals(connection, sha256s)

    def renew_original(self, arrival_id: int, identity: Identity) -> None:
        """An original that was copied out goes by other numbers now."""
        with self._database.writing() as connection:
            journal.renew_original(connection, arrival_id, identity)

    # decoder.Attempts

    def count(self, identity: Identity) -> int:
        """How often decoding this file has crashed or hung; kept at hand, every image asks."""
        with self._tries_lock:
            if self._tries is None:
                with self._database.reading() as connection:
                    self._tries = attempts.counts(connection)
            return self._tries.get(identity, 0)

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        """Count one more crash or hang; on disk when this returns. Forgotten once it is filed."""
        with self._tries_lock:
            with self._database.writing() as connection:
                stored = self._anchor.stored(path)
                attempts.record(connection, identity, stored, reason, _now())
            self._tries = None

    # Human words

    def add_labels(self, run_id: int | None, new: Sequence[NewLabel]) -> int:
        """Append what a human said, all or nothing; classes are made as needed.

        The answer is how many. Raises ValueError for content that never arrived.
        """
        with self._database.writing() as connection:
            return labels.add_labels(connection, run_id, new, _now())

    def current_labels(self, of: Collection[str] | None = None) -> dict[str, HumanLabel]:
        """The newest word that stands on each content, or on each of these; withdrawals included:
        callers look at ``kind``."""
        with self._database.reading() as connection:
            return labels.current_labels(connection, of)

    def last_word(self) -> int:
        """The number of the newest word; 0 before the first."""
        with self._database.reading() as connection:
            return labels.last_word(connection)

    def spoken_since(self, word: int) -> dict[int, Path]:
        """Arrivals, with their paths, whose pictures are there and of which something was said, or
        taken back, after this word."""
        with self._database.reading() as connection:
            return labels.spoken_since(connection, self._anchor, word)

    def label_history(self, sha256: str) -> list[HumanLabel]:
        """Everything said about one content, oldest first; also what was taken back."""
        with self._database.reading() as connection:
            return labels.label_history(connection, sha256)

    def contested(self) -> dict[str, set[str]]:
        """Contents that humans have called different things -> those classes."""
        with self._database.reading() as connection:
            return labels.contested(connection)

    def copies_called(self) -> list[labels.Copy]:
        """Files of pictures that have several, and a class by a person's word."""
        with self._database.reading() as connection:
            return labels.copies_called(connection, self._anchor)

    # The tree of files

    def known_files(self, ids: Collection[int] | None = None) -> Iterator[KnownFile]:
        """Arrivals whose file has landed, missing ones included; all, or those of these ids."""
        with self._database.reading() as connection:
            yield from tree.known_files(connection, self._anchor, ids)

    def known_places(self, paths: Iterable[str] | None = None) -> Iterator[tuple[str, Identity]]:
        """Absolute path and identity of landed files that aren't missing, which is quick to read;
        all, or those at these paths."""
        with self._database.reading() as connection:
            yield from tree.known_places(connection, self._anchor, paths)

    def known_paths(self, paths: Iterable[str]) -> set[str]:
        """Which of these absolute paths a landed file is known to be at."""
        return {path for path, _ in self.known_places(paths)}

    def has_files_elsewhere(self, folder: Path, device: int) -> bool:
        """Should files lie below this folder that lay on another device than it lies on now?"""
        with self._database.reading() as connection:
            return tree.has_files_elsewhere(connection, self._anchor, folder, device)

    def known_classes(self) -> list[KnownClass]:
        """All classes, retired ones first, with the folder that bore their name last."""
        with self._database.reading() as connection:
            return tree.known_classes(connection)

    def whereabouts(self, sha256s: Collection[str]) -> list[tree.Whereabouts]:
        """Where the landed arrivals of a batch's contents were last."""
        with self._database.reading() as connection:
            return tree.whereabouts(connection, self._anchor, sha256s)

    def resettle(self, folders: Mapping[str, str], paths: Mapping[int, str]) -> None:
        """Picture folders go by other paths (former -> present), and so do files in them, by
        arrival. Hold the filing lock."""
        with self._database.writing() as connection:
            rerouting.resettle(connection, self._anchor, folders, paths)

    def apply_tree(self, run_id: int | None, changes: TreeChanges) -> None:
        """Learn what a look at the folders found, all or nothing. Hold the filing lock."""
        with self._database.writing() as connection:
            tree.apply(connection, self._anchor, run_id, changes, _now())

    def mark_missing(self, ids: Sequence[int]) -> None:
        """The files of these arrivals are gone."""
        with self._database.writing() as connection:
            tree.mark_missing(connection, ids, _now())

    def unexamined(self) -> dict[str, Path]:
        """Contents that were adopted and never opened -> a file of each."""
        with self._database.reading() as connection:
            return tree.unexamined(connection, self._anchor)

    def note_unreadable(self, sha256: str, reason: str) -> None:
        """An adopted file turned out to be no picture."""
        with self._database.writing() as connection:
            tree.note_unreadable(connection, sha256, reason, _now())

    def note_facts(self, sha256: str, facts: ImageFacts) -> None:
        """Complete what is known of a picture that was adopted unopened."""
        with self._database.writing() as connection:
            tree.note_facts(connection, sha256, facts)

    def edits(self, sha256: str) -> list[Edit]:
        """Arrivals with this content whose file had another, which nobody has compared yet."""
        with self._database.reading() as connection:
            return editing.edits(connection, self._anchor, sha256)

    def keep_edit(self, arrival_id: int) -> None:
        """An edited file shows the same picture: what was said of it holds for its new bytes."""
        with self._database.writing() as connection:
            editing.keep(connection, arrival_id)

    def part_edit(self, arrival_id: int, decision: Decision) -> None:
        """An edited file shows another picture: that is new here, and the former is missing."""
        with self._database.writing() as connection:
            editing.part(connection, arrival_id, decision, _now())

    def lost_since(self, since: datetime) -> list[Lost]:
        """Pictures that could be read once, and were found missing after that moment."""
        with self._database.reading() as connection:
            return rejoining.lost_since(connection, self._anchor, since)

    def rejoin(self, lost: int, found: int, moved_to: str | None) -> bool:
        """A lost picture was changed and moved in one go, and is the file that got the arrival
        ``found``; as ``rejoining.rejoin``."""
        with self._database.writing() as connection:
            return rejoining.rejoin(connection, lost, found, moved_to, _now())

    # Training

    def training_records(self) -> dict[str, TrainingRecord]:
        """What is known of every content that was ever labelled, by sha256."""
        with self._database.reading() as connection:
            return training.records(connection, self._anchor)

    def arrived(self) -> dict[Stratum, Arrived]:
        """All that models have judged on arrival, by what they made of it."""
        with self._database.reading() as connection:
            return training.arrived(connection)

    def strata_of_labelled(self) -> dict[str, Stratum]:
        """By sha256, of pictures that somebody has spoken of and a model had judged on arrival."""
        with self._database.reading() as connection:
            return training.strata_of_labelled(connection)

    def pictures_by_ids(self, ids: Collection[int]) -> list[LoggedPicture]:
        with self._database.reading() as connection:
            return pictures.by_ids(connection, self._anchor, ids)

    def pictures_at(self, paths: Collection[Path]) -> list[LoggedPicture]:
        """Pictures whose file was last known at one of these absolute paths."""
        with self._database.reading() as connection:
            return pictures.by_paths(connection, self._anchor, paths)

    def pictures_below(self, folder: Path) -> list[LoggedPicture]:
        """Pictures whose file lies in this folder (absolute), or in one below it."""
        with self._database.reading() as connection:
            return pictures.below(connection, self._anchor, folder)

    def pictures_with(self, sha256s: Collection[str]) -> list[LoggedPicture]:
        """Every file of these contents, newest arrival first."""
        with self._database.reading() as connection:
            return pictures.by_sha256s(connection, self._anchor, sha256s)

    def pictures_with_prefix(self, prefix: str) -> list[LoggedPicture]:
        """``prefix``: the first lower-case hex digits of a SHA-256."""
        with self._database.reading() as connection:
            return pictures.by_prefix(connection, self._anchor, prefix)

    def pictures_named(self, names: Collection[str]) -> list[LoggedPicture]:
        """By original file name, in its display form."""
        with self._database.reading() as connection:
            return pictures.by_names(connection, self._anchor, names)

    def original_names(self) -> list[str]:
        """Those that arrivals had in the inbox, in their display form, each once."""
        with self._database.reading() as connection:
            return pictures.original_names(connection)

    def not_audited(self, decisions: Sequence[str] = ("filed", "unsure")) -> list[int]:
        """Arrivals that an audit may draw: one for each image it has not asked about before."""
        with self._database.reading() as connection:
            return pictures.not_audited(connection, decisions)

    # What was done, and what may be done again

    def unconfirmed(self) -> list[int]:
        """Arrivals filed or unsure of which nobody says now what they are, newest first."""
        with self._database.reading() as connection:
            return history.unconfirmed(connection)

    def moved_arrivals(self, moved: history.MoveFilter) -> list[int]:
        """Arrivals whose file made such a move."""
        with self._database.reading() as connection:
            return history.moved_arrivals(connection, moved)

    def spoken_arrivals(self, moved: history.MoveFilter) -> list[int]:
        """Arrivals of whose content something was said then, other than by moving its file."""
        with self._database.reading() as connection:
            return history.spoken_arrivals(connection, moved)

    def runs_that_acted(self) -> list[int]:
        """Runs with a done move, a word, or a change of classes that stands, newest first."""
        with self._database.reading() as connection:
            acted = history.runs_that_acted(connection)
            return sorted({*acted, *classes.runs_that_changed(connection)}, reverse=True)

    def run(self, run_id: int) -> Run | None:
        """None where there is no such run."""
        with self._database.reading() as connection:
            return history.run(connection, run_id)

    def histories(self, arrival_ids: Collection[int]) -> list[PictureHistory]:
        """Every done move of these arrivals' files, and when humans spoke of them."""
        with self._database.reading() as connection:
            return history.histories(connection, self._anchor, arrival_ids)

    def filed_since(self, subfolders: Collection[bytes], since: datetime) -> list[latecomers.Filed]:
        """Pictures that came out of these folders of the inbox, by way, and are filed."""
        with self._database.reading() as connection:
            return latecomers.filed_since(connection, self._anchor, subfolders, since)


def _now() -> datetime:
    return datetime.now(UTC)
