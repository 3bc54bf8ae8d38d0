"""Views stand in the way of a migration: they are dropped before it and made anew after."""

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from imgsort.store.archive_log import VIEW as ARCHIVE_VIEW
from imgsort.store.archive_log import archive_log
from imgsort.store.log import VIEW, prediction_log

_OURS = {VIEW: prediction_log, ARCHIVE_VIEW: archive_log}


def drop_views(connection: Connection) -> list[str]:
    """Drop every view, and answer with the statements that made those that users added."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid"
    ).all()
    for name, _ in rows:
        connection.exec_driver_sql(f'DROP VIEW "{name.replace(chr(34), chr(34) * 2)}"')
    return [sql for name, sql in rows if name not in _OURS]


def create_views(connection: Connection, others: Sequence[str]) -> None:
    """Make the views as this program defines them, then the users' own as they were."""
    for name, query in _OURS.items():
        log = query().compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {log}")
    for statement in others:
        connection.exec_driver_sql(statement)
