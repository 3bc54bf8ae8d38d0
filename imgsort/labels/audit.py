"""Draw an audit, lay it out for a person, take the answers back."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo, WorkspaceProblem
from imgsort.labels.accuracy import Answer, draw
from imgsort.labels.csv_read import read_labels
from imgsort.records.audit_draw import AuditDraw
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.records.log import harmless
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.template import fitted
from imgsort.workspace.workspace import Workspace

LIST_NAME = "audit.csv"
LIST_COLUMNS = (
    "number",
    "id",
    "sha256",
    "name",
    "path",
    "guess",
    "confidence",
    "decision",
    "label",
)
YES = frozenset({"y", "yes", "right"})
_LINK = re.compile(r"(\d+)_.")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture of an audit."""

    picture: LoggedPicture
    known: str | None
    """What a person has called it before; that counts, it isn't asked again."""

    def answer(self, truth: str) -> Answer:
        picture = self.picture
        filed = picture.decision == "filed"
        return Answer(picture.sha256, truth, picture.guess, filed, picture.model)


@dataclass(frozen=True, slots=True)
class Audit:
    """A draw and its pictures."""

    run_id: int
    seed: int
    candidates: int
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back of a list."""

    answers: tuple[Answer, ...]
    skipped: int
    troubles: tuple[str, ...] = ()
    """Rows or links that can't be used, each a sentence."""


def label_of(answer: Answer) -> NewLabel:
    return NewLabel(answer.sha256, "label", answer.truth, "audit", representative=True)


def unsaid(store: Store, answers: Iterable[Answer]) -> list[NewLabel]:
    """What isn't written down yet: a list that comes back twice says nothing the second time."""
    labels = [label_of(one) for one in answers]
    current = store.labels.current({one.sha256 for one in labels})
    return [one for one in labels if not _same(one, current.get(one.sha256))]


def _same(label: NewLabel, before: HumanLabel | None) -> bool:
    # The source counts: what was confirmed before is audited only now.
    return before is not None and (label.kind, label.class_name, label.source) == (
        before.kind,
        before.class_name,
        before.source,
    )


def draw_audit(store: Store, run_id: int, number: int, seed: int, *, unsure: bool = False) -> Audit:
    """Draw and record it, of everything or of what went to unsure/.

    Raises NothingToDo if there is nothing left to draw.
    """
    candidates = store.pictures.not_audited(("unsure",) if unsure else ("filed", "unsure"))
    if not candidates and unsure:
        raise NothingToDo(
            "There is no picture to draw: none went to unsure/, or an audit has asked about each; "
            "leave out --unsure to draw from all."
        )
    if not candidates:
        raise NothingToDo(
            "There is no picture to draw: none was filed yet, or an audit has asked about each; "
            "let `imgsort run` file some."
        )
    ids = draw(candidates, number, seed)
    store.audits.add(AuditDraw(run_id, seed, len(candidates), tuple(ids)))
    return Audit(run_id, seed, len(candidates), _drawn(store, ids))


def _drawn(store: Store, ids: Sequence[int]) -> tuple[Drawn, ...]:
    pictures = {one.arrival_id: one for one in store.pictures.by_ids(ids)}
    current = store.labels.current({one.sha256 for one in pictures.values()})
    return tuple(
        Drawn(pictures[one], _class_name(current.get(pictures[one].sha256)))
        for one in ids
        if one in pictures
    )


def _class_name(label: HumanLabel | None) -> str | None:
    return label.class_name if label is not None else None


def lay_out(workspace: Workspace, audit: Audit) -> Path:
    """A folder of links, one folder a class, and the same as audit.csv; returns the folder."""
    folder = workspace.root / f"audit-{audit.run_id}"
    try:
        folder.mkdir()
        for one in audit.drawn:
            place = folder / (one.known or one.picture.guess or "")
            place.mkdir(exist_ok=True)
            name = f"{one.picture.arrival_id}_{one.picture.path.name}"  # the id leads to the log
            (place / fitted(name)).symlink_to(one.picture.path)
        with (folder / LIST_NAME).open("w", encoding="utf-8", newline="") as file:
            _write_list(file, audit)
    except OSError as problem:
        raise WorkspaceProblem(
            f"{folder} can't be made ({problem.strerror}); correct the mode of {workspace.root}, "
            f"or leave out --links."
        ) from None
    return folder


