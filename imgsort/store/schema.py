"""Bringing imgsort.db to the schema this program knows, or refusing to touch it.

Alembic's table rebuild drops and renames tables. With foreign keys on that silently deletes the
rows that refer to them, and while a view stands it fails. So a migration is one transaction with
foreign keys off and no view, whose rows are counted before and after; a populated database is
copied first. Alembic is loaded only when there is something to migrate.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, NullPool, create_engine, event, inspect

from imgsort.disk.durable import sync_folder
from imgsort.errors import DatabaseProblem
from imgsort.store.arrival_counts import start_counting, stop_counting
from imgsort.store.engine import connect, damaged, require_writable, translated, write_ahead
from imgsort.store.revision import head_revision, newer, require_current, revision_of
from imgsort.store.view import create_views, drop_views

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True, slots=True)
class Migrated:
    """What ``migrate`` did. ``before`` is None for a new database."""

    before: str | None
    after: str
    snapshot: Path | None
    """The copy made first; None when there was nothing to lose or to do."""

    @property
    def changed(self) -> bool:
        return self.before != self.after


def migrate(database: Path, *, scripts: Path | None = None) -> Migrated:
    """Bring the database to the newest revision, making it if it is missing.

    All or nothing: a kill at any moment leaves the old schema or the new one. Hold ``state/lock``
    around it. Raises DatabaseProblem, StoreFull, StoreBusy or StoreBroken with nothing changed.
    """
    with _configuration(scripts) as config:
        known = _revisions(config)
        before = revision_of(database)
        if before is not None and before not in known:
            raise newer(database, before, known[-1])
        if before == known[-1]:
            return Migrated(before, before, None)
        if database.exists():
            require_writable(database)
        with translated(database):
            with closing(connect(database, mode="rwc")) as connection:
                _require_sound(database, connection)
            write_ahead(database)
            snapshot = _upgrade(database, config, known[-1])
    return Migrated(before, known[-1], snapshot)


def _require_sound(database: Path, connection: sqlite3.Connection) -> None:
    found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise damaged(database, str(found[0]))


def _upgrade(database: Path, config: "Config", head: str) -> Path | None:
    with _one_transaction(database) as connection:
        stop_counting(connection)
        rows = _row_counts(connection)
        snapshot = _snapshot(database, head) if any(rows.values()) else None
        views = drop_views(connection)
        _run_revisions(config, connection)
        create_views(connection, views)
        start_counting(connection)
        _require_complete(connection, rows)
    return snapshot


@contextmanager
def _one_transaction(database: Path) -> Iterator[Connection]:
    """Hold the write lock, foreign keys off, from the first look to the commit."""
    engine = create_engine(
        "sqlite://",
        # Inside a transaction SQLite ignores this pragma without a word.
        creator=lambda: connect(database, foreign_keys=False),
        poolclass=NullPool,
    )
    event.listen(engine, "begin", lambda one: one.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        yield connection


def _snapshot(database: Path, head: str) -> Path:
    """Copy the database beside itself, whole or not at all, while its write lock is held."""
    target = database.with_name(f"{database.name}.before-{head}")
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        with closing(connect(database, mode="ro")) as reader:
            reader.execute("VACUUM INTO ?", (str(partial),))
        _sync(partial)
        partial.replace(target)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _row_counts(connection: Connection) -> dict[str, int]:
    preparer = connection.dialect.identifier_preparer
    tables = inspect(connection).get_table_names()
    return {
        name: connection.exec_driver_sql(
            f"SELECT count(*) FROM {preparer.quote_identifier(name)}"  # noqa: S608
        ).scalar_one()
        for name in tables
        if name != "alembic_version"
    }


def _require_complete(connection: Connection, before: dict[str, int]) -> None:
    after = _row_counts(connection)
    lost = [table for table, rows in before.items() if after.get(table, 0) < rows]
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if lost or dangling:
        tables = ", ".join(sorted({*lost, *(str(row[0]) for row in dangling)}))
        raise DatabaseProblem(
            f"The migration would have lost rows of {tables}, so it was undone and the database is "
            f"as it was; please report this with the output of `imgsort migrate`."
        )


def _revisions(config: "Config") -> list[str]:
    """Every revision the scripts hold, oldest first."""
    from alembic.script import ScriptDirectory

    walk = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in walk][::-1]


def _run_revisions(config: "Config", connection: Connection) -> None:
    from alembic import command

    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _configuration(scripts: Path | None = None) -> Iterator["Config"]:
    from alembic.config import Config

    with as_file(files("imgsort") / "migrations") as packaged:
        config = Config()
        # ConfigParser reads % as the start of a reference.
        config.set_main_option("script_location", str(scripts or packaged).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        yield config


__all__ = ["Migrated", "head_revision", "migrate", "require_current", "revision_of"]
