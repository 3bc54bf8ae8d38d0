"""Labels in a CSV file, as spreadsheets, scripts and other workspaces write them.

Which column says what is guessed from its heading, or from the cells where there is none, and the
guess is said. Nothing is looked up here: a row is what the file says. A number is the log's own
only where the file shows that it is: every program numbers its rows.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Literal, get_args

from imgsort.errors import BadLabel, ImgsortError
from imgsort.images import ALL_SUFFIXES
from imgsort.records.labels import LabelKind
from imgsort.records.log import original
from imgsort.store.lookup import Name
from imgsort.workspace.class_names import checked_label

Meaning = Literal["sha256", "id", "path", "name", "label", "kind", "representative", "labelled_at"]

_HEADINGS: Mapping[Meaning, tuple[str, ...]] = {
    # In order of preference: `log --format csv` has human_label beside the model's label.
    "label": ("humanlabel", "label", "class", "classname", "category", "target", "tag", "truth"),
    "sha256": ("sha256", "hash", "checksum", "digest"),
    "id": ("arrivalid", "arrival"),
    "path": ("path", "filepath", "filename", "file", "image", "imagepath", "picture", "photo"),
    "name": ("name", "originalname", "imagename"),
    "kind": ("kind",),
    "representative": ("representative",),
    "labelled_at": ("labelledat", "labeledat"),
}
_KEYS: tuple[Literal["sha256", "id", "path", "name"], ...] = ("sha256", "id", "path", "name")
_OF_THE_LOG = frozenset({"humanlabel", "arrivedat", "predictedat", "filedat", "iscorrect"})
"""Headings of `log --format csv`. With two of them a column "id" has its numbers; any other may be
another program's, so there it can only be a file's name."""
_DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 50
_YES, _NO = frozenset({"1", "true", "yes"}), frozenset({"", "0", "false", "no"})
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_EXAMPLE = "add a first line such as path,label"


class BadLabelFile(ImgsortError):
    """The CSV file can't be used; give it a first line such as path,label."""


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One row that says something."""

    line: int
    """In the file, from 1; a spreadsheet's row number where no cell has a line break."""
    picture: Name
    kind: LabelKind
    class_name: str | None
    representative: bool | None
    """None where the file doesn't say."""
    labelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """One row that can't be used; ``reason`` is part of a sentence."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file of labels, read but not looked up."""

    lines: tuple[LabelLine, ...]
    bad: tuple[BadLine, ...]
    blank: int
    """Rows without a label."""
    columns: Mapping[Meaning, str]
    """What was taken for what: heading or "column 2"."""

    def said(self) -> str:
        """The guess, for a person."""
        pairs = [f"{column!r} as {meaning}" for meaning, column in self.columns.items()]
        return f"Read {', '.join(pairs)}."


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


def read_labels(path: Path) -> LabelFile:
    """Raises BadLabelFile when the file as a whole makes no sense; one row never does that."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise BadLabelFile(
            f"{path} can't be read ({problem.strerror}); name a CSV file of labels."
        ) from None
    return parse_labels(data, str(path))


def parse_labels(data: bytes, source: str) -> LabelFile:
    """``source`` is what to call the file."""
    rows = _rows(_text(data, source), source)
    if not rows:
        raise BadLabelFile(f"{source} is empty; {_EXAMPLE}.")
    headings = _by_heading(rows[0].cells)
    if headings is None:
        columns = _by_content(rows, source)
        names = {meaning: f"column {index + 1}" for meaning, index in columns.items()}
    else:
        columns = _complete(headings, rows[0].cells, source)
        names = {meaning: rows[0].cells[index].strip() for meaning, index in columns.items()}
        rows = rows[1:]
    lines, bad, blank = [], [], 0
    for row in rows:
        read = _read(row, columns)
        if read is None:
            blank += 1
        elif isinstance(read, BadLine):
            bad.append(read)
        else:
            lines.append(read)
    return LabelFile(tuple(lines), tuple(bad), blank, names)


def _text(data: bytes, source: str) -> str:
    """UTF-8, UTF-16 with its mark, or what Western Windows writes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadLabelFile(f"{source} is no text; save it as CSV (UTF-8).")


