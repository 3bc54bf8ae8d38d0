"""`imgsort review` as a process: its socket, its link, its end, and who else is on the machine."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from imgsort.review.connections import HEAD_SECONDS, MOST
from imgsort.review.events import MOST_TABS
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import Answer, imgsort, started
from tests.desk import Desk

NOBODY = 65534
IMAGE = f"/thumb/{'a' * 64}"
LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/#k=([\w-]{43})")


@dataclass
class Served:
    """A page that is served by a process of its own."""

    desk: Desk
    process: "subprocess.Popen[str]"
    port: int
    key: str
    cookie: str = ""
    token: str = ""

    @property
    def root(self) -> Path:
        return self.desk.workspace.root

    def sign_in(self) -> "Served":
        answer, text = self.ask("POST", "/api/session", {"key": self.key})
        assert answer.status == 200, text
        self.token = json.loads(text)["token"]
        self.cookie = str(answer.getheader("set-cookie")).partition(";")[0]
        return self

    def ask(self, method: str, path: str, body: Any = None) -> tuple[http.client.HTTPResponse, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request(method, path, None if body is None else json.dumps(body), self.headers())
            answer = line.getresponse()
            return answer, answer.read().decode()

    def headers(self) -> dict[str, str]:
        known = {"Cookie": self.cookie, "X-Imgsort-Token": self.token}
        return {"Content-Type": "application/json", **(known if self.token else {})}

    @contextmanager
    def stream(self) -> Iterator["Stream"]:
        """An open /api/events."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request("GET", "/api/events", headers=self.headers())
            yield Stream(line.getresponse())

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest


@dataclass
class Stream:
    answer: http.client.HTTPResponse

    def until(self, kind: str) -> Any:
        """The data of the next event of this kind."""
        told = ""
        while line := self.answer.readline().decode():
            if line.startswith("event:"):
                told = line.partition(":")[2].strip()
            if line.startswith("data:") and told == kind:
                return json.loads(line.partition(":")[2])
        raise AssertionError(f"the stream ended without {kind}")

    def hello(self) -> None:
        assert self.answer.readline() == b": hello\n"


