"""The table of the server's own calls; those of lists and acts are in ``calls``."""

from collections.abc import Sequence
from dataclasses import dataclass

from imgsort.review import now, reports, training
from imgsort.review.asked import Answerer


@dataclass(frozen=True, slots=True)
class Api:
    """One call that is answered in JSON."""

    method: str
    path: str
    answer: Answerer


API: Sequence[Api] = (
    Api("GET", "/api/now", now.now),
    Api("POST", "/api/retrain", training.start),
    Api("DELETE", "/api/retrain", training.stop),
    Api("GET", "/api/models", reports.models),
    Api("POST", "/api/models/rollback", reports.roll_back),
    Api("POST", "/api/models/{version}/activate", reports.activate),
    Api("GET", "/api/reports/{version}", reports.report),
    Api("GET", "/api/reports/{version}/cell", reports.cell),
)
