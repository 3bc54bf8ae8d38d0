"""The tables of imgsort.db. No queries here; README.md documents every column.

A change here needs a revision in migrations/versions and its number in ``REVISIONS``. There is no
ORM, and partial indexes have SQLite's condition alone (the revisions have PostgreSQL's too):
importing the ORM and a second dialect would cost every command a tenth of a second.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
    TypeDecorator,
    UniqueConstraint,
    text,
)

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
)
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


@lru_cache(maxsize=256)
def iso_utc(moment: datetime) -> str:
    """The one way times are written, to the millisecond. ``moment`` must know its zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    there = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{there.isoformat(timespec='milliseconds')}Z"


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class RunColumns(TypedColumns):
    """One invocation that may move or label pictures."""

    id: Named[int] = Column(Integer, primary_key=True)
    kind: Named[str] = Column(Text)
    started_at: Named[datetime] = Column(Utc)
    ended_at: Named[datetime | None] = Column(Utc)
    summary: Named[str | None] = Column(Text)


RUNS = Table("runs", METADATA, RunColumns)


class AuditColumns(TypedColumns):
    """A draw of pictures that a person was to judge."""

    run_id: Named[int] = Column(Integer, ForeignKey("runs.id"), primary_key=True)
    seed: Named[str] = Column(Text)
    """Decimal: whoever types one may type more digits than a column of numbers holds."""
    candidates: Named[int] = Column(Integer)
    drawn: Named[str] = Column(Text)


AUDITS = Table("audits", METADATA, AuditColumns)


class ActColumns(TypedColumns):
    """What somebody did on the review page."""

    act: Named[str] = Column(Text, primary_key=True)
    """The page's own number for it: sent twice it is done once."""
    run_id: Named[int] = Column(Integer, ForeignKey("runs.id"))
    said: Named[str] = Column(Text)


ACTS = Table("acts", METADATA, ActColumns, Index("ix_acts_run_id", "run_id"))


class ClassColumns(TypedColumns):
    """A class; models and labels refer to its id, so a rename touches neither."""

    id: Named[int] = Column(Integer, primary_key=True)
    name: Named[str] = Column(Text)
    folder_dev: Named[int | None] = Column(Unsigned64)
    folder_ino: Named[int | None] = Column(Unsigned64)
    created_at: Named[datetime] = Column(Utc)
    retired_at: Named[datetime | None] = Column(Utc)


CLASSES = Table(
    "classes",
    METADATA,
    ClassColumns,
    Index(
        "uq_classes_name_live",
        "name",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
    ),
)


class ClassChangeColumns(TypedColumns):
    """What happened to a class as such. Manual renames are not here: folders tell those."""

    id: Named[int] = Column(Integer, primary_key=True)
    run_id: Named[int | None] = Column(Integer, ForeignKey("runs.id"))
    class_id: Named[int] = Column(Integer, ForeignKey("classes.id"))
    kind: Named[str] = Column(Text)
    old_name: Named[str] = Column(Text)
    new_name: Named[str] = Column(Text)
    merged_into: Named[int | None] = Column(Integer)
    changed_at: Named[datetime] = Column(Utc)
    undone_at: Named[datetime | None] = Column(Utc)


CLASS_CHANGES = Table(
    "class_changes",
    METADATA,
    ClassChangeColumns,
    _one_of("kind", "renamed", "retired", "restored"),
    Index("ix_class_changes_run_id", "run_id"),
)


class ModelColumns(TypedColumns):
    """A model version of the registry."""

    version: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    kind: Named[str] = Column(Text)
    backbone: Named[str] = Column(Text)
    backbone_id: Named[str] = Column(Text)
    precision: Named[str] = Column(Text)
    parent: Named[int | None] = Column(Integer, ForeignKey("models.version"))
    created_at: Named[datetime] = Column(Utc)


MODELS = Table("models", METADATA, ModelColumns)


class ImageColumns(TypedColumns):
    """A picture's content, whatever its files are called."""

    id: Named[int] = Column(Integer, primary_key=True)
    sha256: Named[str] = Column(Text, unique=True)
    size: Named[int] = Column(BigInteger)
    width: Named[int | None] = Column(Integer)
    height: Named[int | None] = Column(Integer)
    format: Named[str | None] = Column(Text)
    captured_at: Named[str | None] = Column(Text)
    camera: Named[str | None] = Column(Text)
    dhash: Named[str | None] = Column(Text)
    split: Named[str | None] = Column(Text)
    first_seen_at: Named[datetime] = Column(Utc)


IMAGES = Table(
    "images",
    METADATA,
    ImageColumns,
    _one_of("split", "train", "holdout"),
)


class PredictionColumns(TypedColumns):
    """What one model said of one image."""

    id: Named[int] = Column(Integer, primary_key=True)
    image_id: Named[int] = Column(Integer, ForeignKey("images.id"))
    model: Named[int] = Column(Integer, ForeignKey("models.version"))
    class_id: Named[int | None] = Column(Integer, ForeignKey("classes.id"))
    confidence: Named[float] = Column(Double)
    decision: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    top_k: Named[str] = Column(Text)
    predicted_at: Named[datetime] = Column(Utc)
    unlikeness: Named[float | None] = Column(Double)
    reason_code: Named[str | None] = Column(Text)
    precision: Named[str | None] = Column(Text)


