"""The desk at which people review: one thread writes, all others read."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeVar

from imgsort.care.heartbeat import read_status
from imgsort.care.status import status_of
from imgsort.errors import FilingPaused, ImgsortError
from imgsort.filing import recover
from imgsort.reconcile.apply import apply_reconcile
from imgsort.review.acts import Acts
from imgsort.review.call_refused import CallRefused
from imgsort.review.lists import Lists
from imgsort.review.oracle import Oracle
from imgsort.review.seldom import Seldom
from imgsort.review.sheet_views import standings_of
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

T = TypeVar("T")


def _told_nobody(act: dict[str, Any]) -> None:
    del act


class Desk:
    """Shared by all tabs.

    ``on_act`` is given the answer of each act, in the thread that writes.
    """

    def __init__(self, workspace: Workspace, store: Store, writing: Store) -> None:
        self.workspace, self.store = workspace, store
        self.lists = Lists(workspace, store)
        self.oracle = Oracle(workspace, store)
        self.standings = Seldom(lambda: standings_of(workspace, store))
        self.status = Seldom(lambda: status_of(workspace, read_status(workspace.status_file)))
        self.on_act: Callable[[dict[str, Any]], None] = _told_nobody
        self._writing = writing
        self._acts = Acts(workspace, writing)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="imgsort-acts")
        self._looking = threading.Lock()

    @classmethod
    def open(cls, workspace: Workspace) -> "Desk":
        """What an earlier process was killed at is completed first; and where no daemon keeps the
        log true, what was moved by hand is learned in the background."""
        store = Store.open(workspace.database, root=workspace.root)
        desk = cls(workspace, store, Store.open(workspace.database, root=workspace.root))
        desk._writer.submit(desk._begin)
        return desk

    def close(self) -> None:
        """What was accepted is done first."""
        self._writer.shutdown()
        with self._looking:
            self._writing.close()
            self.store.close()

    def _begin(self) -> None:
        with suppress(ImgsortError):  # whoever acts meets it again, and is told
            if self._writing.journal.unfinished():
                recover(self.workspace, self._writing)
        if self.workspace.daemon_pid() is None:
            threading.Thread(target=self._look_once, name="imgsort-look", daemon=True).start()

    def _look_once(self) -> None:
        with suppress(ImgsortError):
            self.look()

    def act(self, do: Callable[[Acts], dict[str, Any]]) -> dict[str, Any]:
        """Something that somebody says; it is done when its turn comes, and all tabs are told."""
        return self._writer.submit(self._told, do).result()

    def write(self, do: Callable[[Store], T]) -> T:
        """Anything else that writes."""
        return self._writer.submit(do, self._writing).result()

    def _told(self, do: Callable[[Acts], dict[str, Any]]) -> dict[str, Any]:
        self.workspace.require_folders()
        try:
            answer = do(self._acts)
        except FilingPaused as paused:
            raise CallRefused(
                f"{paused.folder} can't take pictures: {paused.reason}; what you say waits.",
                HTTPStatus.SERVICE_UNAVAILABLE,
            ) from paused
        self.on_act(answer)
        return answer

    def look(self) -> dict[str, Any]:
        """Learn what was moved by hand. Others act meanwhile."""
        with self._looking:
            seen = apply_reconcile(self.workspace, self.store, None)
        return {"learned": str(seen) if seen.learned else None, "notices": list(seen.notices)}
