"""Who may ask the page's server what."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from imgsort.review.application import application
from imgsort.review.front import Front
from imgsort.review.headers import HEADERS, REPORT_POLICY
from imgsort.review.sign_in import LINK_SECONDS, Doorkeeper, NotLetIn
from tests.review.visitor import HERE, SECRET, Review, review_of

HASH = "a" * 64
OPEN = {"GET /", "GET /static/{name}", "POST /api/session", "POST /api/link"}
"""What is answered without a session: the page, which holds no data, and its doors."""
BY_COOKIE = {"GET /thumb/{sha256}", "GET /report/{version}"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    with review_of(tmp_path_factory.mktemp("gate") / "photos") as made:
        made.file("cat-1.jpg")
        yield made


def routes(review: Review) -> dict[str, tuple[str, str]]:
    """Each route of the whole application, with a URL of it."""
    front = application(review.host, SECRET)
    assert isinstance(front, Front)
    assert isinstance(front.inner, Starlette)
    found = {}
    for route in front.inner.routes:
        assert isinstance(route, Route)
        (method,) = (route.methods or set()) - {"HEAD"}
        url = route.path.replace("{sha256}", HASH).replace("{name}", "main.js")
        for part in ("version", "list", "act", "run"):
            url = url.replace(f"{{{part}}}", "1")
        assert "{" not in url
        found[f"{method} {route.path}"] = (method, url)
    return found


def test_every_route_asks_who_is_there(shared: Review) -> None:
    """Without a session: 401 and one sentence, which says nothing of any picture; and what is open
    is what was meant to be."""
    answers = {
        name: shared.stranger().ask(method, url, {} if method in {"POST", "PUT"} else None)
        for name, (method, url) in routes(shared).items()
    }
    assert len(answers) > 25
    assert {name for name, one in answers.items() if one.status_code != 401} == OPEN
    refused = {one.text for name, one in answers.items() if name not in OPEN}
    assert len(refused) == 1
    assert "isn't signed in" in refused.pop()


def test_the_cookie_alone_shows_pictures_only(shared: Review) -> None:
    """Other servers of this machine are sent it too: with it alone nothing is listed or changed."""
    visitor = shared.stranger()
    visitor.cookie = shared.visitor.cookie
    answers = {
        name: visitor.ask(method, url, {} if method in {"POST", "PUT"} else None).status_code
        for name, (method, url) in routes(shared).items()
    }
    assert {name for name, code in answers.items() if code != 401} == OPEN | BY_COOKIE


def test_a_token_of_another_browser_is_none(shared: Review) -> None:
    """Cookie and token belong together."""
    other = shared.stranger().sign_in()
    assert other.cookie != shared.visitor.cookie
    other.token = shared.visitor.token
    assert other.ask("GET", "/api/now").status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        *("evil.test", "evil.test:8765", "127.0.0.1.evil.test", "localhost.evil.test", ""),
        *(
            "192.168.1.5:8765",
            "127.0.0.2",
            "[::ffff:127.0.0.1]",
            "[::]",
            "localhost:",
            "localhost:x",
        ),
        *("localhost@evil.test", "evil.test#localhost", "127.0.0.1:8765, evil.test", "2130706433"),
    ],
)
def test_other_names_are_misdirected(shared: Review, host: str) -> None:
    """A name that only resolves to this machine (DNS rebinding) gets 421, on every route."""
    for name, (method, url) in routes(shared).items():
        answer = shared.visitor.ask(method, url, headers={"host": host or " ", "origin": ""})
        assert answer.status_code == 421, name
    answer = shared.visitor.ask("GET", "/no/such/page", headers={"host": host or " "})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "localhost:65535", "[::1]:8765"])
def test_a_tunnel_may_have_another_port(shared: Review, host: str) -> None:
    """`ssh -L` on whatever port works: the page is then at that one."""
    headers = {"host": host, "origin": f"http://{host}"}
    assert shared.visitor.ask("GET", "/api/now", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8765"},
        {"origin": "http://localhost:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_another_page_is_refused(shared: Review, headers: dict[str, str]) -> None:
    """Even with cookie and token, and for every route."""
    for name, (method, url) in routes(shared).items():
        answer = shared.visitor.ask(method, url, {}, headers=headers)
        assert answer.status_code == 403, name
        assert "Another page asked" in answer.text


def test_a_link_to_the_page_may_be_followed(shared: Review) -> None:
    """From a terminal, a mail or another page: it is a document without data; it is no frame."""
    came = {"origin": "", "sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    assert shared.stranger().ask("GET", "/", headers=came).status_code == 200
    framed = {**came, "sec-fetch-dest": "iframe"}
    assert shared.stranger().ask("GET", "/", headers=framed).status_code == 403


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_understood(shared: Review, kind: str) -> None:
    """What a form, or a page that needn't ask first, can send is refused unread."""
    answer = shared.visitor.ask(
        "POST", "/api/acts", headers={"content-type": kind or "x"}, content=b'{"say": "none"}'
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("content", [b"[1]", b"{", b'"x"', b"\xff", b"[" * 100_000, b"NaN"])
def test_broken_json_is_refused(shared: Review, content: bytes) -> None:
    """One sentence, and no traceback."""
    for url in ("/api/acts", "/api/lists", "/api/session", "/api/audits"):
        answer = shared.visitor.ask("POST", url, content=content)
        assert answer.status_code == 400, answer.text


def test_too_much_is_refused(shared: Review) -> None:
    """Before all of it is read."""
    answer = shared.visitor.ask("POST", "/api/acts", content=b" " * 9_000_000)
    assert answer.status_code == 413


def test_every_answer_has_the_headers(shared: Review) -> None:
    """Those of good answers, refusals, errors and of what doesn't exist; the report has a stricter
    policy of its own."""
    folder = shared.desk.workspace.models / "v0001" / "report"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("<script>alert(1)</script>")
    visitors = (shared.visitor, shared.stranger())
    for name, (method, url) in [*routes(shared).items(), ("none", ("GET", "/x/y"))]:
        if name == "GET /api/events":
            continue  # it never ends; its headers are looked at in test_events
        for visitor in visitors:
            answer = visitor.ask(method, url, {} if method in {"POST", "PUT"} else None)
            own = {"cache-control", "content-security-policy"}
            for header in HEADERS.keys() - own:
                assert answer.headers[header] == HEADERS[header], (name, header)
            policy = answer.headers["content-security-policy"]
            shown = name == "GET /report/{version}" and answer.status_code == 200
            assert policy == (REPORT_POLICY if shown else HEADERS["content-security-policy"]), name
            assert answer.headers["cache-control"] in {
                *("no-store", "no-cache", "private, max-age=31536000, immutable")
            }
            assert "server" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers


def test_the_policy_lets_nothing_in() -> None:
    """No inline script, no eval, nobody else's anything, and no markup from text."""
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "sandbox;" in REPORT_POLICY
    assert "script-src" not in REPORT_POLICY


def test_the_secret_gives_a_link(shared: Review) -> None:
    """`imgsort review --link` knows it from state/review.json; a wrong one is refused."""
    answer = shared.stranger().ask("POST", "/api/link", {"secret": SECRET}, {"origin": ""})
    key = answer.json()["key"]
    assert shared.stranger().ask("POST", "/api/session", {"key": key}).status_code == 200
    refused = shared.stranger().ask("POST", "/api/link", {"secret": SECRET + "x"})
    assert (refused.status_code, "key" in refused.json()) == (403, False)


def test_the_cookie_is_for_the_server_alone(shared: Review) -> None:
    """No script reads it, no other site has it sent, and other workspaces' pages have their own."""
    key = shared.host.doorkeeper.link_key()
    answer = shared.stranger().ask("POST", "/api/session", {"key": key})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert Doorkeeper().cookie_name != Doorkeeper().cookie_name


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_link_works_once() -> None:
    """Whoever finds it later in a history or a log comes too late."""
    keeper = Doorkeeper()
    key = keeper.link_key()
    cookie, token = keeper.let_in(key, None)
    assert keeper.knows_tab(cookie, token)
    with pytest.raises(NotLetIn):
        keeper.let_in(key, None)
    with pytest.raises(NotLetIn):
        keeper.let_in("guessed", cookie)


def test_a_link_grows_old() -> None:
    """After five minutes it opens nothing."""
    clock = _Clock()
    keeper = Doorkeeper(clock=clock)
    key = keeper.link_key()
    clock.now += LINK_SECONDS + 1
    with pytest.raises(NotLetIn):
        keeper.let_in(key, None)


def test_a_session_ends() -> None:
    """After a week without a fresh link."""
    clock = _Clock()
    keeper = Doorkeeper(clock=clock)
    cookie, token = keeper.let_in(keeper.link_key(), None)
    clock.now += 6 * 86_400
    assert keeper.knows_tab(cookie, token)
    clock.now += 2 * 86_400
    assert not keeper.knows_tab(cookie, token)
    assert not keeper.knows_browser(cookie)
    assert keeper.sessions() == []


def test_two_tabs_of_one_browser_both_stay_in() -> None:
    """A second link in the same browser doesn't throw the first tab out."""
    keeper = Doorkeeper()
    cookie, first = keeper.let_in(keeper.link_key(), None)
    again, second = keeper.let_in(keeper.link_key(), cookie)
    assert again == cookie
    assert keeper.knows_tab(cookie, first)
    assert keeper.knows_tab(cookie, second)


def test_guessing_is_slow() -> None:
    """After five wrong keys each look takes a second; a right one ends that."""
    keeper = Doorkeeper()
    for _ in range(5):
        assert keeper.pause() == 0
        with pytest.raises(NotLetIn):
            keeper.let_in("guess", None)
    assert keeper.pause() == 1.0
    keeper.let_in(keeper.link_key(), None)
    assert keeper.pause() == 0


def test_only_digests_are_remembered(tmp_path: Path) -> None:
    """Who reads the file of the sessions can't come in by it; who was in still is."""
    keeper = Doorkeeper()
    cookie, token = keeper.let_in(keeper.link_key(), None)
    kept = keeper.sessions()
    assert cookie not in repr(kept)
    assert token not in repr(kept)
    later = Doorkeeper(keeper.cookie_name, kept)
    assert later.knows_tab(cookie, token)
    assert not later.knows_tab(kept[0].cookie, kept[0].tokens[0])


def test_the_page_has_no_inline_script(shared: Review) -> None:
    """Nothing in it but references to its own files."""
    text = shared.stranger().ask("GET", "/").text
    assert "<script" in text
    assert "onclick" not in text
    assert "http:" not in text.replace(HERE, "").replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
