"""A real Chromium, where there is one; without it these tests are skipped and say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.gallery import SOON, Server, Visit
from tests.desk import Desk

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP evil.test 127.0.0.1",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium isn't installed; the page is tested in it")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses its sandbox to root
    expect.set_options(timeout=SOON)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *root])
        yield opened
        opened.close()


@pytest.fixture
def visiting(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Makes workspaces with a model of cat, dog and snake; what the console says is a failure."""
    visits: list[Visit] = []

    def visit(config: str = "", root: Path | None = None) -> Visit:
        root = root or tmp_path / f"photos{len(visits) or ''}"
        made = Visit(Desk.at(root, config), Server(root), browser)
        visits.append(made)
        return made

    yield visit
    for one in visits:
        one.close()
    said = [complaint for one in visits for complaint in one.unexpected()]
    assert said == [], "the browser's console wasn't silent"
