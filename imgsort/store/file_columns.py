"""The columns of several tables that tell which file is meant, and where it is."""

from typing import Any

from sqlalchemy import Column, Row, Table

from imgsort.disk.display import display
from imgsort.disk.identity import Identity

_NAMES = ("dev", "ino", "size", "mtime_ns")


def identity_columns(table: Table) -> tuple[Column[Any], ...]:
    """To be selected for ``identity_of``."""
    return tuple(table.c[name] for name in _NAMES)


def identity_of(row: Row[*tuple[Any, ...]]) -> Identity:
    return Identity(row.dev, row.ino, row.size, row.mtime_ns)


def identity_if_known(row: Row[*tuple[Any, ...]]) -> Identity | None:
    """Of an arrival, which may not have landed yet."""
    return None if row.ino is None else identity_of(row)


def identity_values(identity: Identity, prefix: str = "") -> dict[str, int]:
    """To be written; ``prefix`` is of the columns' names, or of parameters'."""
    return {f"{prefix}{name}": getattr(identity, name) for name in _NAMES}


def identity_numbers(identity: Identity) -> tuple[int, int, int, int]:
    """The same without the names, for rows by the hundred."""
    return identity.dev, identity.ino, identity.size, identity.mtime_ns


def path_values(stored: bytes, column: str = "path") -> dict[str, Any]:
    """A path, or a name, to be written: as people can read it, and exactly."""
    return {column: display(stored), f"{column}_bytes": stored}
