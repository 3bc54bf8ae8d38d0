"""Somebody who asks the page's server, without a socket and without a browser."""

import asyncio
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from starlette.types import ASGIApp

from imgsort.disk.identity import Identity
from imgsort.filing import Filer
from imgsort.filing.inbox_picture import Candidate, InboxPicture
from imgsort.images import ImageFacts
from imgsort.images.outcome import Picture
from imgsort.records.verdict import Score, Verdict
from imgsort.review.application import application
from imgsort.review.host import Host, open_host
from imgsort.review.sign_in import Doorkeeper
from tests.desk import Desk

ARRIVED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "what state-review.json says"  # noqa: S105 - of the tests
HERE = "http://127.0.0.1:8765"


@dataclass
class Visitor:
    """One tab. Signed in unless it is told otherwise."""

    app: ASGIApp
    host: Host
    cookie: str | None = None
    token: str | None = None
    origin: str = HERE

    def sign_in(self) -> "Visitor":
        answer = self.ask("POST", "/api/session", {"key": self.host.doorkeeper.link_key()})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        self.cookie = answer.cookies[self.host.doorkeeper.cookie_name]
        return self

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        if self.token is not None:
            sent["x-imgsort-token"] = self.token
        if self.cookie is not None:
            sent["cookie"] = f"{self.host.doorkeeper.cookie_name}={self.cookie}"
        if content is not None:
            sent["content-type"] = "application/json"
        wanted = {key: value for key, value in {**sent, **(headers or {})}.items() if value}

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                if content is not None:
                    return await client.request(method, path, content=content, headers=wanted)
                return await client.request(method, path, json=body, headers=wanted)

        return asyncio.run(asked())


@dataclass
class Review:
    """A workspace with pictures that can be seen, and its page."""

    desk: Desk
    app: ASGIApp
    host: Host
    visitor: Visitor = field(init=False)

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.app, self.host).sign_in()

    def stranger(self) -> Visitor:
        """Who isn't signed in."""
        return Visitor(self.app, self.host)

    def file(self, name: str, content: bytes | None = None, label: str = "cat") -> str:
        """File a picture, as the daemon does; its SHA-256."""
        content = photograph(name) if content is None else content
        path = self.desk.workspace.inbox / name
        path.write_bytes(content)
        digest = sha256(content).hexdigest()
        facts = ImageFacts(96, 96, "JPEG", "2024-02-29T07:05:09", "Canon", 0)
        identity = Identity.of(path.stat())
        picture = Picture(path, identity, digest, facts, np.zeros((1, 1, 3), np.uint8))
        verdict = Verdict(label, 0.9, "filed", None, (Score(label, 0.9),))
        with self.desk.store() as store:
            judged = InboxPicture(Candidate(path, b"", ARRIVED, 0.0), picture, verdict, 1)
            Filer(self.desk.workspace, store, store.runs.begin("run")).file([judged])
        return digest

    def path_of(self, name: str, label: str = "cat") -> Path:
        return self.desk.workspace.sorted / label / name


@contextmanager
def review_of(root: Path, config: str = "") -> Iterator[Review]:
    desk = Desk.at(root, config)
    with open_host(desk.workspace, Doorkeeper()) as host:
        yield Review(desk, application(host, SECRET), host)


def photograph(seed: str, side: int = 96, kind: str = "JPEG") -> bytes:
    """Of nothing, another one for each seed."""
    number = int.from_bytes(sha256(os.fsencode(seed)).digest()[:4])
    blocks = np.random.default_rng(number).integers(30, 225, (4, 4, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(blocks).resize((side, side), Image.Resampling.BICUBIC).save(written, kind)
    return written.getvalue()
