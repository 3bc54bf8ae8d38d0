"""Paths in the journal follow the folders that people rename, so that undo finds its way back.

Every function takes an open connection: the caller owns the transaction.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select, update

from imgsort.store.file_columns import path_values
from imgsort.store.paths import Anchor
from imgsort.store.tables import ARRIVALS, MOVES

_ENDS = (("source", MOVES.c.source_bytes), ("target", MOVES.c.target_bytes))


def reroute(connection: Connection, anchor: Anchor, folders: Mapping[str, str]) -> None:
    """Moves that are done: what led from or to a folder leads from or to where it is now.

    ``folders``: former -> present, absolute. Two may exchange their names.
    """
    known = {anchor.stored(former): anchor.stored(now) for former, now in folders.items()}
    for name, column in _ENDS:
        rows = [
            {"move": row.id, **path_values(path, name)}
            for row in connection.execute(_below(known, column))
            if (path := _rerouted(known, row.path)) is not None
        ]
        if rows:
            statement = update(MOVES).where(MOVES.c.id == bindparam("move"))
            connection.execute(statement, rows)


def resettle(
    connection: Connection, anchor: Anchor, folders: Mapping[str, str], paths: Mapping[int, str]
) -> None:
    """A picture folder has another path: its files' paths, and the journal's."""
    stored = {arrival: anchor.stored(path) for arrival, path in paths.items()}
    connection.execute(
        update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival")),
        [{"arrival": arrival, **path_values(path)} for arrival, path in stored.items()],
    )
    reroute(connection, anchor, folders)


def rename_folder(connection: Connection, anchor: Anchor, old: Path, new: Path) -> None:
    """Whatever lay below one folder lies below the other, missing files too, and the journal says
    so."""
    reroute(connection, anchor, {str(old): str(new)})
    start, end = anchor.stored(old), anchor.stored(new)
    rows = connection.execute(
        select(ARRIVALS.c.id, ARRIVALS.c.path_bytes).where(
            ARRIVALS.c.path_bytes >= start + b"/", ARRIVALS.c.path_bytes < start + b"0"
        )
    ).all()
    moved = [(row.id, end + row.path_bytes[len(start) :]) for row in rows]
    if moved:
        connection.execute(
            update(ARRIVALS).where(ARRIVALS.c.id == bindparam("arrival")),
            [{"arrival": arrival, **path_values(path)} for arrival, path in moved],
        )


def _below(folders: Mapping[bytes, bytes], column: ColumnElement[bytes]) -> Any:
    inside = [column.between(former + b"/", former + b"0") for former in folders]
    # "0" is the byte after "/"
    return select(MOVES.c.id, column.label("path")).where(MOVES.c.state == "done", or_(*inside))


def _rerouted(folders: Mapping[bytes, bytes], path: bytes) -> bytes | None:
    return next(
        (
            now + path[len(former) :]
            for former, now in folders.items()
            if path.startswith(former + b"/")
        ),
        None,
    )
