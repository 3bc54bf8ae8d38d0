"""A list too long for one query, in parts: SQLite takes a limited number of variables."""

from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select

CHUNK = 500

Item = TypeVar("Item")


def parts(wanted: Collection[Item]) -> Iterator[list[Item]]:
    """Lists of at most ``CHUNK`` of them; none where there are none."""
    ordered = list(wanted)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def rows_in(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any],
    wanted: Collection[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows in which ``column`` has one of these values; in the query's order part by part."""
    for part in parts(wanted):
        yield from connection.execute(query.where(column.in_(part)))
