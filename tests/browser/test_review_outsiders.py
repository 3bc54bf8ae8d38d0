"""Other pages in the same browser read nothing of ours, change nothing; ours asks nobody else."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import Visit, file_pictures, painted, press, soon, written

Visiting = Callable[..., Visit]


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    file_pictures(made.desk, {f"u{number}.jpg": "unsure cat" for number in range(4)})
    return made


class Hostile(BaseHTTPRequestHandler):
    """Some page on the web, on another port of this machine even."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>hostile</title><body>")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def hostile_page() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


TRIES = (Path(__file__).parent / "hostile.js").read_text(encoding="utf-8")


def test_another_origin_reads_nothing_and_changes_nothing(visit: Visit) -> None:
    """Form, simple and JSON POST, fetch, image, frame, EventSource, WebSocket: all refused."""
    page = visit.begin()
    painted(page, 4)
    picture = visit.desk.log("SELECT sha256 FROM prediction_log LIMIT 1")[0][0]
    visit.expected = ("",)  # the browser tells the hostile page of each refusal, loudly
    with hostile_page() as address:
        other = page.context.new_page()
        other.goto(address)
        act = "00000000-0000-4000-8000-000000000000"
        told = other.evaluate(TRIES, [visit.server.address, picture, act])
        frames = [frame for frame in other.frames if frame.parent_frame]
        assert all("imgsort" not in frame.content() for frame in frames)
    tried = ("read", "no-cors", "simple", "json", "token", "image", "events", "socket")
    assert {name: (how, read) for name, how, read in told} == dict.fromkeys(tried, ("refused", 0))
    assert visit.desk.count_labels() == 0


@pytest.mark.slow
def test_a_name_that_resolves_to_loopback_gets_nothing(visit: Visit) -> None:
    """DNS rebinding: the page under another name is refused before anything is looked at."""
    link = visit.server.start()
    visit.expected = ("421", "Cross-Origin-Opener-Policy")
    page = visit.open("about:blank")
    port = urlsplit(link).port
    answer = page.goto(f"http://evil.test:{port}/{urlsplit(link).fragment}")
    assert answer is not None
    assert answer.status == 421
    assert "imgsort" in answer.text()
    assert page.evaluate("fetch('/api/now').then((answer) => answer.status)") == 421


@pytest.mark.slow
def test_a_link_opens_the_page_once(visit: Visit) -> None:
    """The second browser is told where a fresh link comes from; a reload of the first goes on."""
    page = visit.begin()
    painted(page, 4)
    assert "#k=" not in page.url
    visit.expected = ("401", "403")
    stranger = visit.open(visit.server.link)
    expect(stranger.get_by_text("imgsort review --link")).to_be_visible()
    expect(stranger.get_by_role("gridcell")).to_have_count(0)
    page.reload()
    painted(page, 4)


@pytest.mark.slow
def test_nothing_can_run_that_is_not_ours(visit: Visit) -> None:
    """No innerHTML, no eval, no inline script: the browser itself refuses."""
    page = visit.begin()
    painted(page, 4)
    visit.expected = ("TrustedHTML", "TrustedScript", "Content Security Policy", "trusted")
    outcomes = page.evaluate(
        """async () => {
          // Later: what the driver itself evaluates is exempt.
          await new Promise((done) => setTimeout(done, 50));
          const attempt = (act) => {
            try { act(); return "done"; } catch (error) { return error.name; }
          };
          const script = document.createElement("script");
          return {
            html: attempt(() => { document.body.innerHTML = "<p>x"; }),
            write: attempt(() => document.write("x")),
            handler: attempt(() => document.body.setAttribute("onclick", "window.ran = 1")),
            script: attempt(() => { script.textContent = "window.ran = 1"; }),
            address: attempt(() => { script.src = "/static/keys.js"; }),
            eval: attempt(() => window.eval("1")),
            function: attempt(() => new Function("return 1")()),
          };
        }"""
    )
    assert set(outcomes.values()) <= {"TypeError", "EvalError"}, outcomes
    assert page.evaluate("window.ran") is None


@pytest.mark.slow
def test_the_page_asks_nobody_but_its_own_server(visit: Visit) -> None:
    """Every screen, and no request leaves this address."""
    visit.server.start()
    page = visit.open("about:blank")
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(visit.server.link)
    painted(page, 4)
    for screen in ("search", "recent", "rejected", "audit", "training", "models", "status"):
        page.evaluate(f"location.hash = '#{screen}'")
        page.wait_for_timeout(300)
    page.evaluate("location.hash = '#unsure'")
    painted(page, 4)
    press(page, "2")
    written(page)
    assert asked == {urlsplit(visit.server.address).netloc}
    soon(lambda: visit.desk.count_labels() == 1, "the word is written")


@pytest.mark.slow
def test_the_page_works_with_the_network_cut(visit: Visit) -> None:
    """Server and browser have loopback and nothing else: everything is shown, words are written."""
    unshare = shutil.which("unshare")
    tried = [unshare or "false", "--net", "true"]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("a network of its own takes root, and util-linux's unshare")
    command = [sys.executable, "-m", "tests.browser.cut_off", str(visit.desk.workspace.root)]
    answer = subprocess.run(
        [*tried[:-1], *command], capture_output=True, text=True, check=False, timeout=200
    )
    assert answer.returncode == 0, answer.stderr
    assert {word for word, *_ in visit.desk.labels().values()} == {"dog"}
    assert "sorted/dog/u0.jpg" in visit.desk.tree()
