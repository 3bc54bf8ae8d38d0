"""GET /thumb and GET /report: what an <img> and an <iframe> show, which send no token."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from imgsort.models.registry import Registry
from imgsort.review.asked import not_there, number, sha256
from imgsort.review.call_refused import CallRefused
from imgsort.review.headers import REPORT_POLICY
from imgsort.review.replies import in_json
from imgsort.review.thumbnails import SIDES, Thumbnail

if TYPE_CHECKING:
    from imgsort.review.host import Host

T = TypeVar("T")
_FOR_EVER = "private, max-age=31536000, immutable"
NOTHING = bytes.fromhex(
    "47494638396101000100800000c0c0c000000021f90401000000002c00000000010001000002024401003b"
)
"""A grey GIF of one pixel: an <img> that fails would be an error in the browser's console."""


async def thumb(host: "Host", request: Request) -> Response:
    """``/thumb/{sha256}?s=``: a JPEG, or one grey pixel with the state in a header."""
    content, side = sha256(request.path_params["sha256"]), _side(request)
    etag = f'"{content}-{side}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": etag})
    found = await _while_there(request, host.thumbnails.get(content, side))
    if found is None:
        raise not_there("such picture")
    if found.state != "here":
        return Response(NOTHING, media_type="image/gif", headers={"x-imgsort-state": found.state})
    headers = {"etag": etag, "cache-control": _FOR_EVER}
    return Response(found.jpeg, media_type="image/jpeg", headers=headers)


async def state_of(host: "Host", request: Request) -> Response:
    """``/api/thumb/{sha256}?s=``: why there is nothing to be seen."""
    content = sha256(request.path_params["sha256"])
    found: Thumbnail | None = await host.thumbnails.get(content, _side(request))
    if found is None:
        raise not_there("such picture")
    return in_json({"state": found.state, "reason": found.reason})


async def report_page(host: "Host", request: Request) -> Response:
    """``/report/{version}``: the page that the training wrote, in a sandbox."""
    version = number("version", request.path_params["version"], 1, 10**9)
    page = Registry(host.workspace.models).report(version) / "index.html"
    try:
        content = await run_in_threadpool(page.read_bytes)
    except OSError:
        raise not_there(f"report of v{version}") from None
    return Response(
        content,
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": REPORT_POLICY},
    )


def _side(request: Request) -> int:
    side = number("s", request.query_params.get("s", str(SIDES[0])), 1, SIDES[-1])
    if side not in SIDES:
        raise CallRefused(f"s must be one of {', '.join(map(str, SIDES))}.")
    return side


async def _while_there(request: Request, answer: Awaitable[T]) -> T:
    """Give up when the browser does, as it does for a tile that was scrolled away."""
    wanted = asyncio.ensure_future(answer)
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({wanted, left}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            wanted.cancel()
        return await wanted
    except asyncio.CancelledError:
        raise CallRefused("Nobody waits for it any more.") from None
    finally:
        left.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
