"""Statements compiled once and executed for many rows, without a look of SQLAlchemy at each row.

That look is most of what an insert of many rows costs: for each it makes a dictionary of
parameters, finds out how each is kept, and puts them into the order of the statement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Table, TypeDecorator, Update, insert

Row = tuple[Any, ...]
_TOGETHER = 32
"""Rows of one insert; a batch of the daemon has as many, or many times so many."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    text: str
    kept: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Places in a caller's row whose values are kept otherwise than as they are, and how."""
    constants: Row
    """What the statement brings itself; put behind each row."""
    order: Callable[[Row], Row]
    """From there into the order of the statement."""

    def stored(self, row: Row) -> Row:
        values = [*row, *self.constants]
        for place, told in self.kept:
            values[place] = told(values[place])
        return self.order(tuple(values))


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Insert rows of these columns: a fixed number with each statement, then the rest one by one.

    Between two statements Python's lock is given up and has to be waited for, which takes longer
    than the row.
    """
    whole = len(rows) - len(rows) % _TOGETHER
    if whole:
        prepared = _prepared(_insert(table), columns, connection.dialect)
        stored = [prepared.stored(row) for row in rows[:whole]]
        values = ", ".join([f"({', '.join('?' * len(stored[0]))})"] * _TOGETHER)
        text = f"{prepared.text.rpartition('VALUES')[0]}VALUES {values}"
        many = (stored[start : start + _TOGETHER] for start in range(0, whole, _TOGETHER))
        connection.exec_driver_sql(text, [tuple(chain.from_iterable(each)) for each in many])
    execute_each(connection, _insert(table), columns, rows[whole:])


def execute_each(
    connection: Connection, statement: Insert | Update, names: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Execute for each row; ``names`` are those of its values, which are parameters or, of an
    insert, columns. The statement must be a constant: it is known again by being the same object.
    """
    if rows:
        prepared = _prepared(statement, names, connection.dialect)
        connection.exec_driver_sql(prepared.text, [prepared.stored(row) for row in rows])


@lru_cache(maxsize=32)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=64)
def _prepared(statement: Insert | Update, names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    columns = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    wanted = compiled.positiontup or []
    brought = tuple(name for name in dict.fromkeys(wanted) if name not in names)
    places = {name: place for place, name in enumerate((*names, *brought))}
    types = {places[name]: compiled.binds[name].type for name in wanted}
    told = {
        place: one.bind_processor(dialect)
        for place, one in types.items()
        if isinstance(one, TypeDecorator)  # SQLite's own module takes all others
    }
    return _Prepared(
        text=str(compiled),
        kept=tuple((place, one) for place, one in told.items() if one is not None),
        constants=tuple(compiled.params[name] for name in brought),
        order=itemgetter(*(places[name] for name in wanted)),
    )
