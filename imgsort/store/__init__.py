"""imgsort.db: the prediction log and the journal of moves. The only SQL is in this package.

``tables`` has the columns, ``schema`` and ``revision`` the way from one to the next, ``engine`` the
connection, ``topic`` what turns queries into methods; ``Store`` names the topics
(``store.labels``). ``embeddings`` is a database of its own, which may be deleted at any time.
An *anchor* turns paths into those that the database keeps, relative to the workspace.

The names below are imported when they are asked for: SQLAlchemy takes half a second of a core,
which `imgsort health` can do without.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgsort.store.overview import ClassCount, Overview
    from imgsort.store.store import Store

__all__ = ["ClassCount", "Overview", "Store"]


def __getattr__(name: str) -> Any:
    if name == "Store":
        from imgsort.store.store import Store

        return Store
    if name in __all__:
        from imgsort.store import overview

        return getattr(overview, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
