"""What training needs to know of labelled pictures, and which side of the split they are on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, exists, select, update

from imgsort.store.paths import Anchor
from imgsort.tables import ArrivalRow, ImageRow, LabelRow

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
    labelled = select(LabelRow.image_id).distinct()
    rows = connection.execute(
        _facts()
        .where(ImageRow.id.in_(labelled))
        .order_by(ArrivalRow.missing_at.is_(None), ArrivalRow.id)
    )
    return {row.sha256: _record(anchor, row) for row in rows}


def filed_unlabelled(connection: Connection, anchor: Anchor, most: int) -> dict[str, FiledRecord]:
    """By sha256, the newest ``most`` of them that are there."""
    rows = connection.execute(
        _facts()
        .where(
            ArrivalRow.state == "filed",
            ArrivalRow.decision == "filed",
            ArrivalRow.class_id.is_not(None),
            ArrivalRow.missing_at.is_(None),
            ~exists().where(LabelRow.image_id == ImageRow.id),
        )
        .order_by(ArrivalRow.id.desc())
        .limit(most)
    )
    return {row.sha256: FiledRecord(_record(anchor, row), row.class_id) for row in rows}


def _facts() -> Select[*tuple[Any, ...]]:
    return select(
        *(ImageRow.sha256, ImageRow.dhash, ImageRow.camera, ImageRow.captured_at, ImageRow.split),
        *(ArrivalRow.subfolder, ArrivalRow.path_bytes, ArrivalRow.missing_at, ArrivalRow.class_id),
    ).outerjoin(ArrivalRow, ArrivalRow.image_id == ImageRow.id)


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
            update(ImageRow)
            .where(ImageRow.sha256 == bindparam("content"), ImageRow.split.is_(None))
            .values(split=bindparam("side")),
            [{"content": sha256, "side": side} for sha256, side in sides.items()],
        )
