"""Looks now and then for sidecars whose pictures went without them."""

import threading
from collections.abc import Callable

from imgsort.daemon.inbox.source import Source
from imgsort.daemon.log_output import LOG, Notices
from imgsort.disk.display import display
from imgsort.errors import ImgsortError
from imgsort.filing.late_sidecars import bring
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


class Latecomers:
    """A thread of its own: moving may have to wait for other movers."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        run_id: int,
        source: Source,
        trouble: Callable[[], str | None],
    ) -> None:
        """``trouble``: why nothing may be filed at present."""
        self.workspace = workspace
        """May be exchanged for one with another configuration."""
        self._store = store
        self._run_id = run_id
        self._source = source
        self._trouble = trouble
        self._notices = Notices()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="latecomers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    def look(self) -> None:
        """Bring after their pictures those that the last walk of the inbox came by."""
        ways = tuple(self._source.rounds.survey.orphans)
        if not ways or self._trouble() is not None:
            return
        paths = [self.workspace.inbox / way for way in ways]
        try:
            done = bring(self.workspace, self._store, self._run_id, paths)
        except (ImgsortError, OSError) as problem:  # who files pictures meets it too
            self._notices.each_minute("latecomers", f"sidecars have to wait: {problem}")
            return
        for one in done:
            if one.moved:
                source, target = display(one.errand.source.name), display(one.path)
                LOG.info("%s came after its picture: it is %s now", source, target)

    def _run(self) -> None:
        while not self._ended.wait(self.workspace.config.watch.scan_seconds / 2):
            try:
                self.look()
            except Exception as failure:  # noqa: BLE001  (told)
                self._notices.failed("bringing sidecars", failure)
