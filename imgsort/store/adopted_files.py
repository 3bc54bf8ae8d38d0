"""Files that people put into the folders: their rows, and what is in them once they are opened.

Every function takes an open connection: the caller owns the transaction.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from imgsort.images import ImageFacts
from imgsort.records.files import Adopted, Edited
from imgsort.records.reasons import FOUND_AGAIN, PUT_HERE, Reason, ReasonCode
from imgsort.store.edits import UNREAD, is_uncompared, note_unread
from imgsort.store.file_columns import identity_values, path_values
from imgsort.store.images import facts_columns, image_ids
from imgsort.store.paths import Anchor
from imgsort.store.predictions import ensure_classes
from imgsort.store.reasons import reason_columns
from imgsort.store.tables import ARRIVALS, IMAGES

_UNOPENED = {
    PUT_HERE: ReasonCode.PUT_HERE_UNREADABLE,
    FOUND_AGAIN: ReasonCode.FOUND_AGAIN_UNREADABLE,
}
"""Reasons of arrivals that nobody has opened -> what becomes of them when that was in vain."""


def adopt(
    connection: Connection, anchor: Anchor, adopted: Sequence[Adopted], now: datetime
) -> None:
    if not adopted:
        return
    images = ensure_contents(connection, adopted, now)
    classes = ensure_classes(connection, (one.filed_as for one in adopted if one.filed_as), now)
    rows = [
        {
            "image_id": images[one.sha256],
            **_name_values(one.file.path, one.subfolder),
            **path_values(anchor.stored(one.file.path)),
            **identity_values(one.file.identity),
            "decision": one.decision,
            "class_id": classes.get(one.filed_as or ""),
            **reason_columns(FOUND_AGAIN if one.found_again else PUT_HERE),
            "state": "filed",
            "arrived_at": now,
            "filed_at": now,
        }
        for one in adopted
    ]
    connection.execute(insert(ARRIVALS), rows)


def ensure_contents(
    connection: Connection, adopted: Sequence[Adopted | Edited], now: datetime
) -> dict[str, int]:
    sizes = {one.sha256: one.file.identity.size for one in adopted}
    found = image_ids(connection, sizes)
    fresh = [
        {"sha256": sha256, "size": size, "first_seen_at": now}
        for sha256, size in sizes.items()
        if sha256 not in found
    ]
    if fresh:
        connection.execute(insert(IMAGES), fresh)
        found = image_ids(connection, sizes)
    return found


def unexamined(connection: Connection, anchor: Anchor) -> dict[str, Path]:
    """Contents that were adopted, or edited, and never opened -> a file of each."""
    unopened = [before.code for before in _UNOPENED]
    rows = connection.execute(
        select(IMAGES.c.sha256, ARRIVALS.c.path_bytes)
        .join(ARRIVALS, ARRIVALS.c.image_id == IMAGES.c.id)
        .where(
            (IMAGES.c.width.is_(None) & ARRIVALS.c.reason_code.in_(unopened)) | is_uncompared(),
            ARRIVALS.c.missing_at.is_(None),
        )
    )
    return {row.sha256: anchor.absolute(row.path_bytes) for row in rows}


def note_unreadable(connection: Connection, sha256: str, reason: str, now: datetime) -> None:
    """An adopted file turned out to be no picture; it isn't opened again until it changes."""
    image = select(IMAGES.c.id).where(IMAGES.c.sha256 == sha256).scalar_subquery()
    for before, after in _UNOPENED.items():
        in_vain = Reason(after, f"{before.sentence}, {UNREAD}{reason}")
        connection.execute(
            update(ARRIVALS)
            .where(ARRIVALS.c.image_id == image, ARRIVALS.c.reason_code == before.code)
            .values(decision="rejected", **reason_columns(in_vain))
        )
    note_unread(connection, sha256, reason, now)


def note_facts(connection: Connection, sha256: str, facts: ImageFacts) -> None:
    """What was found out about a picture that was adopted without being opened."""
    connection.execute(
        update(IMAGES)
        .where(IMAGES.c.sha256 == sha256, IMAGES.c.width.is_(None))
        .values(facts_columns(facts))
    )


def _name_values(path: str, subfolder: str) -> dict[str, Any]:
    name = os.fsencode(os.path.basename(path))  # noqa: PTH119 - text, by the thousand
    return path_values(name, "name") | path_values(os.fsencode(subfolder), "subfolder")
