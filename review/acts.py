"""Carry out what somebody says on the page, once, and take it back.

All of it happens in one thread (``Desk.write``), with the same functions as the commands have:
``put_labels`` writes the words and moves the files, ``apply_undo`` takes both back. An act is
written in the transaction that writes its words; so a page that asks again, since it got no answer,
is told what became of it.
"""

import errno
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from imgsort.filing import recover
from imgsort.filing.errand import Applied
from imgsort.filing.folders import Folders
from imgsort.filing.refusals import paused
from imgsort.filing.unmounted import unmounted
from imgsort.filing.xmp_renewal import renewing
from imgsort.labels.apply import news, put_labels, twin
from imgsort.labels.named_classes import is_word, own_classes, require_in_use
from imgsort.labels.undo import Undoing, apply_undo, plan_undo_of
from imgsort.records.acts import Act, ActOn, NewAct, Outcome
from imgsort.records.labels import HumanLabel, NewLabel, Source
from imgsort.records.pictures import LoggedPicture
from imgsort.records.rows import SheetRow
from imgsort.review.answers import act_json
from imgsort.review.asked import not_there
from imgsort.review.call_refused import CallRefused
from imgsort.review.spoken import ActAsked, SeenPicture
from imgsort.store import Store
from imgsort.store.history import MoveFilter
from imgsort.workspace.slips import slip
from imgsort.workspace.workspace import Workspace

_UNREADABLE = "it could not be read as a picture, so a label would teach nothing"
_WRITTEN = frozenset({"written", "skipped"})
_SINCE = "somebody has said something else of it since"


@dataclass(frozen=True)
class Acts:
    """Not to be shared by threads."""

    workspace: Workspace
    store: Store

    def do(self, asked: ActAsked) -> dict[str, Any]:
        """Raises CallRefused for a class that there isn't, and as ``put_labels``: then nothing was
        written, and the page may ask again."""
        done = self.store.acts.of(asked.act)
        if done is not None:
            if self.store.journal.unfinished():
                recover(self.workspace, self.store)  # we were killed at it
            return self._told(done, done.pictures, undone=done.undone)
        self._require_classes(asked)
        weighed = _Scales(self.workspace, self.store, asked).weighed()
        labels = [one.label for one in weighed if one.label is not None]
        fresh = _news(labels, {one.seen.sha256: one.holds for one in weighed}, asked)
        repeated = [label for label in labels if label not in fresh]
        new = NewAct(asked.act, asked.said, tuple(one.on for one in weighed), asked.audit)
        if not any(one.outcome in _WRITTEN for one in new.pictures):
            nothing = Act(asked.act, 0, datetime.now(UTC), new.say, new.pictures, new.audit, False)
            return self._told(nothing, new.pictures, undone=False)
        with renewing(self.workspace, self.store):
            run_id = self.store.runs.begin("review")
            applied = put_labels(self.workspace, self.store, run_id, fresh, repeated, new)
            summary = f"{asked.said}: {len(labels)} pictures, {len(applied.moved)} moved"
            self.store.runs.end(run_id, summary)
        return self._told(self._act(asked.act), _with_left(new.pictures, applied), undone=False)

    def take_back(self, act: str) -> dict[str, Any]:
        """Words and files as they were before. Again it changes nothing more."""
        known = self._act(act)
        plan = plan_undo_of(self.workspace, self.store, known.run_id)
        return self._carried_out(known, plan, undone=True)

    def say_again(self, act: str) -> dict[str, Any]:
        """The same words and places after a ``take_back``."""
        known = self._act(act)
        undo = self._undo_of(known)
        if undo is None:
            return self._told(known, known.pictures, undone=known.undone)
        run_id, arrivals = undo
        plan = plan_undo_of(self.workspace, self.store, run_id, arrivals)
        return self._carried_out(known, plan, undone=False)

    def _act(self, act: str) -> Act:
        known = self.store.acts.of(act)
        if known is None:
            raise not_there("such act")
        return known

    def _undo_of(self, known: Act) -> tuple[int, set[int]] | None:
        """The run that took the act back last, and the arrivals it is about."""
        done_in = MoveFilter(run=known.run_id)
        arrivals = {
            *self.store.history.moved_arrivals(done_in),
            *self.store.history.spoken_arrivals(done_in),
        }
        runs = {
            word.taken_back_in
            for one in self.store.history.of(arrivals)
            for word in one.words
            if known.run_id in word.runs and word.taken_back_in is not None
        }
        return (max(runs), arrivals) if runs else None

    def _carried_out(self, known: Act, plan: Undoing, *, undone: bool) -> dict[str, Any]:
        stays = {str(one.path): one.reason for one in plan.stays}
        applied = apply_undo(self.workspace, self.store, plan) if plan else None
        left = {
            one.errand.sha256: one.reason or "" for one in (applied.left if applied else ())
        } | {
            one.sha256: stays[str(one.path)]
            for one in self.store.pictures.at([one.path for one in plan.stays])
        }
        done = [
            replace(one, outcome="left", reason=left[one.sha256]) if one.sha256 in left else one
            for one in known.pictures
        ]
        return self._told(known, done, undone=undone)

    def _told(self, act: Act, pictures: Sequence[ActOn], *, undone: bool) -> dict[str, Any]:
        return act_json(act, pictures, self._rows([one.sha256 for one in pictures]), undone=undone)

    def _rows(self, sha256s: Collection[str]) -> dict[str, SheetRow]:
        newest = self.store.lists.newest_of(sha256s)
        return {row.sha256: row for row in self.store.lists.rows(list(newest.values()))}

    def _require_classes(self, asked: ActAsked) -> None:
        """Refuse a class that is none yet, unless a new one is wanted, or that was given up."""
        names = asked.class_names()
        require_in_use(self.store, names)
        known = set(self.store.classes.names().values())
        for name in sorted(names - known):
            if asked.new_class == "no":
                raise CallRefused(
                    f"There is no class {name} yet; press Shift+Enter to make it.",
                    HTTPStatus.CONFLICT,
                    unknown=True,
                )
            if asked.new_class == "yes" and (other := _like(self.store, name, known)) is not None:
                raise CallRefused(
                    f"There is no class {name}, but there is {other}.",
                    HTTPStatus.CONFLICT,
                    like=other,
                )