@contextmanager
def served(root: Path, *options: str) -> Iterator[Served]:
    desk = Desk(Workspace.open(root)) if root.exists() else Desk.at(root)
    process = started("-C", root, "review", *options)
    try:
        yield Served(desk, process, *_link_of(process))
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _link_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = LINK.fullmatch(line.strip())
    assert found, line + process.stdout.read()
    return int(found[1]), found[2]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for the tests that leave it as it is."""
    with served(tmp_path_factory.mktemp("server") / "photos") as made:
        yield made.sign_in()


def test_it_listens_on_loopback_only(page: Served) -> None:
    """Nothing else than 127.0.0.1 is listened at, and no option changes that."""
    found = psutil.Process(page.process.pid).net_connections("all")
    listening = [one.laddr for one in found if one.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", page.port)]
    assert "--host" not in imgsort("review", "--help").out


def test_the_link_opens_the_page_once(page: Served) -> None:
    """The key that was printed is used up by the first who signs in; another link has another."""
    answer, text = page.ask("POST", "/api/session", {"key": page.key})
    assert answer.status == 403
    assert "--link" in text
    found = LINK.fullmatch(imgsort("-C", page.root, "review", "--link").out.strip())
    assert found is not None
    assert int(found[1]) == page.port
    assert page.ask("POST", "/api/session", {"key": found[2]})[0].status == 200


def test_what_it_remembers_is_its_owners(page: Served) -> None:
    """Nobody else can read the secret that gives links, or who is signed in."""
    path = page.root / "state" / "review.json"
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert page.token not in text
    assert page.cookie.partition("=")[2] not in text


def test_another_user_of_the_machine_gets_nothing(page: Served) -> None:
    """Not by the page's port, and not by the file that gives links."""
    if os.geteuid() != 0:
        pytest.skip("acting as another user takes root")
    for folder in (page.root, *list(page.root.parents)[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        found: list[object] = []
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            stranger = Served(page.desk, page.process, page.port, "")
            for method, path in (("GET", "/api/now"), ("POST", "/api/lists"), ("GET", IMAGE)):
                found.append(stranger.ask(method, path, {})[0].status)
            (page.root / "state" / "review.json").read_text()
        except BaseException as problem:  # noqa: BLE001 - the parent looks at it
            found.append(type(problem).__name__)
        finally:
            os.write(writing, json.dumps(found).encode())
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert json.load(told) == [401, 401, 401, "PermissionError"]


def test_a_second_start_gives_another_link(page: Served) -> None:
    """One page a workspace; whoever types it again only wants to get in."""
    answer = imgsort("-C", page.root, "review")
    assert answer.code == 0
    assert LINK.fullmatch(answer.out.strip())
    assert "serves this workspace already" in answer.err


def test_without_a_page_there_is_no_link(tmp_path: Path) -> None:
    """Not of a page that has ended either."""
    desk = Desk.at(tmp_path / "photos")
    expected = (1, "No `imgsort review` runs in this workspace; start it.")
    assert imgsort("-C", desk.workspace.root, "review", "--link").said == expected
    with served(desk.workspace.root) as page:
        page.end()
    answer: Answer = imgsort("-C", desk.workspace.root, "review", "--link")
    assert answer.said == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told(tmp_path: Path, number: int) -> None:
    """At once and without a word, also while tabs are open."""
    with served(tmp_path / "photos") as page, page.sign_in().stream() as stream:
        stream.hello()
        assert page.end(number) == (0, "")


def test_open_tabs_go_on_after_a_restart(tmp_path: Path) -> None:
    """The page comes back at the same port, and who was signed in still is."""
    with served(tmp_path / "photos") as page:
        page.sign_in()
        page.process.kill()
        page.process.communicate()
        with served(page.root) as again:
            assert again.port == page.port
            assert page.ask("GET", "/api/now")[0].status == 200


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """One sentence with the next step."""
    desk = Desk.at(tmp_path / "photos")
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        answer = imgsort("-C", desk.workspace.root, "review", "--port", str(port))
    assert answer.code == 1
    assert answer.err.startswith(f"Port {port} can't be listened at (Address already in use);")


def test_what_happens_is_told_to_open_tabs(page: Served) -> None:
    """A word by the command line, and one from another tab."""
    page.desk.file("cat-1.jpg", "cat-2.jpg")
    with page.stream() as stream:
        stream.hello()
        assert page.desk.type("label", "cat-1.jpg", "dog").code == 0
        while not stream.until("log")["spoken"]:
            continue
        page.desk.file("dog-7.jpg", "unsure-cat-8.jpg")
        told = stream.until("log")
        while not told["filed"]:
            told = stream.until("log")
        assert told["filed"] == {"dog": 1}


def test_a_websocket_is_refused(page: Served) -> None:
    """There is none; another page can't open one."""
    with closing(socket.create_connection(("127.0.0.1", page.port))) as line:
        line.sendall(
            b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.test\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert line.recv(4096).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "request_line",
    [
        *(b"GET /static/../../../../etc/passwd HTTP/1.1", b"GET //etc/passwd HTTP/1.1"),
        *(b"GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1", b"GET /static/..%2fx HTTP/1.1"),
        *(b"GET /static/%00 HTTP/1.1", b"GET /static//etc/passwd HTTP/1.1"),
        *(b"GET /static/" + b"a" * 10_000 + b" HTTP/1.1", b"GET file:///etc/passwd HTTP/1.1"),
        *(b"GET /thumb/../../etc/passwd HTTP/1.1", b"\xff\xfe\xfd", b"CONNECT evil:80 HTTP/1.1"),
    ],
)  # fmt: skip
def test_no_url_is_a_path(page: Served, request_line: bytes) -> None:
    """Whatever is sent, raw: refused, and nothing of any file comes back."""
    with closing(socket.create_connection(("127.0.0.1", page.port))) as line:
        line.sendall(request_line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:200]
    assert b"root:" not in answer


@pytest.mark.slow
def test_a_thousand_streams_leave_the_page_working(tmp_path: Path) -> None:
    """So many tabs as there may be are told everything, the others to close some; the page
    answers meanwhile and afterwards."""
    with served(tmp_path / "photos") as page, ExitStack() as opened:
        page.sign_in()
        codes = []
        for _ in range(1000):
            line = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
            opened.callback(line.close)
            line.request("GET", "/api/events", headers=page.headers())
            codes.append(line.getresponse().status)
        assert (codes.count(200), codes.count(503)) == (MOST_TABS, 1000 - MOST_TABS)
        assert page.ask("GET", "/api/now")[0].status == 200
        opened.close()
        _until(lambda: _streams(page) == 200, "a stream to be free again")


@pytest.mark.slow
def test_silent_connections_lock_nobody_out(tmp_path: Path) -> None:
    """Another user opens as many as there may be and says nothing, or ever so slowly: they are
    closed after seconds, and the page answers again."""
    with served(tmp_path / "photos") as page, ExitStack() as opened:
        page.sign_in()
        for number in range(MOST):
            line = socket.create_connection(("127.0.0.1", page.port))
            opened.callback(line.close)
            if number % 2:
                line.sendall(b"GET / HTTP/1.1\r\nX: ")
        _until(lambda: _answers(page), "the page to answer", HEAD_SECONDS * 3)
        process = psutil.Process(page.process.pid)
        _until(lambda: process.num_fds() < MOST // 2, "them to be closed", HEAD_SECONDS * 3)


def _streams(page: Served) -> int:
    with page.stream() as stream:
        return stream.answer.status


def _answers(page: Served) -> bool:
    try:
        return page.ask("GET", "/api/now")[0].status == 200
    except OSError:
        return False


def _until(condition: Any, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


def test_the_browser_is_opened_by_a_private_file(tmp_path: Path) -> None:
    """The link is in no command line, which every user of the machine could read."""
    seen = tmp_path / "seen"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    program.chmod(0o755)
    script = (
        "import sys; from pathlib import Path; from imgsort.review.opening import open_browser;"
        "open_browser(sys.stdin.read(), Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        input="http://127.0.0.1:1/#k=secret&\"'<",
        env={**os.environ, "BROWSER": f"{program} %s"},
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert seen.read_text() == (tmp_path / "review.html").as_uri()
    assert (tmp_path / "review.html").stat().st_mode & 0o777 == 0o600
    assert "#k=secret&amp;&quot;&#x27;&lt;" in (tmp_path / "review.html").read_text()
