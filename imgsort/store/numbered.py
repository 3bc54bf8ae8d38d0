"""Many rows at once, whose numbers somebody needs to know."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select


def insert_numbered(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]]
) -> Sequence[int]:
    """Insert rows, all with the same keys; the answer is their ids, in their order.

    They get the numbers that SQLite would give them, the next after the highest. Nobody else writes
    meanwhile, so none has to be asked for row by row, which takes twice as long.
    """
    if not rows:
        return ()
    highest = connection.scalar(select(func.max(table.c.id)))
    ids = range((highest or 0) + 1, (highest or 0) + 1 + len(rows))
    numbered = [{"id": number, **row} for number, row in zip(ids, rows, strict=True)]
    connection.execute(insert(table), numbered)
    return ids
