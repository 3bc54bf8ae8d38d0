"""Finding logged pictures by what people call them: id, path, content, original name, folder."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from imgsort.records.pictures import LoggedPicture
from imgsort.store.chunks import rows_in
from imgsort.store.file_columns import identity_columns, identity_if_known
from imgsort.store.latecomers import filed_since
from imgsort.store.listing import below as is_below
from imgsort.store.listing import gathered_columns, lying
from imgsort.store.paths import Anchor
from imgsort.store.standing_labels import newest_labels, stands
from imgsort.store.tables import ARRIVALS, CLASSES, IMAGES, LABELS, MOVES
from imgsort.store.topic import Topic, reading, reading_paths

if TYPE_CHECKING:
    from array import array

_AFTER_HEX = "g"
"""Sorts after every hex digit."""


def by_ids(connection: Connection, anchor: Anchor, ids: Collection[int]) -> list[LoggedPicture]:
    return _each(connection, anchor, ARRIVALS.c.id, ids)


def by_paths(
    connection: Connection, anchor: Anchor, paths: Collection[Path]
) -> list[LoggedPicture]:
    """``paths`` are absolute."""
    return _each(connection, anchor, ARRIVALS.c.path_bytes, [anchor.stored(path) for path in paths])


def by_sha256s(
    connection: Connection, anchor: Anchor, sha256s: Collection[str]
) -> list[LoggedPicture]:
    return _each(connection, anchor, IMAGES.c.sha256, sha256s)


def by_prefix(connection: Connection, anchor: Anchor, prefix: str) -> list[LoggedPicture]:
    """``prefix``: the first lower-case hex digits of a SHA-256."""
    inside = IMAGES.c.sha256.between(prefix, prefix + _AFTER_HEX)
    return _all(connection, anchor, inside)


def by_names(connection: Connection, anchor: Anchor, names: Collection[str]) -> list[LoggedPicture]:
    """By original file name, in its display form. Reads the whole table, once for 500 names."""
    return _each(connection, anchor, ARRIVALS.c.name, names)


def original_names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(ARRIVALS.c.name).distinct()))


def below(connection: Connection, anchor: Anchor, folder: Path) -> list[LoggedPicture]:
    """Pictures whose file lies in this folder (absolute), or in one below it."""
    return _all(connection, anchor, is_below(anchor, folder))


def corrected(
    connection: Connection, anchor: Anchor, classes: Collection[str], *, unsure: bool
) -> list[LoggedPicture]:
    """Those that a model filed as one of these classes, or was ``unsure`` of, and that somebody has
    picked and called something since."""
    picked = LABELS.alias("picked")
    images = select(picked.c.image_id).where(
        picked.c.id.in_(newest_labels()),
        picked.c.kind == "label",
        picked.c.representative.is_(False),
    )
    filed = (ARRIVALS.c.decision != "unsure") & CLASSES.c.name.in_(classes)
    origin = filed | (ARRIVALS.c.decision == "unsure") if unsure else filed
    wanted = ARRIVALS.c.image_id.in_(images) & ARRIVALS.c.model.is_not(None) & origin
    return _all(connection, anchor, wanted) if classes or unsure else []


def not_audited(connection: Connection, decisions: Sequence[str]) -> list[int]:
    """Arrivals that an audit may draw, one for each image: the newest that has its file. In the
    order of their ids.

    ``decisions``: which of filed and unsure.

    Left out are images that an audit has asked about before, and those that a person said never
    to use: nothing can be right about them.
    """
    audited = select(LABELS.c.image_id).where(LABELS.c.source == "audit", stands())
    holding, once = LABELS.alias("holding"), LABELS.alias("once")
    refused = LABELS.c.image_id.in_(select(once.c.image_id).where(once.c.kind == "never_use"))
    never = select(holding.c.image_id).where(
        holding.c.id.in_(newest_labels(refused)), holding.c.kind == "never_use"
    )
    wanted = select(ARRIVALS.c.id, ARRIVALS.c.image_id).where(
        *lying(),
        ARRIVALS.c.decision.not_in({"filed", "unsure", "rejected"}.difference(decisions)),
        ARRIVALS.c.model + 0 >= 0,
        ARRIVALS.c.image_id.not_in(audited),
        ARRIVALS.c.image_id.not_in(never),
    )
    return _newest_of_each(*gathered_columns(connection, wanted))


def _newest_of_each(ids: "array[int]", images: "array[int]") -> list[int]:
    """The greatest id of each image, in order: of a million in the time of a few queries."""
    import numpy as np

    if not ids:
        return []
    numbers, of = np.frombuffer(ids, np.int64), np.frombuffer(images, np.int64)
    order = np.argsort(numbers, kind="stable")
    newest = np.zeros(of.max() + 1, np.int64)
    newest[of[order]] = numbers[order]  # of several at one place the last stays
    found: list[int] = np.sort(newest[newest > 0]).tolist()
    return found


def _each(
    connection: Connection, anchor: Anchor, column: ColumnElement[Any], wanted: Collection[Any]
) -> list[LoggedPicture]:
    """Those with one of these values; of one value the newest arrival first."""
    rows = rows_in(connection, _landed(), column, sorted(wanted))
    return [_logged(anchor, row) for row in rows]


def _all(
    connection: Connection, anchor: Anchor, condition: ColumnElement[bool]
) -> list[LoggedPicture]:
    """Newest arrival first."""
    return [_logged(anchor, row) for row in connection.execute(_landed().where(condition))]


def _landed() -> Select[*tuple[Any, ...]]:
    given = (
        select(MOVES.c.target_bytes)
        .where(
            MOVES.c.arrival_id == ARRIVALS.c.id, MOVES.c.state == "done", MOVES.c.cause != "sidecar"
        )
        .order_by(MOVES.c.id.desc())
        .limit(1)
        .correlate(ARRIVALS)
        .scalar_subquery()
    )
    return (
        select(
            *(ARRIVALS.c.id, IMAGES.c.sha256, ARRIVALS.c.path_bytes, ARRIVALS.c.name_bytes),
            *identity_columns(ARRIVALS),
            *(ARRIVALS.c.subfolder_bytes, ARRIVALS.c.decision, ARRIVALS.c.confidence),
            *(ARRIVALS.c.model, ARRIVALS.c.arrived_at, ARRIVALS.c.missing_at),
            ARRIVALS.c.edited_from,
            *(IMAGES.c.width, IMAGES.c.captured_at, IMAGES.c.camera),
            *(CLASSES.c.name.label("guess"), given.label("given")),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .outerjoin(CLASSES, CLASSES.c.id == ARRIVALS.c.class_id)
        .where(ARRIVALS.c.state == "filed")
        .order_by(ARRIVALS.c.id.desc())
    )


def _logged(anchor: Anchor, row: Row[*tuple[Any, ...]]) -> LoggedPicture:
    return LoggedPicture(
        arrival_id=row.id,
        sha256=row.sha256,
        path=anchor.absolute(row.path_bytes),
        identity=identity_if_known(row),
        name=row.name_bytes,
        given_name=None if row.given is None else os.path.basename(row.given),  # noqa: PTH119 - bytes
        subfolder=row.subfolder_bytes,
        decision=row.decision,
        guess=row.guess,
        confidence=row.confidence,
        model=row.model,
        arrived_at=row.arrived_at,
        readable=row.width is not None or (row.decision != "rejected" and row.edited_from is None),
        captured_at=row.captured_at,
        camera=row.camera,
        missing=row.missing_at is not None,
    )


class PictureTopic(Topic):
    """Logged pictures by what people call them."""

    by_ids = reading_paths(by_ids)
    at = reading_paths(by_paths)
    below = reading_paths(below)
    with_contents = reading_paths(by_sha256s)
    with_prefix = reading_paths(by_prefix)
    named = reading_paths(by_names)
    corrected = reading_paths(corrected)
    original_names = reading(original_names)
    not_audited = reading(not_audited)
    filed_since = reading_paths(filed_since)
