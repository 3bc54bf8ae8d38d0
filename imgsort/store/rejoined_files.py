"""A picture that was changed and moved in one go: its old arrival goes on with the new file.

A look at the folders finds one file missing and another new; only their pixels tell that they are
one picture. Every function takes an open connection: the caller owns the transaction.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from imgsort.records.reasons import PUT_HERE
from imgsort.records.same_picture import Looks, Lost
from imgsort.store.edits import keep, unsay_place
from imgsort.store.paths import Anchor
from imgsort.store.reasons import reason_columns
from imgsort.store.tables import ARRIVALS, IMAGES, LABELS, MOVES

_OF_THE_FILE = ("path", "path_bytes", "dev", "ino", "size", "mtime_ns", "image_id")


def lost_since(connection: Connection, anchor: Anchor, since: datetime) -> list[Lost]:
    """Pictures that could be read once, and were found missing after that moment."""
    rows = connection.execute(
        select(
            *(ARRIVALS.c.id, ARRIVALS.c.path_bytes, ARRIVALS.c.dev, ARRIVALS.c.ino),
            *(IMAGES.c.dhash, IMAGES.c.captured_at, IMAGES.c.camera),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .where(ARRIVALS.c.missing_at >= since, IMAGES.c.dhash.is_not(None))
    )
    return [
        Lost(
            *(row.id, anchor.absolute(row.path_bytes), row.dev, row.ino),
            Looks(int(row.dhash, 16), row.captured_at, row.camera),
        )
        for row in rows
    ]


def rejoin(
    connection: Connection, lost: int, found: int, moved_to: str | None, now: datetime
) -> bool:
    """``found`` is the arrival that the new file got; ``moved_to``: the room it lies in now, None
    if it is the place where it lay. False where something has happened to either since.
    """
    there = _untouched(connection, found)
    missing = select(ARRIVALS.c.id).where(ARRIVALS.c.id == lost, ARRIVALS.c.missing_at.is_not(None))
    if there is None or connection.scalar(missing) is None:
        return False
    nobody = ARRIVALS.c.model.is_(None)
    connection.execute(delete(ARRIVALS).where(ARRIVALS.c.id == found))
    connection.execute(
        update(ARRIVALS)
        .where(ARRIVALS.c.id == lost)
        .values(
            edited_from=func.coalesce(ARRIVALS.c.edited_from, ARRIVALS.c.image_id),
            missing_at=None,
            decision=case((nobody, there["decision"]), else_=ARRIVALS.c.decision),
            **{
                name: case((nobody, value), else_=ARRIVALS.c[name])
                for name, value in reason_columns(PUT_HERE).items()
            },
            **{name: there[name] for name in _OF_THE_FILE},
        )
    )
    if moved_to is None:
        unsay_place(connection, there["image_id"], now)
    elif moved_to == "unsure":  # other rooms have said their word of the new file
        said = {"kind": "withdrawn", "source": "move", "representative": False, "labelled_at": now}
        connection.execute(insert(LABELS).values({**said, "image_id": there["image_id"]}))
    keep(connection, lost)
    return True


def _untouched(connection: Connection, found: int) -> dict[str, Any] | None:
    """The arrival's row, if it is as a look made it."""
    moved = select(MOVES.c.id).where(MOVES.c.arrival_id == found).exists()
    columns = [ARRIVALS.c[name] for name in (*_OF_THE_FILE, "decision")]
    row = connection.execute(
        select(*columns).where(
            ARRIVALS.c.id == found,
            ARRIVALS.c.model.is_(None),
            ARRIVALS.c.reason_code == PUT_HERE.code,
            ARRIVALS.c.missing_at.is_(None),
            ARRIVALS.c.edited_from.is_(None),
            ~moved,
        )
    )
    there = row.mappings().one_or_none()
    return None if there is None else dict(there)