PREDICTIONS = Table(
    "predictions",
    METADATA,
    PredictionColumns,
    UniqueConstraint("image_id", "model"),
    _one_of("decision", "filed", "unsure"),
)


class ArrivalColumns(TypedColumns):
    """One drop into the inbox, and where its file is now."""

    id: Named[int] = Column(Integer, primary_key=True)
    image_id: Named[int] = Column(Integer, ForeignKey("images.id"))
    name: Named[str] = Column(Text)
    name_bytes: Named[bytes] = Column(LargeBinary)
    subfolder: Named[str] = Column(Text)
    subfolder_bytes: Named[bytes] = Column(LargeBinary)
    path: Named[str] = Column(Text)
    path_bytes: Named[bytes] = Column(LargeBinary)
    decision: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    state: Named[str] = Column(Text)
    model: Named[int | None] = Column(Integer, ForeignKey("models.version"))
    class_id: Named[int | None] = Column(Integer, ForeignKey("classes.id"))
    confidence: Named[float | None] = Column(Double)
    arrived_at: Named[datetime] = Column(Utc)
    filed_at: Named[datetime | None] = Column(Utc)
    missing_at: Named[datetime | None] = Column(Utc)
    dev: Named[int | None] = Column(Unsigned64)
    ino: Named[int | None] = Column(Unsigned64)
    size: Named[int | None] = Column(BigInteger)
    mtime_ns: Named[int | None] = Column(Nanoseconds)
    src_dev: Named[int | None] = Column(Unsigned64)
    src_ino: Named[int | None] = Column(Unsigned64)
    src_size: Named[int | None] = Column(BigInteger)
    src_mtime_ns: Named[int | None] = Column(Nanoseconds)
    edited_from: Named[int | None] = Column(Integer)
    """The image it was before its file was changed in place, until the two are compared."""
    reason_code: Named[str | None] = Column(Text)


ARRIVALS = Table(
    "arrivals",
    METADATA,
    ArrivalColumns,
    _one_of("decision", "filed", "unsure", "rejected"),
    _one_of("state", "decided", "filed"),
    # For `log`, newest first: of anything, one class, one decision, one model.
    Index("ix_arrivals_arrived_at", "arrived_at", "id", "confidence"),
    Index("ix_arrivals_class_id", "class_id", "arrived_at", "id", "decision", "confidence"),
    Index("ix_arrivals_decision", "decision", "arrived_at", "id"),
    # The kinds besides, for drift: of 20,000 arrivals, without a look at their rows.
    Index("ix_arrivals_model", "model", "arrived_at", "id", "decision", "class_id"),
    # For `status`, which asks of every labelled image whether its file lies in the label's class.
    Index("ix_arrivals_image_id", "image_id", "class_id"),
    # What lies in a folder, in which order, and what nobody has spoken of: of this index alone.
    Index(
        "ix_arrivals_path_bytes",
        *("path_bytes", "missing_at", "state", "decision", "confidence", "image_id", "model"),
    ),
    Index(
        "ix_arrivals_missing",
        "path_bytes",
        sqlite_where=text("missing_at IS NOT NULL"),
    ),
    Index("ix_arrivals_ino", "ino"),
    Index(
        "ix_arrivals_src_ino",
        "src_ino",
        sqlite_where=text("src_ino IS NOT NULL"),
    ),
    Index(
        "ix_arrivals_edited_from",
        "edited_from",
        sqlite_where=text("edited_from IS NOT NULL"),
    ),
    Index(
        "ix_arrivals_decided",
        "id",
        sqlite_where=text("state = 'decided'"),
    ),
)


class ArrivalCountColumns(TypedColumns):
    """How many arrivals have landed; written by triggers (``imgsort.store.arrival_counts``)."""

    decision: Named[str] = Column(Text, primary_key=True)
    class_id: Named[int] = Column(Integer, primary_key=True)
    arrivals: Named[int] = Column(Integer)


ARRIVAL_COUNTS = Table("arrival_counts", METADATA, ArrivalCountColumns)


class LabelColumns(TypedColumns):
    """A human word about an image. Never changed, never deleted: the newest that stands counts."""

    id: Named[int] = Column(Integer, primary_key=True)
    image_id: Named[int] = Column(Integer, ForeignKey("images.id"))
    class_id: Named[int | None] = Column(Integer, ForeignKey("classes.id"))
    kind: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    representative: Named[bool] = Column(Boolean)
    run_id: Named[int | None] = Column(Integer, ForeignKey("runs.id"))
    labelled_at: Named[datetime] = Column(Utc)
    retracts: Named[int | None] = Column(Integer, ForeignKey("labels.id"))
    """Of a retraction the word it takes back; of a word that an undo of that brought again, the
    retraction."""


