"""How many arrivals have landed, by decision and class: kept by triggers in ``arrival_counts``.

Counting a million arrivals takes SQLite a twentieth of a second, which `status` would pay each
time. A program that uses REPLACE, for which SQLite fires no trigger, makes the counts wrong, so
``doctor`` compares them with the rows.

Like the view, the triggers are no part of a revision: a table that is rebuilt loses them without a
word. They are dropped before a migration, and made anew, with the counts, after it.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, inspect, select

from imgsort.store.tables import ARRIVAL_COUNTS, ARRIVALS

NO_CLASS = 0
"""In ``class_id``, which as part of a key can't be null."""

_ADD = f"""
    INSERT INTO arrival_counts (decision, class_id, arrivals)
    SELECT NEW.decision, coalesce(NEW.class_id, {NO_CLASS}), 1 WHERE NEW.state = 'filed'
    ON CONFLICT (decision, class_id) DO UPDATE SET arrivals = arrivals + 1;
"""
_TAKE = f"""
    UPDATE arrival_counts SET arrivals = arrivals - 1 WHERE OLD.state = 'filed'
    AND decision = OLD.decision AND class_id = coalesce(OLD.class_id, {NO_CLASS});
"""  # noqa: S608 - a constant
_TRIGGERS = {
    "arrival_counts_insert": f"AFTER INSERT ON arrivals BEGIN {_ADD} END",
    "arrival_counts_delete": f"AFTER DELETE ON arrivals BEGIN {_TAKE} END",
    "arrival_counts_update": (
        f"AFTER UPDATE OF state, decision, class_id ON arrivals BEGIN {_TAKE} {_ADD} END"
    ),
}


@dataclass(frozen=True, slots=True)
class ArrivalKind:
    """What arrivals are counted by."""

    decision: str
    class_id: int | None


def counts(connection: Connection) -> Counter[ArrivalKind]:
    """Arrivals whose file has landed."""
    columns = ARRIVAL_COUNTS.c
    statement = select(columns.decision, columns.class_id, columns.arrivals)
    rows = connection.execute(statement.order_by(columns.class_id, columns.decision)).all()
    return Counter({ArrivalKind(row[0], row[1] or None): row[2] for row in rows if row[2]})


def recounted(connection: Connection) -> Counter[ArrivalKind]:
    """The same, from every row of ``arrivals``."""
    columns = (ARRIVALS.c.decision, ARRIVALS.c.class_id)
    statement = select(*columns, func.count()).where(ARRIVALS.c.state == "filed").group_by(*columns)
    return Counter({ArrivalKind(row[0], row[1]): row[2] for row in connection.execute(statement)})


def are_kept(connection: Connection) -> bool:
    """Are the table and all its triggers there?"""
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'arrivals'"
    there = set(connection.exec_driver_sql(names).scalars())
    return _has_counts(connection) and there >= set(_TRIGGERS)


def stop_counting(connection: Connection) -> None:
    """Drop the triggers and forget the counts, whatever revision the database is at."""
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    if _has_counts(connection):
        connection.execute(delete(ARRIVAL_COUNTS))


def start_counting(connection: Connection) -> None:
    """Count, after ``stop_counting``, and let triggers keep the counts from here on."""
    if not _has_counts(connection):
        return  # at a revision before they were
    rows = [
        {
            "decision": kind.decision,
            "class_id": kind.class_id or NO_CLASS,
            "arrivals": number,
        }
        for kind, number in recounted(connection).items()
    ]
    if rows:
        connection.execute(insert(ARRIVAL_COUNTS), rows)
    for name, what in _TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {what}")


def _has_counts(connection: Connection) -> bool:
    return inspect(connection).has_table(ARRIVAL_COUNTS.name)
