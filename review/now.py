"""How things stand."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imgsort.care.heartbeat import read_status
from imgsort.disk.display import display
from imgsort.review.asked import Asked
from imgsort.review.tested_models import suspects_of_newest
from imgsort.review.training import training_now

if TYPE_CHECKING:
    from imgsort.review.host import Host


def now(host: "Host", asked: Asked) -> Any:
    """GET /api/now: what `imgsort status` says, and what there is to do."""
    del asked
    workspace = host.workspace
    status = replace(host.desk.status(), said=read_status(workspace.status_file))
    return {
        "name": display(workspace.root.name),
        "root": display(workspace.root),
        "status": status.as_dict(),
        "training": training_now(host),
        "counts": {
            "unsure": status.lying.unsure,
            "rejected": status.lying.rejected,
            "suspects": suspects_of_newest(workspace),
        },
    }
