"""What the active model is asked: which pictures to look at next, and why one lies where it lies.

The model is loaded when it is first asked, and again when another is active; one question at a
time, for a question may open pictures.
"""

import threading
from typing import TYPE_CHECKING, Any

from imgsort.models.registry import Registry
from imgsort.review.sheet_views import Picked, Seems
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.models.serving import Serving


class Oracle:
    """Every thread may ask; the others wait."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._workspace, self._store = workspace, store
        self._lock = threading.Lock()
        self._serving: Serving | None = None
        self._names: dict[int, str] = {}

    def next_pictures(self, count: int) -> Picked:
        """Raises ModelProblem."""
        from imgsort.labels.suggest import suggestions

        with self._lock:
            serving = self._asked()
            found = suggestions(self._workspace, self._store, serving, count, look=False)
        return Picked(
            tuple(one.picture.sha256 for one in found.listed),
            {
                one.picture.sha256: Seems(one.verdict.label, one.verdict.confidence)
                for one in found.listed
                if one.verdict.label
            },
        )

    def why(self, sha256: str) -> dict[str, Any]:
        """As `why --json`. Raises ImgsortError for a picture that isn't known."""
        from imgsort.care.why import why

        with self._lock:
            return why(self._workspace, self._store, self._asked(), sha256).as_dict()

    def _asked(self) -> "Serving":
        """The active model, under the classes' present names."""
        from imgsort.models.serving import open_serving

        names = {**self._store.classes.names(), **self._store.classes.retired()}
        active = Registry(self._workspace.models).active()
        if self._serving is None or (self._serving.card.version, self._names) != (active, names):
            self._serving = open_serving(self._workspace, self._store, idle=True)
            self._names = names
        return self._serving