LABELS = Table(
    "labels",
    METADATA,
    LabelColumns,
    _one_of("kind", "label", "withdrawn", "never_use", "retracted"),
    _one_of("source", "move", "cli", "csv", "import", "confirm", "audit", "review"),
    CheckConstraint("(kind = 'label') = (class_id IS NOT NULL)", name="class_of_kind"),
    Index("ix_labels_image_id", "image_id", "id", "class_id"),
    Index("ix_labels_labelled_at", "labelled_at"),
    Index("ix_labels_run_id", "run_id"),
    Index(
        "ix_labels_retracts",
        "retracts",
        sqlite_where=text("retracts IS NOT NULL"),
    ),
)


class MoveColumns(TypedColumns):
    """The journal: written before a file moves (planned) and after (done)."""

    id: Named[int] = Column(Integer, primary_key=True)
    run_id: Named[int] = Column(Integer, ForeignKey("runs.id"))
    arrival_id: Named[int | None] = Column(Integer, ForeignKey("arrivals.id"))
    cause: Named[str] = Column(Text)
    model: Named[int | None] = Column(Integer, ForeignKey("models.version"))
    mode: Named[str] = Column(Text)
    state: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    source_bytes: Named[bytes] = Column(LargeBinary)
    target: Named[str] = Column(Text)
    target_bytes: Named[bytes] = Column(LargeBinary)
    sha256: Named[str] = Column(Text)
    dev: Named[int] = Column(Unsigned64)
    ino: Named[int] = Column(Unsigned64)
    size: Named[int] = Column(BigInteger)
    mtime_ns: Named[int] = Column(Nanoseconds)
    planned_at: Named[datetime] = Column(Utc)
    done_at: Named[datetime | None] = Column(Utc)


MOVES = Table(
    "moves",
    METADATA,
    MoveColumns,
    _one_of("mode", "move", "copy"),
    _one_of("state", "planned", "done"),
    Index("ix_moves_arrival_id", "arrival_id"),
    Index("ix_moves_run_id", "run_id"),
    Index(
        "ix_moves_planned",
        "id",
        sqlite_where=text("state = 'planned'"),
    ),
)


class DecodeAttemptColumns(TypedColumns):
    """A picture that crashed or hung its decoder, so that a restart doesn't try for ever."""

    dev: Named[int] = Column(Unsigned64, primary_key=True)
    ino: Named[int] = Column(Unsigned64, primary_key=True)
    size: Named[int] = Column(BigInteger, primary_key=True)
    mtime_ns: Named[int] = Column(Nanoseconds, primary_key=True)
    path: Named[str] = Column(Text)
    path_bytes: Named[bytes] = Column(LargeBinary)
    attempts: Named[int] = Column(Integer)
    reason: Named[str] = Column(Text)
    last_at: Named[datetime] = Column(Utc)


DECODE_ATTEMPTS = Table("decode_attempts", METADATA, DecodeAttemptColumns)


class ArchiveJobColumns(TypedColumns):
    """A backfill of which parts are in the log."""

    id: Named[int] = Column(Integer, primary_key=True)
    job: Named[str] = Column(Text, unique=True)
    """Of this job and no other, whatever its name."""
    name: Named[str] = Column(Text)
    source: Named[str] = Column(Text)
    added_at: Named[datetime] = Column(Utc)


ARCHIVE_JOBS = Table("archive_jobs", METADATA, ArchiveJobColumns)


class ArchivePartColumns(TypedColumns):
    """A unit of a job that is in the log; ``sha256`` is of its file."""

    job_id: Named[int] = Column(Integer, ForeignKey("archive_jobs.id"), primary_key=True)
    unit: Named[int] = Column(Integer, primary_key=True)
    pictures: Named[int] = Column(Integer)
    sha256: Named[str] = Column(Text)
    added_at: Named[datetime] = Column(Utc)


ARCHIVE_PARTS = Table("archive_parts", METADATA, ArchivePartColumns)


class ArchivePictureColumns(TypedColumns):
    """A picture of an archive, where it lay when it was judged."""

    id: Named[int] = Column(Integer, primary_key=True)
    job_id: Named[int] = Column(Integer, ForeignKey("archive_jobs.id"))
    unit: Named[int] = Column(Integer)
    image_id: Named[int | None] = Column(Integer, ForeignKey("images.id"))
    model: Named[int | None] = Column(Integer, ForeignKey("models.version"))
    path: Named[str] = Column(Text)
    path_bytes: Named[bytes] = Column(LargeBinary)
    size: Named[int | None] = Column(BigInteger)
    mtime_ns: Named[int | None] = Column(Nanoseconds)
    etag: Named[str | None] = Column(Text)
    decision: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    reason_code: Named[str | None] = Column(Text)


ARCHIVE_PICTURES = Table(
    "archive_pictures",
    METADATA,
    ArchivePictureColumns,
    _one_of("decision", "filed", "unsure", "rejected", "changed", "unread"),
    Index("ix_archive_pictures_unit", "job_id", "unit"),
    Index("ix_archive_pictures_image_id", "image_id"),
)
