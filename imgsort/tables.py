"""The tables of imgsort.db. No queries here; README.md documents every column.

A change here needs a revision in migrations/versions and its number in ``REVISIONS``.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REVISIONS = ("0001",)
"""Every revision of the schema, oldest first; the last is what this program reads and writes."""

_SIGN = 1 << 63
_RANGE = 1 << 64
_EARLIEST = -(1 << 61)


class Utc(TypeDecorator[datetime]):
    """An aware datetime, stored as ISO 8601 UTC text such as 2026-11-22T18:30:00.123Z."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else iso_utc(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


class Unsigned64(TypeDecorator[int]):
    """A 64-bit unsigned number (inode, device), stored in a signed column as two's complement."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return value - _RANGE if value is not None and value >= _SIGN else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return value + _RANGE if value is not None and value < 0 else value


class Nanoseconds(TypeDecorator[int]):
    """An mtime in nanoseconds. ext4 and XFS reach the year 2486, which outgrows 63 bits, and go
    back to 1901: so what lies beyond 2262 is wrapped to below any time a file can have."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value + _SIGN) % _RANGE - _SIGN

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return value + _RANGE if value is not None and value < _EARLIEST else value


def iso_utc(moment: datetime) -> str:
    """The one way times are written, to the millisecond. ``moment`` must know its zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text, datetime: Utc, float: Double}  # noqa: RUF012 - SQLAlchemy's own interface


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class RunRow(Base):
    """One invocation that may move or label pictures."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    summary: Mapped[str | None]


