"""A workspace with pictures that can be seen, the page's server, and a person at a browser."""

import hashlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from imgsort.disk.identity import Identity
from imgsort.filing import Filer
from imgsort.filing.inbox_picture import Candidate, InboxPicture
from imgsort.images import ImageFacts
from imgsort.images.outcome import Picture, Refused
from imgsort.records.verdict import Score, Verdict, shortfall
from tests.desk import Desk

ARRIVED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOON = 30_000
"""Milliseconds that a browser test waits at most for what must come."""


def jpeg(seed: str, side: int = 96) -> bytes:
    """A photograph of nothing, another one for each seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    blocks = np.random.default_rng(number).integers(30, 225, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(blocks).resize((side, side), Image.Resampling.BICUBIC)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()


def file_pictures(
    desk: Desk,
    pictures: Mapping[Any, str],
    contents: Mapping[str, bytes] | None = None,
    likeness: Callable[[int], int] = lambda number: number * 0x9E3779B97F4A7C15 % 2**63,
) -> None:
    """Name -> ``cat`` (filed), ``unsure cat`` or ``rejected``, as a daemon files them; the first
    named is the least sure."""
    judged = []
    for number, (name, fate) in enumerate(pictures.items()):
        path = desk.workspace.inbox / os.fsdecode(name)
        path.write_bytes((contents or {}).get(str(name)) or jpeg(str(name)))
        judged.append(_judged(path, fate, number, likeness(number)))
    with desk.store() as store:
        Filer(desk.workspace, store, store.runs.begin("run")).file(judged)


def _judged(path: Path, fate: str, number: int, dhash: int) -> InboxPicture:
    content = path.read_bytes()
    candidate = Candidate(path, b"", ARRIVED, 0.0)
    identity, sha256 = Identity.of(path.stat()), hashlib.sha256(content).hexdigest()
    if fate == "rejected":
        refused = Refused(path, identity, sha256, "the file is cut short")
        return InboxPicture(candidate, refused, None, 1)
    facts = ImageFacts(96, 96, "JPEG", "2024-02-29T07:05:09", "Canon", dhash)
    picture = Picture(path, identity, sha256, facts, np.zeros((1, 1, 3), np.uint8))
    return InboxPicture(candidate, picture, _verdict(fate, number), 1)


def _verdict(fate: str, number: int) -> Verdict:
    doubt, _, label = fate.rpartition(" ")
    if doubt:
        sure = 0.31 + 0.001 * number
        return Verdict(label, sure, "unsure", shortfall(sure, 0.7), (Score(label, sure),))
    sure = 0.71 + 0.001 * (number % 250)
    return Verdict(label, sure, "filed", None, (Score(label, sure),))


@dataclass
class Server:
    """`imgsort review` as a user starts it."""

    root: Path
    process: "subprocess.Popen[str] | None" = None
    link: str = ""

    def start(self, env: Mapping[str, str] | None = None) -> str:
        """The first link."""
        log = (self.root.parent / f"{self.root.name}-review.log").open("a")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imgsort", "-C", str(self.root), "review"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **(env or {})},
            )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        assert self.link.startswith("http://127.0.0.1:"), Path(log.name).read_text()
        return self.link

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.link.partition("/#")[0]

    def another_link(self) -> str:
        answer = subprocess.run(
            [sys.executable, "-m", "imgsort", "-C", str(self.root), "review", "--link"],
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout.strip()

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self._reap()

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self._reap()

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


@dataclass
class Visit:
    """One person in front of one workspace."""

    desk: Desk
    server: Server
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the console said; a test ends only where it said nothing."""
    expected: tuple[str, ...] = ()
    """Parts of complaints that the test provokes."""

    def begin(self) -> Page:
        """Start the server and open its link."""
        self.server.start()
        return self.open(self.server.link)

    def open(self, link: str, context: BrowserContext | None = None, **options: object) -> Page:
        """In a browser of its own, or in another tab of ``context``."""
        if context is None:
            options = {"viewport": {"width": 1280, "height": 800}, **options}
            context = self.browser.new_context(**options)  # type: ignore[arg-type]
            context.set_default_timeout(SOON)
            self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda problem: self.complaints.append(f"error: {problem}"))
        page.on(
            "console",
            lambda told: (
                self.complaints.append(f"{told.type}: {told.text}")
                if told.type in {"error", "warning"}
                else None
            ),
        )
        page.goto(link)
        return page

    def unexpected(self) -> list[str]:
        return [one for one in self.complaints if not any(part in one for part in self.expected)]

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.server.stop()


def tile(page: Page, name: str) -> Locator:
    """The tile of a picture, by the name that stands for it."""
    return page.get_by_role("gridcell", name=name)


def focused(page: Page) -> Locator:
    return page.locator(".tile.focus")


def painted(page: Page, number: int) -> None:
    """Wait until so many pictures are on the screen."""
    expect(page.locator(".tile[data-painted]").nth(number - 1)).to_be_attached(timeout=SOON)


def opened(visit: Visit, number: int) -> Page:
    """The page, when so many pictures are on the screen."""
    page = visit.begin()
    painted(page, number)
    return page


def said(visit: Visit) -> dict[str, str | None]:
    """The newest word on each picture."""
    return {name: word for name, (word, *_) in visit.desk.labels().items()}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def written(page: Page, patience: int = SOON) -> None:
    """Wait until everything that was said is written."""
    expect(page.locator(".tile[data-state=sending]")).to_have_count(0, timeout=patience)
    expect(page.locator("#waiting")).to_have_text("", timeout=patience)


def soon(is_so: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for something outside the page."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def names(rows: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted(row[0] for row in rows)
