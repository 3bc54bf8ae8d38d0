"""What every topic of the database has: a transaction a call, and paths relative to the workspace.

A query is a function of a connection. ``reading`` and ``writing`` make it a method of a topic, with
the function's own signature and docstring.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from imgsort.store.engine import Database
from imgsort.store.paths import Anchor

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Topic:
    """One transaction a call; what is written is written whole or not at all."""

    def __init__(self, database: Database, anchor: Anchor) -> None:
        self.database, self.anchor = database, anchor

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the database."""
        return self.database.reading()

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is the only one that writes."""
        return self.database.writing()


def reading(query: Callable[Concatenate[Connection, P], R]) -> Callable[Concatenate[Topic, P], R]:
    """A query as a method."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with topic.read() as connection:
            return query(connection, *args, **kwargs)

    return ask


def reading_paths(
    query: Callable[Concatenate[Connection, Anchor, P], R],
) -> Callable[Concatenate[Topic, P], R]:
    """A query that has to do with paths, as a method."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with topic.read() as connection:
            return query(connection, topic.anchor, *args, **kwargs)

    return ask


def streaming(
    query: Callable[Concatenate[Connection, P], Iterator[T]],
) -> Callable[Concatenate[Topic, P], Iterator[T]]:
    """A query whose rows are read as they are asked for, as a method."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        with topic.read() as connection:
            yield from query(connection, *args, **kwargs)

    return ask


def streaming_paths(
    query: Callable[Concatenate[Connection, Anchor, P], Iterator[T]],
) -> Callable[Concatenate[Topic, P], Iterator[T]]:
    """Both."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        with topic.read() as connection:
            yield from query(connection, topic.anchor, *args, **kwargs)

    return ask


def writing(query: Callable[Concatenate[Connection, P], R]) -> Callable[Concatenate[Topic, P], R]:
    """A change as a method."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with topic.write() as connection:
            return query(connection, *args, **kwargs)

    return ask


def writing_paths(
    query: Callable[Concatenate[Connection, Anchor, P], R],
) -> Callable[Concatenate[Topic, P], R]:
    """A change that has to do with paths, as a method."""

    @wraps(query)
    def ask(topic: Topic, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with topic.write() as connection:
            return query(connection, topic.anchor, *args, **kwargs)

    return ask


def now() -> datetime:
    return datetime.now(UTC)
