"""Lists that stand still while the daemon files: the ids of a view as it was when it was opened.

A million ids take 8 MB, so the page asks for its rows by place, and every place is as near as the
first. What came since is counted, and seen when the list is made anew.
"""

import secrets
import threading
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import numpy as np

from imgsort.records.rows import SheetRow
from imgsort.review.answers import row_json
from imgsort.review.call_refused import CallRefused
from imgsort.review.sheet_views import FOLDERS, Picked, Seems, View, picked, view_of
from imgsort.store import Store
from imgsort.store.listing import Wanted
from imgsort.store.tables import iso_utc
from imgsort.workspace.workspace import Workspace

MOST_ROWS = 200
"""Of one answer."""
_MOST_IDS = 4_000_000
_MOST_LISTS = 64
"""Of all lists that are kept; the one that was asked longest ago goes first."""
_NEAR = 500
"""Arrivals before and after a picture among which a burst is looked for."""
_ALIKE_BITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class KeptList:
    """One opened view."""

    key: str
    view: str
    of: Any
    ids: "array[int]"
    made_at: datetime
    newest: int
    """The newest arrival of then."""
    wanted: Wanted | None
    """What to ask the log for what came since; None where that isn't how it was made."""
    whole: bool = False
    """It shows all that lies in a class."""
    seems: dict[str, Seems] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "list": self.key,
            "view": self.view,
            "of": self.of,
            "total": len(self.ids),
            "made_at": iso_utc(self.made_at),
        }

    def places(self, ids: Collection[int]) -> list[int]:
        """Where these are in it, those that are."""
        if not self.ids:
            return []
        return np.flatnonzero(np.isin(np.frombuffer(self.ids, np.int64), list(ids))).tolist()


class Lists:
    """Every thread may ask."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._workspace, self._store = workspace, store
        self._kept: dict[str, KeptList] = {}
        self._lock = threading.Lock()

    def make(self, body: dict[str, Any]) -> KeptList:
        """Of a view that the log or a report answers. Raises CallRefused."""
        newest = self._store.lists.newest()
        if body.get("view") in ("suspects", "cell"):
            return self.keep_picked(body, picked(self._workspace, self._store, body))
        if body.get("view") not in FOLDERS:
            raise CallRefused(f"view is one of {', '.join(FOLDERS)}, next, suspects, cell, audit.")
        view = view_of(self._workspace, self._store, body)
        return self._keep(view, self._store.lists.ids(view.wanted, view.order), newest)

    def keep_picked(self, body: dict[str, Any], found: Picked) -> KeptList:
        """Contents in the order of a report, or of ``next``."""
        newest = self._store.lists.newest_of(found.sha256s)
        ids = array("q", [newest[one] for one in found.sha256s if one in newest])
        view = View(str(body["view"]), body.get("of"), Wanted(), "newest")
        return self._keep(view, ids, None, dict(found.seems))

    def keep_drawn(self, run_id: int, ids: Sequence[int]) -> KeptList:
        """An audit's pictures, in the order in which they were drawn."""
        return self._keep(View("audit", run_id, Wanted(), "newest"), array("q", ids), None)

    def _keep(
        self,
        view: View,
        ids: "array[int]",
        newest: int | None,
        seems: dict[str, Seems] | None = None,
    ) -> KeptList:
        made = KeptList(
            key=secrets.token_urlsafe(9),
            view=view.name,
            of=view.of,
            ids=ids,
            made_at=datetime.now(UTC),
            newest=newest or 0,
            wanted=None if newest is None else view.wanted,
            whole=view.whole,
            seems=seems or {},
        )
        with self._lock:
            self._kept[made.key] = made
            while len(self._kept) > 1 and self._is_too_much():
                self._kept.pop(next(iter(self._kept)))
        return made

    def _is_too_much(self) -> bool:
        ids = sum(len(one.ids) for one in self._kept.values())
        return ids > _MOST_IDS or len(self._kept) > _MOST_LISTS

    def get(self, key: str) -> KeptList:
        """Raises CallRefused for one that is no longer kept."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                raise CallRefused("That list is no longer kept; open it anew.", HTTPStatus.GONE)
            self._kept[key] = found
            return found

    def window(self, kept: KeptList, start: int, count: int) -> dict[str, Any]:
        """The rows at these places, as they are now."""
        count = min(count, MOST_ROWS)
        places = range(start, min(start + count, len(kept.ids)))
        return {
            "list": kept.key,
            "total": len(kept.ids),
            "from": start,
            "since": self.since(kept),
            "rows": self._rows(kept, places),
        }

    def since(self, kept: KeptList) -> int:
        """How many pictures would be in it besides, were it made now."""
        if kept.wanted is None or self._store.lists.newest() == kept.newest:
            return 0
        return self._store.lists.count(replace(kept.wanted, after=kept.newest))

    def _rows(self, kept: KeptList, places: Sequence[int]) -> list[dict[str, Any]]:
        at = {kept.ids[place]: place for place in places}
        rows = self._store.lists.rows(list(at))
        return [{"index": at[row.id], **row_json(row), **_seems(kept, row)} for row in rows]

    def find(self, kept: KeptList, sha256: str) -> int | None:
        """The place of a content in it."""
        places = kept.places(self._ids(sha256))
        return places[0] if places else None

    def alike(self, kept: KeptList, sha256: str) -> dict[str, Any]:
        """The burst around a picture: look-alikes that came at about the same time."""
        own = self._ids(sha256)
        near = sorted({one + step for one in own for step in range(-_NEAR, _NEAR + 1)})
        places = kept.places(near)
        hashes = self._store.lists.dhashes([kept.ids[place] for place in places])
        asked = [hashes[one] for one in own if one in hashes]
        alike = [
            place
            for place in places
            if (number := kept.ids[place]) in own
            or any(_are_alike(hashes.get(number), one) for one in asked)
        ]
        return {"rows": self._rows(kept, alike[:MOST_ROWS])}

    def _ids(self, sha256: str) -> set[int]:
        return {one.arrival_id for one in self._store.pictures.with_contents([sha256])}


def _are_alike(one: int | None, other: int) -> bool:
    return one is not None and (one ^ other).bit_count() <= _ALIKE_BITS


def _seems(kept: KeptList, row: SheetRow) -> dict[str, Any]:
    """What the model of the report, or the active one, says of it."""
    seems = kept.seems.get(row.sha256)
    if seems is None:
        return {}
    return {"seems": seems.label, "seems_confidence": round(seems.confidence, 6)}
