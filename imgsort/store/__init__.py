"""imgsort.db: the prediction log and the journal of moves. The only SQL is in this package."""

from imgsort.store.overview import ClassCount, Overview
from imgsort.store.store import Store

__all__ = ["ClassCount", "Overview", "Store"]
