"""An audit of fifty on the page, in two sittings, tells what the command tells."""

import re
import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from imgsort.workspace.workspace import Workspace
from tests.browser.gallery import Visit, file_pictures, press
from tests.desk import Desk

pytestmark = pytest.mark.slow
NUMBER = 50
KEYS = {"cat": "1", "dog": "2", "snake": "3"}
FATES = ("cat", "cat", "dog", "unsure dog", "snake")
PICTURES = {f"a{number:02}.jpg": FATES[number % 5] for number in range(64)}


def truth_of(name: str) -> str:
    """Every seventh isn't what the model takes it for."""
    guess = PICTURES[name].rpartition(" ")[2]
    return "snake" if int(name[1:3]) % 7 == 0 else guess


def drawn_names(visit: Visit, run: int) -> list[str]:
    with visit.desk.store() as store:
        audit = store.audits.of(run)
        assert audit is not None
        return [row.name for row in store.lists.rows(audit.arrival_ids)]


def answer(page: Page, name: str, number: int) -> None:
    """When it is on the screen, and its guess isn't."""
    expect(page.locator(f"#tile-{number}")).to_have_class(re.compile("focus"))
    expect(page.get_by_role("figure").get_by_role("img", name=name)).to_be_visible()
    expect(page.locator(".large-image[data-form=large]")).to_be_visible()
    expect(page.locator(".large-caption b")).to_have_text("nobody has said")
    for word in KEYS:
        assert f"{word}?" not in page.locator(".view").inner_text()
    press(page, KEYS[truth_of(name)])


def test_an_audit_of_fifty(visiting: Callable[..., Visit]) -> None:
    """The guess hidden, resumed after a restart, an answer taken out and given again; the shares
    and their intervals are those of `imgsort audit` with the same seed and answers."""
    visit = visiting()
    file_pictures(visit.desk, PICTURES)
    twin = visit.desk.workspace.root.with_name("twin")
    shutil.copytree(visit.desk.workspace.root, twin)
    page = visit.begin()
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Pictures").fill(str(NUMBER))
    page.get_by_role("button", name="Draw").click()
    expect(page.locator(".so-far")).to_contain_text(f"0 of {NUMBER} answered")
    run = int(page.url.rpartition("=")[2])
    names = drawn_names(visit, run)
    assert len(names) == NUMBER
    for number, name in enumerate(names[:20]):
        answer(page, name, number)
    expect(page.locator(".so-far")).to_contain_text("20 of 50 answered")
    visit.expected = ("Failed to load resource", "net::ERR")
    visit.server.kill()
    visit.server.start()
    page.reload()
    expect(page.locator(".so-far")).to_contain_text("20 of 50 answered")
    press(page, "u")
    expect(page.locator(".so-far")).to_contain_text("19 of 50 answered")
    for number, name in enumerate(names[19:], 19):
        answer(page, name, number)
    expect(page.locator(".so-far")).to_contain_text("50 of 50 answered")
    expect(page.locator(".so-far")).to_contain_text("Done.")
    told = page.locator(".so-far").inner_text()
    lines = "".join(f"{truth_of(name)}\n" for name in names)
    seed = re.search(r"seed (\d+)", told)
    assert seed
    said = Desk(Workspace.open(twin)).type(
        *("audit", NUMBER, "--seed", seed[1], "--json"), stdin=lines
    )
    for share in (said.json["filed"], said.json["overall"]):
        low, high = (f"{100 * share['interval'][end]:.1f} %" for end in ("low", "high"))
        assert f"{share['right']} of {share['of']} right" in told
        assert f"between {low} and {high}" in told
    assert {source for _, source, _ in visit.desk.labels().values()} == {"audit"}
    assert visit.desk.labels() == Desk(Workspace.open(twin)).labels()
