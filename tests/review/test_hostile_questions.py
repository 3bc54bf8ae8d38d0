"""Whatever is sent in whatever place: refused in a sentence, and no file is opened for it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.review.test_gate import routes
from tests.review.visitor import Review, review_of

MARK = "hostile-mark"
ODD: tuple[Any, ...] = (
    *(f"../../{MARK}", f"/etc/{MARK}", f"{MARK}\0.jpg", MARK * 1000, f"%2e%2e/{MARK}", f"~/{MARK}"),
    *(f"<img src=x onerror={MARK}>", f"'; DROP TABLE labels; -- {MARK}", f"\udcff{MARK}"),
    *(-1, 0, 2**63, 2**64, 10**30, 1.5, True, None, [], {}, [[]], [{}], [[0, 10**30]], [None]),
    {"sha256": MARK, "word": MARK},
    [{"sha256": "a" * 64, "word": 2**70}],
    [{"sha256": f"../{MARK}", "word": None}],
)
KEYS = {
    "/api/acts": ("act", "pictures", "say", "audit"),
    "/api/lists": ("view", "of", "order", "only"),
    "/api/audits": ("n", "seed", "unsure"),
    "/api/retrain": ("augment",),
    "/api/session": ("key",),
    "/api/link": ("secret",),
    "/api/pins": ("pins",),
}
SOUND: dict[str, Any] = {
    "act": "6f1f1f8e-7d0c-4f5d-9b84-0a1b2c3d4e5f",
    "pictures": [{"sha256": "a" * 64, "word": None}],
    "say": {"is": "cat"},
    "view": "unsure",
    "n": 1,
}
_opened: list[str] = []
_watching: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in {"open", "os.listdir", "os.rename", "os.remove", "subprocess.Popen"}:
        _opened.append(repr(arguments[:2]))


sys.addaudithook(_watch)  # one can't be taken away again; outside of the tests it does nothing


@contextmanager
def nothing_is_opened() -> Iterator[None]:
    """Fails where the text that was sent comes to the file system."""
    _opened.clear()
    _watching.append(True)
    try:
        yield
    finally:
        _watching.clear()
    assert [one for one in _opened if MARK in one] == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    with review_of(tmp_path_factory.mktemp("hostile") / "photos") as made:
        made.file("cat-1.jpg")
        yield made


def refused(review: Review, method: str, url: str, body: Any = None) -> None:
    before = review.desk.count_labels(), review.desk.tree()
    content = None if body is None else json.dumps(body).encode()
    answer = review.visitor.ask(method, url, content=content)
    assert answer.status_code < 500, (method, url, body, answer.text)
    assert "Traceback" not in answer.text
    assert (review.desk.count_labels(), review.desk.tree()) == before


def test_the_watch_sees(tmp_path: Path) -> None:
    """A file whose name has the mark is noticed."""
    with pytest.raises(AssertionError), nothing_is_opened():
        (tmp_path / MARK).write_text("")


@pytest.mark.parametrize("odd", [one for one in ODD if isinstance(one, str)])
def test_no_part_of_a_url_is_a_path(shared: Review, odd: str) -> None:
    """Each variable part of each route, and its query."""
    written = quote(odd.encode(errors="surrogateescape"), safe="")
    with nothing_is_opened():
        for name, (method, _) in routes(shared).items():
            path = name.partition(" ")[2]
            if method == "DELETE" or path.endswith(("rollback", "events")):
                continue
            for part in ("sha256", "name", "version", "list", "act", "run"):
                path = path.replace(f"{{{part}}}", written)
            if path != name.partition(" ")[2]:
                refused(shared, method, path, {} if method in {"POST", "PUT"} else None)
            for key in ("from", "count", "of", "s", "truth", "said") if method == "GET" else ():
                refused(shared, method, f"{path}?{key}={written}")


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:30])
def test_no_part_of_a_body_is_a_path(shared: Review, odd: Any) -> None:
    """Each field of each call, alone among sound ones."""
    shared.visitor.sign_in()  # after wrong keys each look is slow; a right one ends that
    with nothing_is_opened():
        for url, keys in KEYS.items():
            method = "PUT" if url == "/api/pins" else "POST"
            for key in keys:
                sound = {name: SOUND[name] for name in keys if name in SOUND}
                if url == "/api/retrain" and (odd == 0 and odd is not False) and odd is not True:
                    continue  # that is a training
                if url == "/api/audits" and key != "n" and odd in (None, True, 0):
                    continue
                refused(shared, method, url, {**sound, key: odd})