class ClassRow(Base):
    """A class; models and labels refer to its id, so a rename touches neither."""

    __tablename__ = "classes"
    __table_args__ = (
        Index(
            "uq_classes_name_live",
            "name",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    folder_dev: Mapped[int | None] = mapped_column(Unsigned64)
    folder_ino: Mapped[int | None] = mapped_column(Unsigned64)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class ModelRow(Base):
    """A model version of the registry."""

    __tablename__ = "models"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    backbone: Mapped[str]
    backbone_id: Mapped[str]
    precision: Mapped[str]
    parent: Mapped[int | None] = mapped_column(ForeignKey("models.version"))
    created_at: Mapped[datetime]


class ImageRow(Base):
    """A picture's content, whatever its files are called."""

    __tablename__ = "images"
    __table_args__ = (_one_of("split", "train", "holdout"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None]
    height: Mapped[int | None]
    format: Mapped[str | None]
    captured_at: Mapped[str | None]
    camera: Mapped[str | None]
    dhash: Mapped[str | None]
    split: Mapped[str | None]
    first_seen_at: Mapped[datetime]


class PredictionRow(Base):
    """What one model said of one image."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("image_id", "model"),
        _one_of("decision", "filed", "unsure"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    model: Mapped[int] = mapped_column(ForeignKey("models.version"))
    class_id: Mapped[int | None] = mapped_column(ForeignKey("classes.id"))
    confidence: Mapped[float]
    decision: Mapped[str]
    reason: Mapped[str | None]
    top_k: Mapped[str]
    predicted_at: Mapped[datetime]


class ArrivalRow(Base):
    """One drop into the inbox, and where its file is now."""

    __tablename__ = "arrivals"
    __table_args__ = (
        _one_of("decision", "filed", "unsure", "rejected"),
        _one_of("state", "decided", "filed"),
        # For `status`: read whole, so it is narrow.
        Index("ix_arrivals_counts", "class_id", "decision"),
        # For `log`, newest first: of anything, one class, one decision, one model.
        Index("ix_arrivals_arrived_at", "arrived_at", "id", "confidence"),
        Index("ix_arrivals_class_id", "class_id", "arrived_at", "id", "decision", "confidence"),
        Index("ix_arrivals_decision", "decision", "arrived_at", "id"),
        Index("ix_arrivals_model", "model", "arrived_at", "id"),
        Index("ix_arrivals_image_id", "image_id"),
        Index("ix_arrivals_path_bytes", "path_bytes"),
        Index("ix_arrivals_ino", "ino"),
        Index(
            "ix_arrivals_src_ino",
            "src_ino",
            sqlite_where=text("src_ino IS NOT NULL"),
            postgresql_where=text("src_ino IS NOT NULL"),
        ),
        Index(
            "ix_arrivals_decided",
            "id",
            sqlite_where=text("state = 'decided'"),
            postgresql_where=text("state = 'decided'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    name: Mapped[str]
    name_bytes: Mapped[bytes]
    subfolder: Mapped[str]
    subfolder_bytes: Mapped[bytes]
    path: Mapped[str]
    path_bytes: Mapped[bytes]
    decision: Mapped[str]
    reason: Mapped[str | None]
    state: Mapped[str]
    model: Mapped[int | None] = mapped_column(ForeignKey("models.version"))
    class_id: Mapped[int | None] = mapped_column(ForeignKey("classes.id"))
    confidence: Mapped[float | None]
    arrived_at: Mapped[datetime]
    filed_at: Mapped[datetime | None]
    missing_at: Mapped[datetime | None]
    dev: Mapped[int | None] = mapped_column(Unsigned64)
    ino: Mapped[int | None] = mapped_column(Unsigned64)
    size: Mapped[int | None] = mapped_column(BigInteger)
    mtime_ns: Mapped[int | None] = mapped_column(Nanoseconds)
    src_dev: Mapped[int | None] = mapped_column(Unsigned64)
    src_ino: Mapped[int | None] = mapped_column(Unsigned64)
    src_size: Mapped[int | None] = mapped_column(BigInteger)
    src_mtime_ns: Mapped[int | None] = mapped_column(Nanoseconds)


class LabelRow(Base):
    """A human word about an image. Never changed, never deleted: the newest one counts."""

    __tablename__ = "labels"
    __table_args__ = (
        _one_of("kind", "label", "withdrawn", "never_use"),
        _one_of("source", "move", "cli", "csv", "import", "confirm", "audit"),
        CheckConstraint("(kind = 'label') = (class_id IS NOT NULL)", name="class_of_kind"),
        Index("ix_labels_image_id", "image_id", "id", "class_id"),
        Index("ix_labels_labelled_at", "labelled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    class_id: Mapped[int | None] = mapped_column(ForeignKey("classes.id"))
    kind: Mapped[str]
    source: Mapped[str]
    representative: Mapped[bool]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    labelled_at: Mapped[datetime]


class MoveRow(Base):
    """The journal: written before a file moves (planned) and after (done)."""

    __tablename__ = "moves"
    __table_args__ = (
        _one_of("mode", "move", "copy"),
        _one_of("state", "planned", "done"),
        Index("ix_moves_arrival_id", "arrival_id"),
        Index("ix_moves_run_id", "run_id"),
        Index(
            "ix_moves_planned",
            "id",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    arrival_id: Mapped[int | None] = mapped_column(ForeignKey("arrivals.id"))
    cause: Mapped[str]
    model: Mapped[int | None] = mapped_column(ForeignKey("models.version"))
    mode: Mapped[str]
    state: Mapped[str]
    source: Mapped[str]
    source_bytes: Mapped[bytes]
    target: Mapped[str]
    target_bytes: Mapped[bytes]
    sha256: Mapped[str]
    dev: Mapped[int] = mapped_column(Unsigned64)
    ino: Mapped[int] = mapped_column(Unsigned64)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(Nanoseconds)
    planned_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class DecodeAttemptRow(Base):
    """A picture that crashed or hung its decoder, so that a restart doesn't try for ever."""

    __tablename__ = "decode_attempts"

    dev: Mapped[int] = mapped_column(Unsigned64, primary_key=True)
    ino: Mapped[int] = mapped_column(Unsigned64, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    mtime_ns: Mapped[int] = mapped_column(Nanoseconds, primary_key=True)
    path: Mapped[str]
    path_bytes: Mapped[bytes]
    attempts: Mapped[int]
    reason: Mapped[str]
    last_at: Mapped[datetime]
