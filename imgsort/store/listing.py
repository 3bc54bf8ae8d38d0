"""Arrivals by the hundred thousand, as bare ids in the order in which somebody looks at them.

Every function takes an open connection: the caller owns the transaction.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, gt, lt
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    UnaryExpression,
    bindparam,
    cast,
    false,
    func,
    or_,
    select,
)

from imgsort.records.rows import FileState, SheetRow
from imgsort.store.chunks import parts
from imgsort.store.paths import Anchor
from imgsort.store.standing_labels import answered, newest_labels, stands
from imgsort.store.tables import ARRIVALS, CLASSES, IMAGES, LABELS
from imgsort.store.topic import Topic, reading, reading_paths

Order = Literal["unsure_first", "sure_first", "newest", "oldest", "name"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which arrivals; conditions that are given must all hold. Files that are gone never do."""

    folders: tuple[Path, ...] | None = None
    """Absolute: those whose file lies below one of them; None: anywhere."""
    said: bool | None = None
    """Of which somebody has said something, if only that it is none of the classes; or nobody."""
    model: int | None = None
    name: str | None = None
    """A part of the name it came with."""
    since: datetime | None = None
    until: datetime | None = None
    above: float | None = None
    below: float | None = None
    class_id: int | None = None
    """The model's best guess, or what somebody calls it."""
    after: int | None = None
    """Only arrivals with a greater id."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """Where the file of an arrival lies, and what it holds."""

    arrival_id: int
    sha256: str
    path: str
    """Absolute."""


def ids(connection: Connection, anchor: Anchor, wanted: Wanted, order: Order) -> "array[int]":
    """In this order; of what is alike in it the newest first."""
    statement = select(ARRIVALS.c.id).where(*_conditions(anchor, wanted)).order_by(*_order(order))
    return gathered(connection, statement)


def count(connection: Connection, anchor: Anchor, wanted: Wanted) -> int:
    statement = select(func.count()).select_from(ARRIVALS)
    return connection.scalar(statement.where(*_conditions(anchor, wanted))) or 0


def gathered(connection: Connection, statement: Select[*tuple[Any, ...]]) -> "array[int]":
    """The ids that a statement finds, in its order."""
    return gathered_columns(connection, statement)[0]


def gathered_columns(
    connection: Connection, statement: Select[*tuple[Any, ...]]
) -> "list[array[int]]":
    """The columns of numbers that a statement finds, in its order.

    Each comes as one text: a million rows take more time and memory than a million numbers.
    """
    found = statement.subquery()
    texts = (func.aggregate_strings(cast(column, Text), ",") for column in found.c)
    columns = connection.execute(select(*texts)).one()
    return [_numbers(text or "") for text in columns]


def _numbers(text: str) -> "array[int]":
    """A million of them, without a million texts on the way."""
    import numpy as np

    numbers = array("q")
    if text:
        numbers.frombytes(np.fromstring(text, np.int64, sep=",").tobytes())
    return numbers


def newest(connection: Connection) -> int:
    """The id of the newest arrival."""
    return connection.scalar(select(func.max(ARRIVALS.c.id))) or 0


def least_sure(connection: Connection, most: int) -> "tuple[array[int], int]":
    """Of what lies in sorted/ or unsure/ and nobody has said anything of: those that the models of
    the time were least sure of, and how many there are."""
    candidates = [*lying(), ARRIVALS.c.decision != "rejected"]
    counted = select(func.count()).select_from(ARRIVALS).where(*candidates)
    every = connection.scalar(counted) or 0
    # To leave each out takes longer than to count them by themselves.
    said = connection.scalar(counted.where(ARRIVALS.c.image_id.in_(answered()))) or 0
    by_doubt = (
        select(ARRIVALS.c.id)
        .where(*candidates, ARRIVALS.c.image_id.not_in(answered()))
        .order_by(ARRIVALS.c.confidence, ARRIVALS.c.id.desc())
        .limit(most)
    )
    return gathered(connection, by_doubt), every - said


def listed_files(connection: Connection, anchor: Anchor, ids: Sequence[int]) -> list[ListedFile]:
    """Of these arrivals, in the order of the ids."""
    found: dict[int, ListedFile] = {}
    for part in parts(ids):
        rows = connection.execute(
            select(ARRIVALS.c.id, IMAGES.c.sha256, ARRIVALS.c.path_bytes)
            .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
            .where(ARRIVALS.c.id.in_(part))
        )
        for row in rows:
            found[row.id] = ListedFile(row.id, row.sha256, anchor.text(row.path_bytes))
    return [found[one] for one in ids if one in found]


_FILES_OF = (
    select(ARRIVALS.c.path_bytes, ARRIVALS.c.missing_at.is_not(None).label("gone"))
    .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
    .where(IMAGES.c.sha256 == bindparam("content"))
    .order_by(ARRIVALS.c.id)
)
"""Made once, for each picture that is shown asks it: making it takes as long as its answer."""


def files_of(connection: Connection, anchor: Anchor, sha256: str) -> list[str] | None:
    """Absolute paths at which this content should lie; None where the log doesn't know it."""
    rows = connection.execute(_FILES_OF, {"content": sha256}).all()
    return [anchor.text(row.path_bytes) for row in rows if not row.gone] if rows else None