def _write_list(file: "Iterable[str]", audit: Audit) -> None:
    writer = csv.writer(file)  # type: ignore[arg-type]
    writer.writerow(LIST_COLUMNS)
    for number, one in enumerate(audit.drawn, 1):
        picture = one.picture
        writer.writerow(
            (
                number,
                picture.arrival_id,
                picture.sha256,
                harmless(display(picture.name)),
                harmless(display(picture.path)),
                harmless(picture.guess or ""),
                "" if picture.confidence is None else f"{picture.confidence:.2f}",
                picture.decision,
                harmless(one.known or ""),
            )
        )


def clear(folder: Path) -> bool:
    """Remove an audit's links and list once they are recorded; whatever else lies there stays.

    True if the folder is gone with them.
    """
    try:
        for place in (one for one in folder.iterdir() if one.is_dir() and not one.is_symlink()):
            for link in place.iterdir():
                if link.is_symlink() and _LINK.match(link.name):
                    link.unlink()
            if not any(place.iterdir()):
                place.rmdir()
        if [one.name for one in folder.iterdir()] != [LIST_NAME]:
            return False
        (folder / LIST_NAME).unlink()
        folder.rmdir()
    except OSError:
        return False
    return True


def is_audit_folder(folder: Path) -> bool:
    return folder.is_dir() and (folder / LIST_NAME).is_file() and bool(_run_of(folder))


def _run_of(folder: Path) -> int | None:
    found = re.fullmatch(r"audit-(\d+)", folder.name)
    return int(found[1]) if found else None


def answers_from_links(store: Store, folder: Path) -> Answers:
    """Each link's folder is the answer; a link that was removed, or lies in none, is skipped.

    A picture that was itself moved to another class counts as that, unless its link says more.
    """
    run_id = _run_of(folder)
    audit = store.audits.of(run_id) if run_id is not None else None
    if audit is None:
        raise ImgsortError(
            f"{folder} is no audit of this workspace; draw one with `imgsort audit --links`."
        )
    drawn = {one.picture.arrival_id: one for one in _drawn(store, audit.arrival_ids)}
    answers, troubles = {}, []
    for place in sorted(folder.iterdir()):
        if not place.is_dir() or place.is_symlink():
            continue
        try:
            truth = checked_label(place.name)
        except ImgsortError as problem:
            troubles.append(str(problem))
            continue
        for link in place.iterdir():
            number = _LINK.match(link.name)
            one = drawn.get(int(number[1])) if number else None
            if one is None:
                troubles.append(f"{display(link.name)} was not drawn in {folder.name}.")
                continue
            answers[one.picture.arrival_id] = one.answer(_truth(one, truth))
    return Answers(tuple(answers.values()), len(drawn) - len(answers), tuple(troubles))


def _truth(one: Drawn, link_says: str) -> str:
    untouched = link_says == one.picture.guess
    return one.known if untouched and one.known is not None else link_says


def answers_from_csv(store: Store, path: Path) -> Answers:
    """The list that ``lay_out`` wrote, its column ``label`` filled in: a class, or y for right."""
    listed = read_labels(path)
    recorded = {one for audit in store.audits.all() for one in audit.arrival_ids}
    by_content = {one.picture.sha256: one for one in _drawn(store, sorted(recorded))}
    classes = set(store.classes.names().values())
    answers: dict[str, Answer] = {}
    troubles = [f"Line {bad.line} ({bad.text}): {bad.reason}." for bad in listed.bad]
    for line in listed.lines:
        one, said = by_content.get(line.picture.text.lower()), line.class_name or ""
        if one is None:
            troubles.append(
                f"Line {line.line} ({line.picture.text}): no audit of this workspace drew it."
            )
            continue
        means_yes = said.lower() in YES and said not in classes
        truth = one.picture.guess if means_yes else said
        if not truth:
            troubles.append(f"Line {line.line} ({line.picture.text}): the model had no guess.")
            continue
        answers[one.picture.sha256] = one.answer(truth)
    return Answers(tuple(answers.values()), listed.blank, tuple(troubles))
