"""state/review.json: where the page is served, who is signed in, and how to get another link.

Only its owner can read it. Of cookies and tokens it holds digests.
"""

import fcntl
import http.client
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.records.tolerant import read_as
from imgsort.review.sign_in import Doorkeeper, SignedIn
from imgsort.workspace.workspace import Workspace

_TIMEOUT_SECONDS = 10.0


class PageRuns(ImgsortError):
    """Another `imgsort review` serves this workspace already."""

    exit_code = 0  # a link to that one is as good


class NoPage(ImgsortError):
    """No `imgsort review` runs in this workspace; start it."""


class PortTaken(ImgsortError):
    """That port is taken; name another with --port, or leave it out."""


@dataclass(frozen=True, slots=True)
class Running:
    """What the file says."""

    pid: int = 0
    port: int = 0
    secret: str = ""
    cookie_name: str = ""
    sessions: list[dict[str, object]] = field(default_factory=list)


def remembered(workspace: Workspace) -> Running | None:
    """What the file says, of whichever version; None where there is none that can be read."""
    try:
        said = json.loads(_file(workspace).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return read_as(Running, said) if isinstance(said, dict) else None


def kept(workspace: Workspace, port: int) -> tuple[Running, Doorkeeper]:
    """A new secret, and who was signed in when the page was last served at this port."""
    last = remembered(workspace)
    signed_in = (
        [read_as(SignedIn, one) for one in last.sessions] if last and last.port == port else []
    )
    keeper = Doorkeeper(last.cookie_name if signed_in and last else None, signed_in)
    secret = secrets.token_urlsafe(32)

    def write() -> Running:
        now = Running(
            *(os.getpid(), port, secret, keeper.cookie_name),
            [asdict(one) for one in keeper.sessions()],
        )
        write_private(_file(workspace), json.dumps(asdict(now)).encode())
        return now

    keeper.changed = write
    return write(), keeper


@contextmanager
def the_only_page(workspace: Workspace) -> Iterator[None]:
    """Raises PageRuns while another process serves this workspace."""
    path = workspace.state / "review.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PageRuns from None
        yield
    finally:
        os.close(descriptor)


def another_link(workspace: Workspace) -> str:
    """A link from the page that is served now. Raises NoPage."""
    last = remembered(workspace)
    if last is None:
        raise NoPage
    connection = http.client.HTTPConnection("127.0.0.1", last.port, timeout=_TIMEOUT_SECONDS)
    try:
        body = json.dumps({"secret": last.secret})
        connection.request("POST", "/api/link", body, {"Content-Type": "application/json"})
        key = json.loads(connection.getresponse().read())["key"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        raise NoPage from None
    finally:
        connection.close()
    return f"http://127.0.0.1:{last.port}/#k={key}"


def _file(workspace: Workspace) -> Path:
    return workspace.state / "review.json"


def write_private(path: Path, content: bytes) -> None:
    """Readable by its owner only, from its first byte on."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