def dhashes(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """By arrival; those that could not be read have none."""
    rows = (
        row
        for part in parts(ids)
        for row in connection.execute(
            select(ARRIVALS.c.id, IMAGES.c.dhash)
            .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
            .where(ARRIVALS.c.id.in_(part), IMAGES.c.dhash.is_not(None))
        )
    )
    return {row.id: int(row.dhash or "0", 16) for row in rows}


def rows(connection: Connection, ids: Sequence[int]) -> list[SheetRow]:
    """Of these arrivals, in the order of the ids; those that are no more are left out."""
    found = {
        row.id: _sheet_row(row)
        for part in parts(ids)
        for row in connection.execute(_rows().where(ARRIVALS.c.id.in_(part)))
    }
    return [found[one] for one in ids if one in found]


def newest_of(connection: Connection, sha256s: Collection[str]) -> dict[str, int]:
    """The newest arrival of each of these contents, one whose file is there if there is any."""
    by_presence = (ARRIVALS.c.missing_at.is_(None), ARRIVALS.c.id)
    return {
        row.sha256: row.id
        for part in parts(sha256s)
        for row in connection.execute(
            select(IMAGES.c.sha256, ARRIVALS.c.id)
            .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
            .where(IMAGES.c.sha256.in_(part))
            .order_by(*by_presence)
        )
    }


def _rows() -> Select[*tuple[Any, ...]]:
    word, said, guessed = LABELS.alias("word"), CLASSES.alias("said"), CLASSES.alias("guessed")
    newest_word = (
        select(func.max(LABELS.c.id))
        .where(LABELS.c.image_id == ARRIVALS.c.image_id, stands())
        .correlate(ARRIVALS)
        .scalar_subquery()
    )
    return (
        select(
            *(ARRIVALS.c.id, IMAGES.c.sha256, IMAGES.c.width, ARRIVALS.c.name, ARRIVALS.c.path),
            *(ARRIVALS.c.confidence, ARRIVALS.c.decision, ARRIVALS.c.model, ARRIVALS.c.reason),
            *(ARRIVALS.c.arrived_at, ARRIVALS.c.missing_at, ARRIVALS.c.state),
            ARRIVALS.c.edited_from,
            *(guessed.c.name.label("guess"), said.c.name.label("said")),
            *(word.c.id.label("word"), word.c.kind, word.c.source),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .outerjoin(guessed, guessed.c.id == ARRIVALS.c.class_id)
        .outerjoin(word, word.c.id == newest_word)
        .outerjoin(said, said.c.id == word.c.class_id)
    )


def _sheet_row(row: Row[*tuple[Any, ...]]) -> SheetRow:
    return SheetRow(
        id=row.id,
        sha256=row.sha256,
        name=row.name,
        where=row.path,
        guess=row.guess,
        confidence=row.confidence,
        decision=row.decision,
        model=row.model,
        said=row.said,
        kind=row.kind,
        source=row.source,
        word=row.word,
        state=_file_state(row),
        arrived_at=row.arrived_at,
        reason=row.reason,
    )


def _file_state(row: Row[*tuple[Any, ...]]) -> FileState:
    if row.missing_at is not None:
        return "gone"
    if row.state != "filed":
        return "inbox"
    readable = row.width is not None or (row.decision != "rejected" and row.edited_from is None)
    return "here" if readable else "unreadable"


def lying() -> tuple[ColumnElement[bool], ...]:
    """The condition that a file has landed and is there."""
    return ARRIVALS.c.missing_at.is_(None), ARRIVALS.c.state == "filed"


def below(anchor: Anchor, folder: Path) -> ColumnElement[bool]:
    """The condition that a file lies in this folder (absolute), or in one below it."""
    start = anchor.stored(folder)  # "0" is the byte after "/"
    return (ARRIVALS.c.path_bytes >= start + b"/") & (ARRIVALS.c.path_bytes < start + b"0")


def _conditions(anchor: Anchor, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield from lying()
    if wanted.folders is not None:
        yield or_(false(), *(below(anchor, folder) for folder in wanted.folders))
    if wanted.said is not None:
        said = ARRIVALS.c.image_id.in_(answered())
        yield said if wanted.said else ~said
    if wanted.class_id is not None:
        called = select(LABELS.c.image_id).where(
            LABELS.c.id.in_(newest_labels()), LABELS.c.class_id == wanted.class_id
        )
        yield (ARRIVALS.c.class_id == wanted.class_id) | ARRIVALS.c.image_id.in_(called)
    if wanted.name:
        yield ARRIVALS.c.name.icontains(wanted.name, autoescape=True)
    yield from (
        holds(column, value) for column, holds, value in _bounds(wanted) if value is not None
    )


def _bounds(wanted: Wanted) -> Iterator[tuple[ColumnElement[Any], Callable[..., Any], Any]]:
    yield ARRIVALS.c.model + 0, eq, wanted.model  # no index: the folder's serves
    yield ARRIVALS.c.arrived_at, ge, wanted.since
    yield ARRIVALS.c.arrived_at, lt, wanted.until
    yield ARRIVALS.c.confidence, ge, wanted.above
    yield ARRIVALS.c.confidence, lt, wanted.below
    yield ARRIVALS.c.id, gt, wanted.after


def _order(order: Order) -> tuple[UnaryExpression[Any], ...]:
    newest_first = ARRIVALS.c.id.desc()
    match order:
        case "unsure_first":
            return ARRIVALS.c.confidence.asc(), newest_first
        case "sure_first":
            return ARRIVALS.c.confidence.desc(), newest_first
        case "oldest":
            return (ARRIVALS.c.id.asc(),)
        case "name":
            return ARRIVALS.c.name.asc(), newest_first
        case _:
            return (newest_first,)


class ListTopic(Topic):
    """Arrivals by the hundred thousand."""

    ids = reading_paths(ids)
    count = reading_paths(count)
    newest = reading(newest)
    least_sure = reading(least_sure)
    files = reading_paths(listed_files)
    files_of = reading_paths(files_of)
    dhashes = reading(dhashes)
    rows = reading(rows)
    newest_of = reading(newest_of)
