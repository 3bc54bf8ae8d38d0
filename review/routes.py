"""The table of all calls that are answered in JSON; those of lists and acts are in ``calls``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imgsort.review import calls, now, tested_models, training
from imgsort.review.asked import Answerer, Asked
from imgsort.review.desk import Desk


@dataclass(frozen=True, slots=True)
class Api:
    """One call that is answered in JSON."""

    method: str
    path: str
    answer: Answerer


def _at_the_desk(answer: Callable[[Desk, Asked], Any]) -> Answerer:
    return lambda host, asked: answer(host.desk, asked)


API: Sequence[Api] = (
    Api("GET", "/api/now", now.now),
    Api("POST", "/api/retrain", training.start),
    Api("DELETE", "/api/retrain", training.stop),
    Api("GET", "/api/models", tested_models.models),
    Api("POST", "/api/models/rollback", tested_models.roll_back),
    Api("POST", "/api/models/{version}/activate", tested_models.activate),
    Api("GET", "/api/reports/{version}", tested_models.report),
    Api("GET", "/api/reports/{version}/cell", tested_models.cell),
    *(Api(method, path, _at_the_desk(answer)) for method, path, answer in calls.CALLS),
)
