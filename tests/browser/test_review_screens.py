"""Every screen for everybody: no finding of axe-core, light and dark, narrow and at 200 %."""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import Visit, file_pictures, painted, press

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]
SCREENS = (
    "unsure",
    "class=1",
    "rejected",
    "recent",
    "search",
    "search=name=u",
    "audit",
    "training",
    "models",
    "report",
    "status",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
WINDOWS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 780}},
    # 1280 pixels at 200 % are 640 to the page.
    "doubled": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    pictures = {f"u{number}.jpg": "unsure cat" for number in range(6)}
    pictures |= {f"c{number}.jpg": "cat" for number in range(6)} | {"broken.jpg": "rejected"}
    file_pictures(made.desk, pictures)
    return made


def findings(page: Page) -> list[str]:
    """What axe-core finds wrong, a line each."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.add_script_tag(content=axe)
    told: dict[str, Any] = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in told["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("window", WINDOWS)
def test_axe_finds_nothing_on_any_screen(visit: Visit, window: str) -> None:
    """WCAG 2.2 A and AA, and what axe calls best practice."""
    visit.server.start()
    visit.expected = ("409",)  # this model has no network to say why with
    page = visit.open(visit.server.link, bypass_csp=True, **WINDOWS[window])
    painted(page, 2)
    press(page, "Enter", "s", "Space")
    for screen in SCREENS:
        page.evaluate(f"location.hash = '#{screen}'")
        expect(page.locator("#main h1").first).to_be_visible()
        page.wait_for_timeout(400)
        assert findings(page) == [], screen
    page.evaluate("location.hash = '#class=1'")
    painted(page, 2)
    for keys in (["z"], ["w"], ["z", "?"], ["Escape", "t"]):
        press(page, *keys)
        page.wait_for_timeout(300)
        assert findings(page) == [], keys


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_sticks_out(visit: Visit, window: str) -> None:
    """No screen scrolls sideways, whatever the width."""
    visit.server.start()
    page = visit.open(visit.server.link, **WINDOWS[window])
    painted(page, 2)
    for screen in SCREENS:
        page.evaluate(f"location.hash = '#{screen}'")
        expect(page.locator("#main h1").first).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, screen


def test_a_screen_reader_is_told_of_pictures_and_of_acts(visit: Visit) -> None:
    """A grid with an active cell whose name says file, guess and word; each act is announced."""
    page = visit.begin()
    painted(page, 6)
    grid = page.get_by_role("grid", name="Unsure")
    expect(grid).to_be_focused()
    active = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    expect(active).to_have_role("gridcell")
    expect(active).to_have_accessible_name("u0.jpg, nobody has said, the model: cat, 31 % sure")
    press(page, "2")
    expect(page.get_by_role("status")).to_have_text("dog: u0.jpg")
    expect(active).to_have_accessible_name("u0.jpg, said: dog, the model: cat, 31 % sure")


def test_tab_reaches_everything_and_enter_works_there(visit: Visit) -> None:
    """Who doesn't use our keys comes through with Tab, Enter and Space."""
    page = visit.begin()
    painted(page, 6)
    page.get_by_role("link", name="Training").focus()
    press(page, "Enter")
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    page.get_by_role("link", name="Unsure").focus()
    press(page, "Enter")
    painted(page, 6)
    page.get_by_role("button", name="snake").focus()
    press(page, "Enter")
    expect(page.locator(".tile[data-state=said]")).to_have_count(1)
    assert {word for word, *_ in visit.desk.labels().values()} == {"snake"}
