"""What one running page has in its hands."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from imgsort.review.desk import Desk
from imgsort.review.events import Events
from imgsort.review.sign_in import Doorkeeper
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True)
class Host:
    """Shared by all tabs and threads."""

    workspace: Workspace
    doorkeeper: Doorkeeper
    desk: Desk
    events: Events


@contextmanager
def open_host(workspace: Workspace, doorkeeper: Doorkeeper) -> Iterator[Host]:
    """Open everything; closed in the opposite order."""
    events = Events()

    def tell(act: dict[str, Any]) -> None:
        events.tell("label", act)

    with closing(Desk.open(workspace)) as desk:
        desk.on_act = tell
        yield Host(workspace, doorkeeper, desk, events)
