"""What the page's lists and acts have in their hands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


def _told_nobody(act: dict[str, Any]) -> None:
    del act


@dataclass
class Desk:
    """Shared by all tabs."""

    workspace: Workspace
    store: Store
    on_act: Callable[[dict[str, Any]], None] = field(default=_told_nobody)

    @classmethod
    def open(cls, workspace: Workspace) -> "Desk":
        return cls(workspace, Store.open(workspace.database, root=workspace.root))

    def close(self) -> None:
        self.store.close()
