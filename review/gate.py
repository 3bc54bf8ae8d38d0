"""Who may ask what: decided from a request's head alone, before anything reads the rest."""

import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from imgsort.review.sign_in import Doorkeeper

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
TOKEN_HEADER = "x-imgsort-token"  # noqa: S105 - its name
"""Another site can't send it without asking first, and nobody answers such a question."""


class Need(Enum):
    """What a route asks of its caller."""

    NOTHING = "the page itself, which holds no data, and its door"
    BROWSER = "the cookie: pictures and reports, which can't send a header"
    TAB = "cookie and token"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Of a request, as far as it matters here."""

    method: str
    hosts: tuple[str, ...]
    origins: tuple[str, ...] = ()
    site: str | None = None
    """Sec-Fetch-Site: how the browser says who caused the request."""
    destination: str | None = None
    cookie: str | None = None
    token: str | None = None
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    status: HTTPStatus
    sentence: str


def refusal(head: RequestHead, need: Need, doorkeeper: Doorkeeper) -> TurnedAway | None:
    """Why this request isn't answered, or None. Nothing of it depends on any picture."""
    return _stranger(head, need) or _without_key(head, need, doorkeeper)


def is_loopback(hosts: tuple[str, ...]) -> bool:
    """One name, and one that no other machine can give itself."""
    return len(hosts) == 1 and _LOOPBACK.fullmatch(hosts[0]) is not None


def _stranger(head: RequestHead, need: Need) -> TurnedAway | None:
    if not is_loopback(head.hosts):
        return TurnedAway(
            HTTPStatus.MISDIRECTED_REQUEST,
            "imgsort's page is at 127.0.0.1 and localhost only; from another machine use `ssh -L`.",
        )
    own = f"http://{head.hosts[0]}"
    if head.origins and head.origins != (own,):
        return _elsewhere()
    if head.site in {None, "same-origin", "none"}:
        return None
    if need is Need.NOTHING and head.method in {"GET", "HEAD"} and head.destination == "document":
        return None  # somebody followed a link to the page
    return _elsewhere()


def _elsewhere() -> TurnedAway:
    return TurnedAway(HTTPStatus.FORBIDDEN, "Another page asked for this; only imgsort's own may.")


def _without_key(head: RequestHead, need: Need, doorkeeper: Doorkeeper) -> TurnedAway | None:
    if head.method in {"POST", "PUT"} and not _is_json(head.content_type):
        return TurnedAway(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is understood here.")
    if need is Need.BROWSER and not doorkeeper.knows_browser(head.cookie):
        return _signed_out()
    if need is Need.TAB and not doorkeeper.knows_tab(head.cookie, head.token):
        return _signed_out()
    return None


def _signed_out() -> TurnedAway:
    return TurnedAway(
        HTTPStatus.UNAUTHORIZED,
        "This page isn't signed in; `imgsort review --link` gives a link that opens it.",
    )


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"
