"""Human words about images: appended, never changed; the newest one that stands holds.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from imgsort.records.labels import HumanLabel, NewLabel, Retold
from imgsort.store.chunks import parts, rows_in
from imgsort.store.images import image_ids
from imgsort.store.paths import Anchor
from imgsort.store.predictions import ensure_classes
from imgsort.store.standing_labels import RETRACTED, is_here, newest_labels, stands
from imgsort.store.tables import ARRIVALS, CLASSES, IMAGES, LABELS
from imgsort.store.topic import Topic, now, reading, reading_paths


@dataclass(frozen=True, slots=True)
class Copy:
    """One of several files of a picture, and what a person called that."""

    image_id: int
    path: str
    class_name: str


def add_labels(
    connection: Connection, run_id: int | None, labels: Sequence[NewLabel], now: datetime
) -> int:
    """Append; the answer is how many. Raises ValueError for content without a row in images.

    A picture that was drawn without regard to its class stays so under any new word: if a later
    correction took that away, every mistake found after a `confirm` or an audit would leave the
    test and flatter the model.
    """
    if not labels:
        return 0
    names = (label.class_name for label in labels if label.class_name is not None)
    classes = ensure_classes(connection, names, now)
    images = image_ids(connection, {label.sha256 for label in labels})
    unknown = [label.sha256 for label in labels if label.sha256 not in images]
    if unknown:
        raise ValueError(f"no image has the content {unknown[0]}")
    drawn = _representative(connection, images.values())
    rows = [
        {
            "image_id": images[label.sha256],
            "class_id": None if label.class_name is None else classes[label.class_name],
            "kind": label.kind,
            "source": label.source,
            "representative": label.representative or images[label.sha256] in drawn,
            "run_id": run_id,
            "labelled_at": now,
        }
        for label in labels
    ]
    connection.execute(insert(LABELS), rows)
    return len(rows)


def retell(connection: Connection, run_id: int, retold: Retold, now: datetime) -> None:
    """Take words back that stand, and say words again that don't; the others stay as they are."""
    for ids in parts(retold.taken_back):
        rows = connection.execute(
            select(LABELS.c.id, LABELS.c.image_id).where(LABELS.c.id.in_(ids), stands())
        ).all()
        values = {"kind": RETRACTED, "source": "cli", "representative": False}
        said = [values | {"image_id": row.image_id, "retracts": row.id} for row in rows]
        _retell(connection, run_id, said, now)
    retraction = LABELS.alias("taken_back")
    columns = (LABELS.c.image_id, LABELS.c.class_id, LABELS.c.kind, LABELS.c.source)
    for ids in parts(retold.said_again):
        words = connection.execute(
            select(*columns, LABELS.c.representative, retraction.c.id.label("retracts"))
            .join(retraction, retraction.c.retracts == LABELS.c.id)
            .where(LABELS.c.id.in_(ids), retraction.c.kind == RETRACTED)
            .order_by(LABELS.c.id)
        ).mappings()
        _retell(connection, run_id, [dict(word) for word in words], now)


def _retell(
    connection: Connection, run_id: int, rows: Sequence[dict[str, Any]], now: datetime
) -> None:
    if rows:
        said = [row | {"run_id": run_id, "labelled_at": now} for row in rows]
        connection.execute(insert(LABELS), said)


def _representative(connection: Connection, image_ids: Collection[int]) -> set[int]:
    """Those of these images whose newest word says that they are."""
    drawn = select(LABELS.c.image_id).where(LABELS.c.representative)
    return {
        image_id
        for part in parts(image_ids)
        for image_id in connection.scalars(
            drawn.where(LABELS.c.id.in_(newest_labels(LABELS.c.image_id.in_(part))))
        )
    }


def current_labels(
    connection: Connection, of: Collection[str] | None = None
) -> dict[str, HumanLabel]:
    """The newest word that stands on each image a human ever spoke about, by content; of all that
    an arrival has, or of these contents."""
    if of is None:
        newest = _labels().where(LABELS.c.id.in_(newest_labels(is_here())))
        return {row.sha256: _label(row) for row in connection.execute(newest)}
    rows = rows_in(connection, _standing(), IMAGES.c.sha256, of)
    return {row.sha256: _label(row) for row in rows}


@cache
def _standing() -> Select[*tuple[Any, ...]]:
    return _labels().where(stands()).order_by(LABELS.c.id)


