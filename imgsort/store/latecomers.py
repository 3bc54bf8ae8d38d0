"""Pictures that a sidecar may have come too late for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from imgsort.store.chunks import rows_in
from imgsort.store.paths import Anchor
from imgsort.store.tables import ARRIVALS


@dataclass(frozen=True, slots=True)
class Filed:
    """A picture that was filed, under the name it had in the inbox."""

    arrival_id: int
    name: bytes
    subfolder: bytes
    path: Path
    """Where it is now, as far as is known."""


def filed_since(
    connection: Connection, anchor: Anchor, subfolders: Collection[bytes], since: datetime
) -> list[Filed]:
    """Pictures out of these folders of the inbox (``b""`` is the inbox itself)."""
    asked = select(
        ARRIVALS.c.id, ARRIVALS.c.name_bytes, ARRIVALS.c.subfolder_bytes, ARRIVALS.c.path_bytes
    ).where(
        ARRIVALS.c.arrived_at >= since,
        ARRIVALS.c.state == "filed",
        ARRIVALS.c.missing_at.is_(None),
    )
    return [
        Filed(row.id, row.name_bytes, row.subfolder_bytes, anchor.absolute(row.path_bytes))
        for row in rows_in(connection, asked, ARRIVALS.c.subfolder_bytes, sorted(subfolders))
    ]
