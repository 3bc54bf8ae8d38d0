"""How things stand."""

from typing import TYPE_CHECKING, Any

from imgsort.care.heartbeat import read_status
from imgsort.care.status import status_of
from imgsort.disk.display import display
from imgsort.review.asked import Asked

if TYPE_CHECKING:
    from imgsort.review.host import Host


def now(host: "Host", asked: Asked) -> Any:
    """GET /api/now: what `imgsort status` says."""
    del asked
    workspace = host.workspace
    status = status_of(workspace, read_status(workspace.status_file))
    return {
        "name": display(workspace.root.name),
        "root": display(workspace.root),
        "status": status.as_dict(),
        "training": {"running": False},
        "counts": {
            "unsure": status.lying.unsure,
            "unsaid": status.lying.unsure,
            "rejected": status.lying.rejected,
            "suspects": 0,
        },
    }
