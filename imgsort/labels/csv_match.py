"""The lines of a label file against what is known: which can be carried out? Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from imgsort.labels.csv_read import BadLine, LabelLine
from imgsort.records.labels import HumanLabel, NewLabel
from imgsort.store.lookup import Meant, Unmatched

_Weight = Literal["news", "already", "outdated", "conflict"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that contradicts what a person has said before, here or on another line."""

    line: int
    text: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Matched:
    """What a label file comes to in this workspace."""

    labels: tuple[NewLabel, ...]
    already: int
    """Lines that say what is known."""
    outdated: int
    """Lines that give way to a newer word of this workspace."""
    unmatched: tuple[BadLine, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class MatchRules:
    """How to take the lines of a file. ``newest_wins``: contradictions go by time."""

    newest_wins: bool = False
    representative: bool = False
    """What to assume where the file doesn't say."""


def match(
    lines: Sequence[LabelLine],
    found: Sequence[Meant | Unmatched],
    current: Mapping[str, HumanLabel],
    rules: MatchRules,
) -> Matched:
    """``found``: what each line's picture is."""
    chosen: dict[str, LabelLine] = {}
    unmatched, conflicts = [], []
    for line, meant in zip(lines, found, strict=True):
        if isinstance(meant, Unmatched):
            unmatched.append(BadLine(line.line, meant.text, meant.reason))
        elif line.kind == "label" and not any(one.readable for one in meant.pictures):
            reason = "it could not be read as a picture"
            unmatched.append(BadLine(line.line, line.picture.text, reason))
        elif (rival := chosen.get(meant.sha256)) is None or _later(line, rival, rules):
            chosen[meant.sha256] = line
        elif _word(rival) != _word(line) and not _later(rival, line, rules):
            conflicts.append(_conflict(line, f"line {rival.line} says {_word(rival)}"))
    weighed = Counter[_Weight]()
    labels = []
    for sha256, line in chosen.items():
        label, before = _label(sha256, line, rules), current.get(sha256)
        weight = _weigh(label, line, before, rules)
        weighed[weight] += 1
        if weight == "news":
            labels.append(label)
        elif weight == "conflict" and before is not None:
            conflicts.append(_conflict(line, f"you said {_said(before)} here"))
    return Matched(
        tuple(labels), weighed["already"], weighed["outdated"], tuple(unmatched), tuple(conflicts)
    )


def _weigh(
    label: NewLabel, line: LabelLine, before: HumanLabel | None, rules: MatchRules
) -> _Weight:
    """Does this line add to what was said of its picture before?"""
    if before is None:
        return "news"
    if _said(before) == _word(line):
        return "news" if label.representative and not before.representative else "already"
    if before.kind != "label":
        return "news"
    if not rules.newest_wins:
        return "conflict"
    older = line.labelled_at is not None and line.labelled_at <= before.labelled_at
    return "outdated" if older else "news"


def _later(line: LabelLine, rival: LabelLine, rules: MatchRules) -> bool:
    if not rules.newest_wins or line.labelled_at is None or rival.labelled_at is None:
        return False
    return line.labelled_at > rival.labelled_at


def _label(sha256: str, line: LabelLine, rules: MatchRules) -> NewLabel:
    said = line.representative
    drawn = line.kind == "label" and (rules.representative if said is None else said)
    return NewLabel(sha256, line.kind, line.class_name, "csv", drawn)


def _conflict(line: LabelLine, other: str) -> Conflict:
    return Conflict(line.line, line.picture.text, other, _word(line))


def _word(line: LabelLine) -> str:
    return line.class_name or line.kind.replace("_", " ")


def _said(label: HumanLabel) -> str:
    return label.class_name or label.kind.replace("_", " ")
