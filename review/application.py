"""The ASGI application: each request passes the gate, is answered, and gets its headers."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from imgsort.review.asked import Asked
from imgsort.review.call_refused import CallRefused
from imgsort.review.front import Front
from imgsort.review.gate import TOKEN_HEADER, Need, RequestHead, refusal
from imgsort.review.host import Host
from imgsort.review.page_files import page_files
from imgsort.review.pictures import report_page, state_of, thumb
from imgsort.review.replies import failed, in_json, refused, told
from imgsort.review.routes import API, Api
from imgsort.review.sign_in import SESSION_SECONDS, NotLetIn

MOST_BODY = 8_000_000
BODY_SECONDS = 30.0

Endpoint = Callable[[Request], Awaitable[Response]]


def application(host: Host, secret: str) -> ASGIApp:
    """``secret``: what a program of the same user knows from state/review.json."""
    routes = [
        *_page_routes(host),
        *_doors(host, secret),
        *_live_routes(host),
        *(_api_route(host, api) for api in API),
    ]
    return Front(Starlette(routes=routes, exception_handlers={HTTPException: _no_route}))


async def _no_route(_: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else HTTPStatus.NOT_FOUND
    return told(status, "There is no such page, or it can't be used like that.")


def head_of(request: Request, cookie_name: str) -> RequestHead:
    """What the gate goes by."""
    headers = request.headers
    return RequestHead(
        method=request.method,
        hosts=tuple(headers.getlist("host")),
        origins=tuple(headers.getlist("origin")),
        site=headers.get("sec-fetch-site"),
        destination=headers.get("sec-fetch-dest"),
        cookie=request.cookies.get(cookie_name),
        token=headers.get(TOKEN_HEADER),
        content_type=headers.get("content-type", ""),
    )


def _guarded(host: Host, method: str, path: str, need: Need, endpoint: Endpoint) -> Route:
    """One route, behind the gate."""

    async def answer(request: Request) -> Response:
        no = refusal(head_of(request, host.doorkeeper.cookie_name), need, host.doorkeeper)
        if no is not None:
            return refused(no)
        try:
            return await endpoint(request)
        except Exception as problem:  # noqa: BLE001 - the one place that turns them into words
            return failed(problem)

    return Route(path, answer, methods=[method], name=f"{method} {path} {need.name}")


def _page_routes(host: Host) -> list[Route]:
    found = page_files()

    async def shell(_: Request) -> Response:
        return _file("index.html")

    async def static(request: Request) -> Response:
        return _file(request.path_params["name"])

    def _file(name: str) -> Response:
        if name not in found:
            return told(HTTPStatus.NOT_FOUND, "There is no such file.")
        content, kind = found[name]
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return [
        _guarded(host, "GET", "/", Need.NOTHING, shell),
        _guarded(host, "GET", "/static/{name}", Need.NOTHING, static),
    ]


def _doors(host: Host, secret: str) -> list[Route]:
    """How browsers come in, and how `imgsort review --link` gets a link for one."""
    keeper = host.doorkeeper

    async def sign_in(request: Request) -> Response:
        body = await _body(request)
        await asyncio.sleep(keeper.pause())
        cookie, token = keeper.let_in(
            Asked(body=body).text("key"), request.cookies.get(keeper.cookie_name)
        )
        host.thumbnails.get_ready()
        response = in_json({"token": token})
        response.set_cookie(
            *(keeper.cookie_name, cookie),
            max_age=int(SESSION_SECONDS),
            httponly=True,
            samesite="strict",
        )
        return response

    async def link(request: Request) -> Response:
        given = Asked(body=await _body(request)).text("secret")
        await asyncio.sleep(keeper.pause())
        if not secrets.compare_digest(given.encode(errors="surrogateescape"), secret.encode()):
            keeper.was_wrong()
            raise NotLetIn
        return in_json({"key": keeper.link_key()})

    return [
        _guarded(host, "POST", "/api/session", Need.NOTHING, sign_in),
        _guarded(host, "POST", "/api/link", Need.NOTHING, link),
    ]


def _live_routes(host: Host) -> list[Route]:
    async def events(request: Request) -> Response:
        if host.events.is_full():
            raise CallRefused("Too many tabs are open; close some.", HTTPStatus.SERVICE_UNAVAILABLE)
        text = request.headers.get("last-event-id") or request.query_params.get("since", "")
        last = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004
        return StreamingResponse(host.events.listen(last), media_type="text/event-stream")

    return [
        _guarded(host, "GET", "/api/events", Need.TAB, events),
        _guarded(host, "GET", "/api/thumb/{sha256}", Need.TAB, partial(state_of, host)),
        _guarded(host, "GET", "/thumb/{sha256}", Need.BROWSER, partial(thumb, host)),
        _guarded(host, "GET", "/report/{version}", Need.BROWSER, partial(report_page, host)),
    ]


def _api_route(host: Host, api: Api) -> Route:
    async def answer(request: Request) -> Response:
        body = await _body(request) if api.method in {"POST", "PUT"} else {}
        asked = Asked(request.path_params, dict(request.query_params), body)
        return in_json(await run_in_threadpool(api.answer, host, asked))

    return _guarded(host, api.method, api.path, Need.TAB, answer)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises CallRefused."""
    try:
        content = await asyncio.wait_for(_content(request), BODY_SECONDS)
    except TimeoutError:
        raise CallRefused("That came too slowly.", HTTPStatus.REQUEST_TIMEOUT) from None
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        raise CallRefused("That is no JSON.") from None
    if not isinstance(body, dict):
        raise CallRefused("A JSON object is asked for.")
    return body


async def _content(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BODY:
            raise CallRefused("That is too much at once.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(content)