def _like(store: Store, name: str, known: set[str]) -> str | None:
    """A class that ``name`` is another spelling of, or a slip for."""
    return twin(name, known) or slip(name, own_classes(store) if is_word(name) else known)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What becomes of one picture of an act."""

    seen: SeenPicture
    on: ActOn
    label: NewLabel | None
    holds: HumanLabel | None
    """What was said of it before."""


@dataclass(frozen=True)
class _Scales:
    """May these pictures be called so: is each the one that was shown, and as it was then?"""

    workspace: Workspace
    store: Store
    asked: ActAsked

    def weighed(self) -> list[_Weighed]:
        wanted = {one.sha256 for one in self.asked.pictures}
        words = self.store.labels.current(wanted)
        files: dict[str, list[LoggedPicture]] = {sha256: [] for sha256 in wanted}
        for picture in self.store.pictures.with_contents(wanted):
            files[picture.sha256].append(picture)
        drawn = self._drawn()
        with Folders(self.workspace.picture_folders) as folders:
            found = []
            for seen in self.asked.pictures:
                holds = words.get(seen.sha256)
                label = self._label(seen)
                if drawn is not None and seen.sha256 not in drawn:
                    raise not_there("such picture in that audit")
                outcome, reason = _outcome(seen, label, holds, files[seen.sha256], folders)
                if outcome in {"gone", "other"}:
                    self._require_mounted(files[seen.sha256])
                on = ActOn(seen.sha256, outcome, reason)
                found.append(_Weighed(seen, on, label if outcome == "written" else None, holds))
        return found

    def _label(self, seen: SeenPicture) -> NewLabel | None:
        asked, kind = self.asked, self.asked.kind
        if kind is None:
            return None
        in_audit = asked.audit is not None
        source: Source = "audit" if in_audit else "review"
        return NewLabel(seen.sha256, kind, asked.class_of(seen), source, representative=in_audit)

    def _require_mounted(self, files: Sequence[LoggedPicture]) -> None:
        """Nothing is called gone because its disk is away. Raises FilingPaused."""
        naked = unmounted(self.workspace.picture_folders[1:], self.store)
        for folder in (above for one in files for above in one.path.parents if above in naked):
            raise paused(folder, OSError(errno.ENOMEDIUM, os.strerror(errno.ENOMEDIUM)))

    def _drawn(self) -> set[str] | None:
        """The contents of the audit; None where these pictures are of none."""
        if self.asked.audit is None:
            return None
        draw = self.store.audits.of(self.asked.audit)
        if draw is None:
            raise not_there("such audit")
        return {one.sha256 for one in self.store.lists.files(draw.arrival_ids)}


def _outcome(
    seen: SeenPicture,
    label: NewLabel | None,
    holds: HumanLabel | None,
    files: Sequence[LoggedPicture],
    folders: Folders,
) -> tuple[Outcome, str | None]:
    if label is None:
        return "skipped", None
    if (holds.id if holds else None) != seen.word and not _says(holds, label):
        return "conflict", _SINCE
    there = [one for one in files if not one.missing and one.identity is not None]
    states = [_lies(one, folders) for one in there]
    if "here" not in states:
        if "other" in states:
            return "other", "another picture lies there now"
        return "gone", "its file is gone"
    if label.kind == "label" and not any(one.readable for one in files):
        return "refused", _UNREADABLE
    return "written", None


def _says(holds: HumanLabel | None, label: NewLabel) -> bool:
    """Is it what was said meanwhile? Then the two agree."""
    return holds is not None and (holds.kind, holds.class_name) == (label.kind, label.class_name)


def _lies(picture: LoggedPicture, folders: Folders) -> str:
    """Is this content still in the file that was logged?"""
    if picture.identity is None:
        return "gone"
    try:
        spot = folders.spot(picture.path)
        found = spot.identity_of(picture.identity, picture.sha256)
    except FileNotFoundError:
        return "gone"
    except OSError:
        return "other"
    return "other" if found is None else "here"


def _news(
    labels: Sequence[NewLabel], holding: Mapping[str, HumanLabel | None], asked: ActAsked
) -> list[NewLabel]:
    """What isn't written down yet; in an audit the question counts as well."""
    current = {sha256: word for sha256, word in holding.items() if word is not None}
    fresh = news(labels, current)
    if asked.audit is None:
        return fresh
    return [one for one in labels if one in fresh or current[one.sha256].source != "audit"]


def _with_left(pictures: Sequence[ActOn], applied: Applied) -> list[ActOn]:
    left = {one.errand.sha256: one.reason for one in applied.left}
    return [
        replace(one, outcome="left", reason=left[one.sha256])
        if one.outcome == "written" and one.sha256 in left
        else one
        for one in pictures
    ]