def some_called(connection: Connection, most: int | None = None) -> list[str]:
    """Contents that somebody calls something, all or about so many of them: of a larger number the
    same ones each time, drawn without regard to anything but their hash."""
    statement = (
        select(IMAGES.c.sha256)
        .join(LABELS, LABELS.c.image_id == IMAGES.c.id)
        .where(LABELS.c.kind == "label")
    )
    every = statement.where(LABELS.c.id.in_(newest_labels()))
    if most is None:
        return list(connection.scalars(every))
    counted = select(func.count(LABELS.c.image_id.distinct())).where(LABELS.c.kind == "label")
    number = connection.scalar(counted) or 0
    if number <= most:
        return list(connection.scalars(every))
    drawn = select(IMAGES.c.id).where(IMAGES.c.sha256 < f"{(most << 64) // number:016x}")
    newest = newest_labels(LABELS.c.image_id.in_(drawn))
    return list(connection.scalars(statement.where(LABELS.c.id.in_(newest))))


def last_word(connection: Connection) -> int:
    """The id of the newest row, retractions too."""
    return connection.scalar(select(func.max(LABELS.c.id))) or 0


def spoken_since(connection: Connection, anchor: Anchor, word: int) -> dict[int, Path]:
    """Arrivals whose file is there -> its path, of contents with a row after this one."""
    spoken = select(LABELS.c.image_id).where(LABELS.c.id > word)
    rows = connection.execute(
        select(ARRIVALS.c.id, ARRIVALS.c.path_bytes).where(
            ARRIVALS.c.image_id.in_(spoken),
            ARRIVALS.c.state == "filed",
            ARRIVALS.c.missing_at.is_(None),
        )
    )
    return {row.id: anchor.absolute(row.path_bytes) for row in rows}


def label_history(connection: Connection, sha256: str) -> list[HumanLabel]:
    """Everything said about one content, oldest first, and whether it was taken back."""
    statement = (
        _labels()
        .add_columns((~stands()).label("taken_back"))
        .where(IMAGES.c.sha256 == sha256, LABELS.c.kind != RETRACTED)
        .order_by(LABELS.c.id)
    )
    return [_label(row) for row in connection.execute(statement)]


def contested(connection: Connection) -> dict[str, set[str]]:
    """Contents that have been called different things -> the classes, by their present names."""
    several = (
        select(LABELS.c.image_id)
        .where(LABELS.c.kind == "label", stands())
        .group_by(LABELS.c.image_id)
        .having(func.count(LABELS.c.class_id.distinct()) > 1)
    )
    rows = connection.execute(
        select(IMAGES.c.sha256, CLASSES.c.name)
        .join(LABELS, LABELS.c.image_id == IMAGES.c.id)
        .join(CLASSES, CLASSES.c.id == LABELS.c.class_id)
        .where(LABELS.c.image_id.in_(several), stands())
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.sha256, set()).add(row.name)
    return found


def copies_called(connection: Connection, anchor: Anchor) -> list[Copy]:
    """Files that are there, of pictures with a class by a person's word that came several times."""
    several = (  # of an index alone
        select(ARRIVALS.c.image_id).group_by(ARRIVALS.c.image_id).having(func.count() > 1)
    )
    newest = newest_labels(LABELS.c.image_id.in_(several))
    rows = connection.execute(
        select(ARRIVALS.c.image_id, ARRIVALS.c.path_bytes, CLASSES.c.name)
        .join(LABELS, LABELS.c.image_id == ARRIVALS.c.image_id)
        .join(CLASSES, CLASSES.c.id == LABELS.c.class_id)
        .where(
            LABELS.c.id.in_(newest),
            LABELS.c.kind == "label",
            ARRIVALS.c.state == "filed",
            ARRIVALS.c.missing_at.is_(None),
        )
        .order_by(ARRIVALS.c.id)
    )
    return [Copy(row.image_id, anchor.text(row.path_bytes), row.name) for row in rows]


def _labels() -> Select[*tuple[Any, ...]]:
    return (
        select(
            LABELS.c.id,
            IMAGES.c.sha256,
            LABELS.c.kind,
            LABELS.c.class_id,
            CLASSES.c.name.label("class_name"),
            LABELS.c.source,
            LABELS.c.representative,
            LABELS.c.labelled_at,
        )
        .select_from(LABELS)
        .join(IMAGES, IMAGES.c.id == LABELS.c.image_id)
        .outerjoin(CLASSES, CLASSES.c.id == LABELS.c.class_id)
    )


def _label(row: Row[*tuple[Any, ...]]) -> HumanLabel:
    return HumanLabel(**row._asdict())


class LabelTopic(Topic):
    """What people said of pictures."""

    current = reading(current_labels)
    some_called = reading(some_called)
    last = reading(last_word)
    spoken_since = reading_paths(spoken_since)
    history = reading(label_history)
    contested = reading(contested)
    copies_called = reading_paths(copies_called)

    def add(self, run_id: int | None, new: Sequence[NewLabel]) -> int:
        """Append what a human said, all or nothing; classes are made as needed.

        The answer is how many. Raises ValueError for content that never arrived.
        """
        with self.write() as connection:
            return add_labels(connection, run_id, new, now())
