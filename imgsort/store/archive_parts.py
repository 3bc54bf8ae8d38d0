"""Parts of backfill jobs in the log: each once, whole, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from imgsort.disk.display import display
from imgsort.records.archive_pictures import ArchivePart, ArchivePicture
from imgsort.store.chunks import rows_in
from imgsort.store.images import Content, ensure_contents
from imgsort.store.predictions import ensure_classes, ensure_predictions
from imgsort.store.reasons import reason_columns
from imgsort.store.tables import ARCHIVE_JOBS, ARCHIVE_PARTS, ARCHIVE_PICTURES, CLASSES
from imgsort.store.topic import Topic, now, reading


def add_job(connection: Connection, job: str, name: str, source: bytes, at: datetime) -> int:
    """The row of a job, made if there is none."""
    asked = select(ARCHIVE_JOBS.c.id).where(ARCHIVE_JOBS.c.job == job)
    known = connection.scalar(asked)
    if known is not None:
        return known
    values = {"job": job, "name": name, "source": display(source), "added_at": at}
    statement = insert(ARCHIVE_JOBS).values(values).returning(ARCHIVE_JOBS.c.id)
    return connection.execute(statement).scalar_one()


def known_parts(connection: Connection, job: str) -> dict[int, str]:
    """SHA-256 of the file of each unit that is in the log."""
    rows = connection.execute(
        select(ARCHIVE_PARTS.c.unit, ARCHIVE_PARTS.c.sha256)
        .join(ARCHIVE_JOBS, ARCHIVE_JOBS.c.id == ARCHIVE_PARTS.c.job_id)
        .where(ARCHIVE_JOBS.c.job == job)
    )
    return {row.unit: row.sha256 for row in rows}


def put_part(connection: Connection, job_id: int, part: ArchivePart, at: datetime) -> bool:
    """Write a part down; False if this very part is there already. An earlier form of it goes."""
    mine = (ARCHIVE_PARTS.c.job_id == job_id) & (ARCHIVE_PARTS.c.unit == part.unit)
    before = connection.scalar(select(ARCHIVE_PARTS.c.sha256).where(mine))
    if before == part.sha256:
        return False
    if before is not None:
        table = ARCHIVE_PICTURES.c
        theirs = (table.job_id == job_id) & (table.unit == part.unit)
        connection.execute(delete(ARCHIVE_PICTURES).where(theirs))
        connection.execute(delete(ARCHIVE_PARTS).where(mine))
    images = _images(connection, part.pictures, at)
    _predictions(connection, part, images)
    rows = [_row(one, images, job_id, part) for one in part.pictures]
    if rows:
        connection.execute(insert(ARCHIVE_PICTURES), rows)
    values = {"job_id": job_id, "unit": part.unit, "pictures": len(rows), "sha256": part.sha256}
    connection.execute(insert(ARCHIVE_PARTS).values(**values, added_at=at))
    return True


def _images(
    connection: Connection, pictures: Sequence[ArchivePicture], at: datetime
) -> dict[str, int]:
    contents = {
        one.sha256: Content(one.size or 0, one.facts) for one in pictures if one.sha256 is not None
    }
    return ensure_contents(connection, contents, at) if contents else {}


def _predictions(connection: Connection, part: ArchivePart, images: Mapping[str, int]) -> None:
    judged = {
        (images[one.sha256], part.model): one.verdict
        for one in part.pictures
        if one.sha256 is not None and one.verdict is not None
    }
    classes = _present(connection, part.classes, part.judged_at)
    ensure_predictions(connection, judged, classes, part.judged_at)


def _present(connection: Connection, classes: Mapping[str, int], at: datetime) -> dict[str, int]:
    """The same ids; of classes that a log made anew has under another, that one."""
    asked = rows_in(connection, select(CLASSES.c.id), CLASSES.c.id, set(classes.values()))
    known = {row.id for row in asked}
    lost = [name for name, id_ in classes.items() if id_ not in known]
    return {**classes, **(ensure_classes(connection, lost, at) if lost else {})}


def _row(
    one: ArchivePicture, images: Mapping[str, int], job_id: int, part: ArchivePart
) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "unit": part.unit,
        "image_id": None if one.sha256 is None else images[one.sha256],
        "model": None if one.verdict is None else part.model,
        "path": display(one.path),
        "path_bytes": one.path,
        "size": one.size,
        "mtime_ns": one.mtime_ns,
        "etag": one.etag,
        "decision": one.decision,
        **reason_columns(one.reason),
    }


class ArchiveTopic(Topic):
    """Archives that were classified where they lie."""

    parts_of = reading(known_parts)

    def put(self, name: str, source: bytes, part: ArchivePart) -> bool:
        """Write one part down, whole or not at all; False if it is there already."""
        with self.write() as connection:
            at = now()
            job_id = add_job(connection, part.job, name, source, at)
            return put_part(connection, job_id, part, at)
