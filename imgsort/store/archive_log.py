"""The archive log: a row for each picture of an archive that `backfill ingest` took in."""

from typing import Any

from sqlalchemy import Select, Text, and_, select, type_coerce

from imgsort.store.standing_labels import stands
from imgsort.store.tables import (
    ARCHIVE_JOBS,
    ARCHIVE_PICTURES,
    CLASSES,
    IMAGES,
    LABELS,
    PREDICTIONS,
)

VIEW = "archive_log"

_PREDICTED = CLASSES.alias("predicted")
_HUMAN = CLASSES.alias("human")
_WORD = LABELS.alias("word")


def archive_log() -> Select[*tuple[Any, ...]]:
    """Where each picture lay, and what the job's model says of its content."""
    newest_word = (
        select(LABELS.c.id)
        .where(LABELS.c.image_id == ARCHIVE_PICTURES.c.image_id, stands())
        .order_by(LABELS.c.id.desc())
        .limit(1)
        .correlate(ARCHIVE_PICTURES)
        .scalar_subquery()
    )
    said = and_(
        PREDICTIONS.c.image_id == ARCHIVE_PICTURES.c.image_id,
        PREDICTIONS.c.model == ARCHIVE_PICTURES.c.model,
    )
    return (
        select(
            ARCHIVE_PICTURES.c.id,
            ARCHIVE_JOBS.c.name.label("job"),
            ARCHIVE_PICTURES.c.path,
            IMAGES.c.sha256,
            _PREDICTED.c.name.label("label"),
            PREDICTIONS.c.confidence,
            ARCHIVE_PICTURES.c.decision,
            ARCHIVE_PICTURES.c.reason,
            ARCHIVE_PICTURES.c.reason_code,
            ARCHIVE_PICTURES.c.model,
            ARCHIVE_PICTURES.c.size,
            IMAGES.c.width,
            IMAGES.c.height,
            IMAGES.c.captured_at,
            IMAGES.c.camera,
            PREDICTIONS.c.unlikeness,
            type_coerce(PREDICTIONS.c.predicted_at, Text).label("predicted_at"),
            _HUMAN.c.name.label("human_label"),
        )
        .select_from(ARCHIVE_PICTURES)
        .join(ARCHIVE_JOBS, ARCHIVE_JOBS.c.id == ARCHIVE_PICTURES.c.job_id)
        .outerjoin(IMAGES, IMAGES.c.id == ARCHIVE_PICTURES.c.image_id)
        .outerjoin(PREDICTIONS, said)
        .outerjoin(_PREDICTED, _PREDICTED.c.id == PREDICTIONS.c.class_id)
        .outerjoin(_WORD, _WORD.c.id == newest_word)
        .outerjoin(_HUMAN, _HUMAN.c.id == _WORD.c.class_id)
    )
