"""What training needs to know of labelled pictures, and which side of the split they are on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, exists, select, update

from imgsort.store.paths import Anchor
from imgsort.store.standing import stands
from imgsort.tables import ARRIVALS, IMAGES, LABELS

Side = Literal["train", "holdout"]


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One labelled content."""

    sha256: str
    dhash: int | None
    """64-bit unsigned; None for a picture that could not be read."""
    camera: str | None
    captured_at: str | None
    subfolder: str
    """Of the inbox, where its newest file came from."""
    side: Side | None
    path: Path | None
    """Where a file of it was last known to lie; None for content without a file."""
    there: bool
    """Whether it still lay there when imgsort looked last."""


@dataclass(frozen=True, slots=True)
class FiledRecord:
    """A content that the daemon filed and that nobody has said anything about."""

    record: TrainingRecord
    class_id: int
    """Of the folder it lies in."""


def records(connection: Connection, anchor: Anchor) -> dict[str, TrainingRecord]:
    """By sha256. Of several files that are there the newest tells."""
    labelled = select(LABELS.c.image_id).where(stands()).distinct()
    rows = connection.execute(
        _facts()
        .where(IMAGES.c.id.in_(labelled))
        .order_by(ARRIVALS.c.missing_at.is_(None), ARRIVALS.c.id)
    )
    return {row.sha256: _record(anchor, row) for row in rows}


def filed_unlabelled(connection: Connection, anchor: Anchor, most: int) -> dict[str, FiledRecord]:
    """By sha256, the newest ``most`` of them that are there."""
    rows = connection.execute(
        _facts()
        .where(
            ARRIVALS.c.state == "filed",
            ARRIVALS.c.decision == "filed",
            ARRIVALS.c.class_id.is_not(None),
            ARRIVALS.c.missing_at.is_(None),
            ~exists().where(LABELS.c.image_id == IMAGES.c.id, stands()),
        )
        .order_by(ARRIVALS.c.id.desc())
        .limit(most)
    )
    return {row.sha256: FiledRecord(_record(anchor, row), row.class_id) for row in rows}


def _facts() -> Select[*tuple[Any, ...]]:
    return select(
        *(IMAGES.c.sha256, IMAGES.c.dhash, IMAGES.c.camera, IMAGES.c.captured_at, IMAGES.c.split),
        *(ARRIVALS.c.subfolder, ARRIVALS.c.path_bytes, ARRIVALS.c.missing_at, ARRIVALS.c.class_id),
    ).outerjoin(ARRIVALS, ARRIVALS.c.image_id == IMAGES.c.id)


def _record(anchor: Anchor, row: Row[Any]) -> TrainingRecord:
    return TrainingRecord(
        sha256=row.sha256,
        dhash=None if row.dhash is None else int(row.dhash, 16),
        camera=row.camera,
        captured_at=row.captured_at,
        subfolder=row.subfolder or "",
        side=row.split,
        path=None if row.path_bytes is None else anchor.absolute(row.path_bytes),
        there=row.path_bytes is not None and row.missing_at is None,
    )


def freeze(connection: Connection, sides: Mapping[str, Side]) -> None:
    """Only where there is none yet: the holdout never moves."""
    if sides:
        connection.execute(
            update(IMAGES)
            .where(IMAGES.c.sha256 == bindparam("content"), IMAGES.c.split.is_(None))
            .values(split=bindparam("side")),
            [{"content": sha256, "side": side} for sha256, side in sides.items()],
        )
