"""What lies before every route: only loopback names, and the headers of every answer."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imgsort.review.gate import is_loopback
from imgsort.review.headers import HEADERS
from imgsort.review.replies import failed, told

_MISDIRECTED = (
    "imgsort's page is at 127.0.0.1 and localhost only; from another machine use `ssh -L`."
)


class Front:
    """An ASGI application around the routes."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"nothing here speaks {scope['type']}")
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if not is_loopback(tuple(Headers(scope=scope).getlist("host"))):
            answer = told(HTTPStatus.MISDIRECTED_REQUEST, _MISDIRECTED)
            await answer(scope, receive, with_headers)
            return
        try:
            await self.inner(scope, receive, with_headers)
        except Exception as problem:
            if begun:
                raise
            await failed(problem)(scope, receive, with_headers)
