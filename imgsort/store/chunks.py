"""A list too long for one query: in parts, or as one value that SQLite takes apart.

SQLite takes a limited number of variables, and an IN list of another length is another statement,
to be compiled anew by SQLAlchemy and by SQLite. So numbers and texts go as one JSON list.
"""

import json
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select

CHUNK = 500

Item = TypeVar("Item")

_LISTED = select(func.json_each(bindparam("listed")).table_valued("value").c.value)


def parts(wanted: Collection[Item]) -> Iterator[list[Item]]:
    """Lists of at most ``CHUNK`` of them; none where there are none."""
    ordered = list(wanted)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def rows_in(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any],
    wanted: Collection[Any],
    **named: Any,
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows in which ``column`` has one of these values; in the query's order part by part.

    ``named``: values of the query's own parameters, so that it can be a constant.
    """
    told = column.type.bind_processor(connection.dialect)
    for part in parts(wanted):
        if isinstance(part[0], bytes):  # JSON has none
            yield from connection.execute(query.where(column.in_(part)), named)
        else:
            stored = part if told is None else [told(value) for value in part]
            listed = {"listed": json.dumps(stored)}
            yield from connection.execute(_limited(query, column), listed | named)


@lru_cache(maxsize=64)
def _limited(
    query: Select[*tuple[Any, ...]], column: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    """Of a query that is a constant this is made once."""
    return query.where(column.in_(_LISTED))
