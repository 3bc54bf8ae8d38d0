"""One row per image content, however many files of it arrived."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from imgsort.images import ImageFacts
from imgsort.records.journal import Plan
from imgsort.store.chunks import parts, rows_in
from imgsort.store.numbered import insert_numbered
from imgsort.store.tables import ARCHIVE_PICTURES, ARRIVALS, IMAGES, LABELS, PREDICTIONS


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of bytes besides their hash; no facts of those that are no picture."""

    size: int
    facts: ImageFacts | None


def ensure_images(connection: Connection, plans: Sequence[Plan], now: datetime) -> dict[str, int]:
    """The id of each new arrival's image, by sha256; unknown images are added.

    An image that could not be read before and now can (a limit was raised) gets its facts.
    """
    contents = {
        plan.sha256: Content(plan.identity.size, _facts(plan)) for plan in plans if plan.arrival
    }
    return ensure_contents(connection, contents, now) if contents else {}


_KNOWN = select(IMAGES.c.id, IMAGES.c.sha256, IMAGES.c.width)


def ensure_contents(
    connection: Connection, wanted: Mapping[str, Content], now: datetime
) -> dict[str, int]:
    """The id of each content's row, by sha256; the same rules."""
    rows = list(rows_in(connection, _KNOWN, IMAGES.c.sha256, wanted))
    known = {row.sha256: row.id for row in rows}
    for row in rows:
        facts = wanted[row.sha256].facts
        if row.width is None and facts is not None:
            connection.execute(
                update(IMAGES).where(IMAGES.c.id == row.id).values(facts_columns(facts))
            )
    fresh = [sha256 for sha256 in wanted if sha256 not in known]
    added = [(sha256, *_values(wanted[sha256]), now) for sha256 in fresh]
    ids = insert_numbered(connection, IMAGES, ("sha256", "size", *_FACTS, "first_seen_at"), added)
    return known | dict(zip(fresh, ids, strict=True))


def image_ids(connection: Connection, sha256s: Collection[str]) -> dict[str, int]:
    """The rows of these contents; the unknown are left out."""
    asked = select(IMAGES.c.sha256, IMAGES.c.id)
    rows = rows_in(connection, asked, IMAGES.c.sha256, sha256s)
    return {row.sha256: row.id for row in rows}


def _facts(plan: Plan) -> ImageFacts | None:
    return plan.arrival.facts if plan.arrival else None


_FACTS = ("width", "height", "format", "captured_at", "camera", "dhash")
_NO_FACTS = (None,) * len(_FACTS)


def _values(content: Content) -> tuple[Any, ...]:
    facts = content.facts
    if facts is None:
        return content.size, *_NO_FACTS
    shape = facts.width, facts.height, facts.format
    return content.size, *shape, facts.captured_at, facts.camera, f"{facts.dhash:016x}"


def facts_columns(facts: ImageFacts) -> dict[str, Any]:
    _, *values = _values(Content(0, facts))
    return dict(zip(_FACTS, values, strict=True))


def remove_unused_images(connection: Connection, image_ids: Collection[int]) -> None:
    """Delete those that no arrival, label or archive stands for, their predictions first."""
    for part in parts(image_ids):
        unused = connection.scalars(
            select(IMAGES.c.id).where(
                IMAGES.c.id.in_(part),
                ~exists().where(ARRIVALS.c.image_id == IMAGES.c.id),
                ~exists().where(ARRIVALS.c.edited_from == IMAGES.c.id),
                ~exists().where(LABELS.c.image_id == IMAGES.c.id),
                ~exists().where(ARCHIVE_PICTURES.c.image_id == IMAGES.c.id),
            )
        ).all()
        connection.execute(delete(PREDICTIONS).where(PREDICTIONS.c.image_id.in_(unused)))
        connection.execute(delete(IMAGES).where(IMAGES.c.id.in_(unused)))