def _rows(text: str, source: str) -> list[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    rows, start = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_Row(start, [original(cell) for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as problem:
        raise BadLabelFile(
            f"{source} is no CSV at line {reader.line_num} ({problem}); save it as CSV again."
        ) from None
    return rows


def _delimiter(text: str) -> str:
    """The one that cuts most of the first lines into the same number of cells, two or more."""

    def agreement(delimiter: str) -> int:
        sample = "\n".join(text.splitlines()[:_LOOKED_AT])
        try:
            rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
        except csv.Error:
            return 0
        widths = Counter(len(row) for row in rows if len(row) > 1)
        return max(widths.values(), default=0)

    return max(_DELIMITERS, key=agreement)  # the first of equals


def _by_heading(cells: Sequence[str]) -> dict[Meaning, int] | None:
    """Which column says what, by its heading; None if this is no line of headings."""
    plain = [re.sub(r"[^a-z0-9]", "", cell.casefold()) for cell in cells]
    found: dict[Meaning, int] = {}
    for meaning, spellings in _HEADINGS.items():
        place = next((plain.index(one) for one in spellings if one in plain), None)
        if place is not None:
            found[meaning] = place
    if "id" in plain and "id" not in found:
        if len(_OF_THE_LOG.intersection(plain)) > 1:
            found["id"] = plain.index("id")
        elif not {"sha256", "path", "name"} & found.keys():
            found["path"] = plain.index("id")
    if "label" in found or len(found) > 1:
        return found
    return None


def _complete(found: dict[Meaning, int], cells: Sequence[str], source: str) -> dict[Meaning, int]:
    if "label" not in found:
        raise BadLabelFile(
            f"{source} has no column for the class (found {', '.join(cells)}); call it label."
        )
    if not any(key in found for key in _KEYS):
        raise BadLabelFile(
            f"{source} has no column that tells the picture (found {', '.join(cells)}); call it "
            f"path, name, arrival_id or sha256."
        )
    return found


def _by_content(rows: Sequence[_Row], source: str) -> dict[Meaning, int]:
    """Without headings: the column of pictures' names, and the one other column."""
    width = max(len(row.cells) for row in rows)
    if width != len(("picture", "label")):
        raise BadLabelFile(
            f"{source} has {width} column{'s' * (width != 1)} and no headings; {_EXAMPLE}."
        )
    sample = rows[:_LOOKED_AT]
    named = [sum(_looks_named(row.cells, column) for row in sample) for column in range(width)]
    if named[0] == named[1]:
        raise BadLabelFile(f"{source} doesn't show which column is the picture; {_EXAMPLE}.")
    picture = named.index(max(named))
    return {"path": picture, "label": 1 - picture}


def _looks_named(cells: Sequence[str], column: int) -> bool:
    text = cells[column].strip() if column < len(cells) else ""
    return bool(
        PurePath(text).suffix.lower() in ALL_SUFFIXES
        or _SHA256.fullmatch(text)
        or text.isdigit()
        or "/" in text
    )


def _read(row: _Row, columns: Mapping[Meaning, int]) -> LabelLine | BadLine | None:
    """None for a row that gives no label."""

    def cell(meaning: Meaning) -> str:
        place = columns.get(meaning, len(row.cells))
        return row.cells[place] if place < len(row.cells) else ""

    label, kind = cell("label").strip(), cell("kind").strip() or "label"
    if not label and kind == "label":
        return None
    told = [key for key in _KEYS if cell(key).strip()]
    if told[1:] and told[0] == "sha256" and not _SHA256.fullmatch(cell("sha256").strip()):
        told = told[1:]  # a "hash" of another kind
    key = told[0] if told else None
    if key is None:
        return BadLine(row.line, label, "it names no picture")
    text = cell(key) if key in {"path", "name"} else cell(key).strip()
    yes = cell("representative").strip().lower()
    try:
        return LabelLine(
            line=row.line,
            # A column called "file" may hold names or hashes as well.
            picture=Name(text, "file" if key == "path" else key),
            kind=_kind(kind),
            class_name=checked_label(label) if kind == "label" else None,
            representative=_truth(yes) if "representative" in columns else None,
            labelled_at=_moment(cell("labelled_at").strip()),
        )
    except BadLabel as problem:
        return BadLine(row.line, text, str(problem).rstrip("."))
    except ValueError as problem:
        return BadLine(row.line, text, str(problem))


def _kind(text: str) -> LabelKind:
    for kind in get_args(LabelKind):
        if text == kind:
            return kind  # type: ignore[no-any-return]
    raise ValueError(f"{text!r} is no kind; use {', '.join(get_args(LabelKind))}")


def _truth(text: str) -> bool:
    if text not in _YES | _NO:
        raise ValueError(f"representative is {text!r}; use 1 or 0")
    return text in _YES


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"labelled_at is {text!r}; use ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
