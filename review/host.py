"""What one running page has in its hands."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from imgsort.review.desk import Desk
from imgsort.review.events import Events
from imgsort.review.news import News
from imgsort.review.sign_in import Doorkeeper
from imgsort.review.thumbnails import Gallery
from imgsort.review.training import Trainings
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True)
class Host:
    """Shared by all tabs and threads."""

    workspace: Workspace
    doorkeeper: Doorkeeper
    desk: Desk
    store: Store
    """For reading only: what people say is written at the desk."""
    events: Events
    thumbnails: Gallery
    trainings: Trainings
    wake: threading.Event = field(default_factory=threading.Event)
    """Set it, and what has changed is looked for at once."""


@contextmanager
def open_host(workspace: Workspace, doorkeeper: Doorkeeper) -> Iterator[Host]:
    """Open everything; closed in the opposite order."""
    events = Events()

    def tell(act: dict[str, Any]) -> None:
        events.tell("label", act)

    with ExitStack() as opened:
        store = opened.enter_context(Store.open(workspace.database, root=workspace.root))
        thumbnails = opened.enter_context(Gallery(workspace, store))
        desk = opened.enter_context(closing(Desk.open(workspace)))
        desk.on_act = tell
        host = Host(workspace, doorkeeper, desk, store, events, thumbnails, Trainings(workspace))
        opened.enter_context(News(host))
        yield host
