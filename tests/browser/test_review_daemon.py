"""A person at the page beside a daemon that files two thousand pictures."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from imgsort.workspace.workspace import Workspace
from tests.browser.gallery import Server, Visit, focused, jpeg, painted, press, soon, written
from tests.desk import Desk
from tests.workspace.conftest import founded, workspace  # noqa: F401 - a workspace with a real model

pytestmark = pytest.mark.slow
MANY = 2000
MINUTES = 60_000


@pytest.fixture
def visit(browser: Browser, workspace: Workspace, test_data: Path) -> Iterator[Visit]:  # noqa: F811
    """Some unsure pictures, and many more waiting."""
    for number in range(12):
        (workspace.inbox / f"first{number:02}.jpg").write_bytes(jpeg(f"first {number}"))
    imgsort = [sys.executable, "-m", "imgsort", "-C", str(workspace.root)]
    subprocess.run([*imgsort, "run", "--once", "--quiet"], check=True)
    for folder in (workspace.sorted, workspace.rejected):
        for path in list(folder.rglob("first*")):
            subprocess.run([*imgsort, "label", str(path), "cat"], check=True)
    made = Visit(Desk(workspace), Server(workspace.root), browser)
    yield made
    made.close()
    assert made.unexpected() == []


def unsure_since(visit: Visit) -> int:
    rows = visit.desk.log(
        "SELECT count(*) FROM arrivals WHERE decision = 'unsure' AND state = 'filed'"
        " AND name LIKE 'IMG%'"
    )
    number: int = rows[0][0]
    return number


def test_list_and_place_stay_while_two_thousand_are_filed(visit: Visit) -> None:
    """What came is counted; what is said meanwhile is written once, and moved once."""
    desk = visit.desk
    waiting = [row[0] for row in desk.log("SELECT name FROM arrivals WHERE decision = 'unsure'")]
    assert len(waiting) > 3
    page = visit.begin()
    painted(page, len(waiting))
    shown = [one.get_attribute("aria-label") for one in page.get_by_role("gridcell").all()]
    for number in range(MANY):
        (desk.workspace.inbox / f"IMG_{number:04}.jpg").write_bytes(jpeg(f"many {number}"))
    command = [sys.executable, "-m", "imgsort", "-C", str(desk.workspace.root), "run", "--quiet"]
    daemon = subprocess.Popen(command)
    try:
        soon(lambda: filed(visit) > 50, "the daemon files", 120)
        press(page, "1", "2", "3")
        written(page, MINUTES)
        expect(page.locator("#tile-3")).to_have_class("tile focus")
        soon(lambda: filed(visit) == MANY, "the daemon has filed them all", 200)
        came = unsure_since(visit)
        expect(page.get_by_role("button", name=f"+{came:,} since")).to_be_visible()
        now = [one.get_attribute("aria-label") for one in page.get_by_role("gridcell").all()]
        assert [one.split(",")[0] for one in now if one] == [
            one.split(",")[0] for one in shown if one
        ]
        assert (focused(page).get_attribute("aria-label") or "") == shown[3]
        press(page, "1")
        written(page, MINUTES)
    finally:
        daemon.terminate()
        daemon.wait(60)
    words = [word for word, source, _ in desk.labels().values() if source == "review"]
    assert sorted(filter(None, words)) == ["cat", "cat", "dog", "snake"]
    assert desk.log("SELECT count(*) FROM labels WHERE source = 'review'") == [(4,)]
    moved = [row[0] for row in desk.log("SELECT arrival_id FROM moves WHERE cause = 'file'")]
    assert len(moved) == len({*moved}) == MANY + 12
    assert len(desk.tree()) == MANY + 12
    assert desk.agrees()


def filed(visit: Visit) -> int:
    rows = visit.desk.log(
        "SELECT count(*) FROM arrivals WHERE state = 'filed' AND name LIKE 'IMG%'"
    )
    number: int = rows[0][0]
    return number
