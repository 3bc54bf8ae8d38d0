"""Where the log believes that files lie, and which classes it knows.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from imgsort.disk.identity import Identity
from imgsort.records.files import KnownClass, KnownFile
from imgsort.store.chunks import rows_in
from imgsort.store.file_columns import identity_columns, identity_of
from imgsort.store.paths import Anchor
from imgsort.store.tables import ARRIVALS, CLASSES, IMAGES

_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An arrival of some content: where its file was, and who judged it."""

    arrival_id: int
    sha256: str
    path: Path
    identity: Identity
    model: int | None
    missing_at: datetime | None


def known_files(
    connection: Connection, anchor: Anchor, ids: Collection[int] | None = None
) -> Iterator[KnownFile]:
    """Every arrival whose file has landed, or those of them that are asked for."""
    names = {row.id: row.name for row in connection.execute(select(CLASSES.c.id, CLASSES.c.name))}
    statement = _known().execution_options(yield_per=_PAGE)
    rows: Iterable[Row[*tuple[Any, ...]]] = (
        connection.execute(statement)
        if ids is None
        else rows_in(connection, statement, ARRIVALS.c.id, sorted(ids))
    )
    for row in rows:
        yield _known_file(anchor, names, row)


def known_places(
    connection: Connection, anchor: Anchor, paths: Iterable[str] | None = None
) -> Iterator[tuple[str, Identity]]:
    """Path and identity of every landed file that isn't missing, or of those at these paths."""
    statement: Select[*tuple[Any, ...]] = (
        select(ARRIVALS.c.path_bytes, *identity_columns(ARRIVALS))
        .where(ARRIVALS.c.state == "filed", ARRIVALS.c.missing_at.is_(None))
        .execution_options(yield_per=_PAGE)
    )
    if paths is None:
        rows: Iterable[Row[*tuple[Any, ...]]] = connection.execute(statement)
    else:
        stored = [anchor.stored(path) for path in paths]
        rows = rows_in(connection, statement, ARRIVALS.c.path_bytes, stored)
    for path, *numbers in rows:  # by the hundred thousand: not by name
        yield anchor.text(path), Identity(*numbers)


def has_files_elsewhere(connection: Connection, anchor: Anchor, folder: Path, device: int) -> bool:
    """Should files lie below this folder that lay on another device when they were seen last?"""
    start = anchor.stored(folder)
    found = connection.execute(
        select(ARRIVALS.c.id)
        .where(
            ARRIVALS.c.path_bytes > start + b"/",
            ARRIVALS.c.path_bytes < start + b"0",  # the byte after "/"
            ARRIVALS.c.state == "filed",
            ARRIVALS.c.missing_at.is_(None),
            ARRIVALS.c.dev != device,
        )
        .limit(1)
    )
    return found.first() is not None


def _known() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ARRIVALS.c.id,
            ARRIVALS.c.path_bytes,
            *identity_columns(ARRIVALS),
            IMAGES.c.sha256,
            ARRIVALS.c.decision,
            ARRIVALS.c.class_id,
            ARRIVALS.c.missing_at.is_not(None),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .where(ARRIVALS.c.state == "filed")
    )


def _known_file(anchor: Anchor, names: dict[int, str], row: Row[*tuple[Any, ...]]) -> KnownFile:
    arrival_id, path, dev, ino, size, mtime_ns, sha256, decision, class_id, missing = row
    return KnownFile(
        arrival_id=arrival_id,
        location=anchor.text(path),
        identity=Identity(dev, ino, size, mtime_ns),
        sha256=sha256,
        decision=decision,
        class_name=names.get(class_id) if decision == "filed" else None,
        missing=bool(missing),
    )


def known_classes(connection: Connection) -> list[KnownClass]:
    """Every class, those in use last: of one name they are the ones that are meant."""
    return [KnownClass(*row) for row in connection.execute(_classes())]


def classes_with_folder(connection: Connection) -> list[KnownClass]:
    """Those whose folder has been seen: of the thousand of a first model a few."""
    seen = _classes().where(CLASSES.c.folder_dev.is_not(None))
    return [KnownClass(*row) for row in connection.execute(seen)]


def _classes() -> Select[*tuple[Any, ...]]:
    retired = CLASSES.c.retired_at.is_not(None)
    return select(
        *(CLASSES.c.id, CLASSES.c.name, CLASSES.c.folder_dev, CLASSES.c.folder_ino),
        retired.label("retired"),
    ).order_by(retired.desc(), CLASSES.c.retired_at, CLASSES.c.id)


_LANDED = (
    select(
        *(ARRIVALS.c.id, IMAGES.c.sha256, ARRIVALS.c.path_bytes),
        *(*identity_columns(ARRIVALS), ARRIVALS.c.model, ARRIVALS.c.missing_at),
    )
    .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
    .where(ARRIVALS.c.state == "filed")
)


def whereabouts(
    connection: Connection, anchor: Anchor, sha256s: Collection[str]
) -> list[Whereabouts]:
    """The landed arrivals of these contents."""
    return [
        Whereabouts(
            row.id,
            row.sha256,
            anchor.absolute(row.path_bytes),
            identity_of(row),
            row.model,
            row.missing_at,
        )
        for row in rows_in(connection, _LANDED, IMAGES.c.sha256, sha256s)
    ]
