"""How answers and failures are put into JSON."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from imgsort.errors import (
    FilingPaused,
    ImgsortError,
    StorageFailed,
    StoreBroken,
    StoreBusy,
    StoreFull,
    WorkspaceProblem,
)
from imgsort.review.call_refused import CallRefused
from imgsort.review.gate import TurnedAway
from imgsort.review.sign_in import NotLetIn

_log = logging.getLogger(__name__)

STATUS: Mapping[type[ImgsortError], HTTPStatus] = {
    NotLetIn: HTTPStatus.FORBIDDEN,
    StoreBusy: HTTPStatus.LOCKED,
    StoreFull: HTTPStatus.INSUFFICIENT_STORAGE,
    StoreBroken: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    FilingPaused: HTTPStatus.SERVICE_UNAVAILABLE,
    WorkspaceProblem: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What passes by itself, or when somebody looks after a disk, is asked again by the page; all
else that a user can meet is 409."""


def in_json(value: Any, status: int = HTTPStatus.OK) -> Response:
    """Names have been made Unicode by ``display``; what slipped through is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text.encode(errors="backslashreplace"), status, media_type="application/json")


def told(status: int, sentence: str, **more: Any) -> Response:
    answer = in_json({"error": sentence, **more}, status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:  # what is too much shall not keep its connection
        answer.headers["connection"] = "close"
    return answer


def refused(no: TurnedAway) -> Response:
    return told(no.status, no.sentence)


def failed(problem: Exception) -> Response:
    """Every exception in words; nothing else does that."""
    if isinstance(problem, CallRefused):
        return told(problem.status, str(problem), **problem.more)
    if isinstance(problem, ImgsortError):
        return told(STATUS.get(type(problem), HTTPStatus.CONFLICT), str(problem))
    _log.error("what the page asked for failed", exc_info=problem)
    return told(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"imgsort has a bug ({type(problem).__name__}); please send what `imgsort review` printed.",
    )
