"""How many pictures lie in which folder, as far as the log knows: of indexes alone, but for few."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, exists, func, select

from imgsort.disk.display import display
from imgsort.store.paths import Anchor
from imgsort.store.standing_labels import newest_labels
from imgsort.store.tables import ARRIVALS, LABELS

_MOST_GONE = 100_000


@dataclass(frozen=True, slots=True)
class FolderCounts:
    """Files that are there."""

    sorted: int
    labelled: int
    """Of those in sorted/: what a person put there, or said is right."""
    unsure: int
    rejected: int
    gone: dict[str, int]
    """Pictures of which no file is left, by the class folder they were last seen in, the most
    first; ``""`` for those outside of any."""


def lying(connection: Connection, anchor: Anchor, folders: Sequence[Path]) -> FolderCounts:
    """``folders``: sorted/, unsure/ and rejected/, absolute."""
    inside, unsure, rejected = (_inside(anchor, folder) for folder in folders)
    return FolderCounts(
        sorted=_there(connection, inside),
        labelled=_labelled(connection, inside),
        unsure=_there(connection, unsure),
        rejected=_there(connection, rejected),
        gone=_gone(connection, anchor.stored(folders[0])),
    )


def _inside(anchor: Anchor, folder: Path) -> ColumnElement[bool]:
    start = anchor.stored(folder)
    return (ARRIVALS.c.path_bytes >= start + b"/") & (ARRIVALS.c.path_bytes < start + b"0")


def _there(connection: Connection, inside: ColumnElement[bool]) -> int:
    # A file under way has the path it comes from: only landed ones lie in these folders.
    every = connection.scalar(select(func.count()).select_from(ARRIVALS).where(inside)) or 0
    missing = select(func.count()).where(inside, ARRIVALS.c.missing_at.is_not(None))
    return every - (connection.scalar(missing) or 0)


def _labelled(connection: Connection, inside: ColumnElement[bool]) -> int:
    said = (
        select(func.count())
        .select_from(LABELS)
        .join(ARRIVALS, ARRIVALS.c.image_id == LABELS.c.image_id)
        .where(
            LABELS.c.id.in_(newest_labels()),
            LABELS.c.kind == "label",
            inside,
            ARRIVALS.c.missing_at.is_(None),
        )
    )
    return connection.scalar(said) or 0


def _gone(connection: Connection, base: bytes) -> dict[str, int]:
    other = ARRIVALS.alias("other")
    copy = exists().where(other.c.image_id == ARRIVALS.c.image_id, other.c.missing_at.is_(None))
    paths = connection.scalars(
        select(ARRIVALS.c.path_bytes)
        .where(ARRIVALS.c.missing_at.is_not(None), ~copy)
        .limit(_MOST_GONE)
    )
    folders = Counter(
        display(path[len(base) + 1 :].partition(b"/")[0]) if path.startswith(base + b"/") else ""
        for path in paths
    )
    return dict(folders.most_common())
