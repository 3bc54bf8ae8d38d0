"""What a page may claim: confirmed is what was seen, an audit's guess is hidden until answered."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from imgsort.intervals import wilson
from tests.browser.gallery import Visit, file_pictures, painted, press, soon, tile, written

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    return visiting()


def seen_of(page: Page) -> int:
    text = page.locator(".tools").inner_text()
    found = re.search(r"(\d+) of \d+ seen|all (\d+) seen", text)
    return int(found[1] or found[2]) if found else 0


def class_sheet(visit: Visit, name: str) -> Page:
    page = visit.begin()
    page.get_by_role("link", name=re.compile(f"^{name}")).click()
    painted(page, 1)
    return page


def test_only_what_was_seen_is_confirmed(visit: Visit) -> None:
    """Not the rest of the class, and not what came since; it isn't called looked through."""
    file_pictures(visit.desk, {f"c{number:02}.jpg": "cat" for number in range(60)})
    page = class_sheet(visit, "cat")
    soon(lambda: settled(page), "the first sheet has been seen")
    number = seen_of(page)
    assert 0 < number < 60
    file_pictures(visit.desk, {"later.jpg": "cat"})
    press(page, "l")
    expect(page.locator("#said")).to_contain_text(f"{60 - number} not seen yet")
    labels = visit.desk.labels()
    assert sorted(labels) == [f"c{each:02}.jpg" for each in range(number)]
    assert set(labels.values()) == {("cat", "confirm", False)}
    press(page, "u")
    soon(lambda: visit.desk.labels() == {}, "a confirmation is taken back by u")


def settled(page: Page) -> bool:
    before = seen_of(page)
    page.wait_for_timeout(700)
    return before > 0 and before == seen_of(page)


def test_scrolling_past_is_not_seeing(visit: Visit) -> None:
    """End, and the middle was on no screen; sheet after sheet, and all of it was."""
    file_pictures(visit.desk, {f"c{number:02}.jpg": "cat" for number in range(60)})
    page = class_sheet(visit, "cat")
    soon(lambda: settled(page), "the first sheet has been seen")
    press(page, "End")
    soon(lambda: settled(page), "the last sheet has been seen")
    assert seen_of(page) < 60
    press(page, "Home")
    for _ in range(6):
        page.wait_for_timeout(600)
        press(page, "PageDown")
    expect(page.get_by_text("all 60 seen")).to_be_visible()
    press(page, "l")
    expect(page.locator("#said")).to_contain_text("looked through all of cat")
    assert set(visit.desk.labels().values()) == {("cat", "confirm", True)}


def test_an_audit_hides_the_guess_until_it_is_answered(visit: Visit) -> None:
    """One picture after the other; the shares and between what they lie; resumed after a restart;
    an answer taken back is in none of them."""
    pictures = {f"a{number}.jpg": ("cat", "unsure dog")[number % 2] for number in range(8)}
    file_pictures(visit.desk, pictures)
    page = visit.begin()
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Pictures").fill("6")
    page.get_by_role("button", name="Draw").click()
    caption = page.locator(".large-caption b")
    expect(caption).to_have_text("nobody has said")
    expect(page.get_by_role("figure").get_by_role("img")).to_be_visible()
    expect(page.locator(".large-image[data-form=large]")).to_be_visible()
    press(page, "Enter")
    expect(page.locator("#said")).to_contain_text("The guess is hidden")
    for _ in range(3):
        expect(caption).to_have_text("nobody has said")
        expect(page.locator(".large-image[data-form=large]")).to_be_visible()
        page.wait_for_timeout(300)
        press(page, "1")
    expect(page.locator(".so-far")).to_contain_text("3 of 6 answered")
    press(page, "u")
    expect(page.locator(".so-far")).to_contain_text("2 of 6 answered")
    assert {source for _, source, _ in visit.desk.labels().values()} == {"audit"}
    visit.expected = ("Failed to load resource", "net::ERR")
    visit.server.stop()
    visit.server.start()
    page.reload()
    expect(page.locator(".so-far")).to_contain_text("2 of 6 answered")
    expect(page.locator("#tile-2")).to_have_class(re.compile("focus"))
    answers = visit.desk.labels()
    right = sum(pictures[name] == "cat" for name in answers)
    filed = sum(not pictures[name].startswith("unsure") for name in answers)
    if filed:
        bounds = wilson(right, filed)
        shown = page.locator(".so-far").inner_text()
        assert f"{bounds.low:.1%}".replace("%", " %") in shown
        assert f"{bounds.high:.1%}".replace("%", " %") in shown


def test_a_picture_that_cannot_be_shown_says_why_and_its_neighbours_come(visit: Visit) -> None:
    """A grey tile with the reason; the others are there, and keys go on."""
    contents = {
        "page.jpg": b"<html><script>alert(1)</script>",
        "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "cut.jpg": b"\xff\xd8\xff\xe0 nothing more",
    }
    names = dict.fromkeys(["good.jpg", *contents, "fine.jpg"], "unsure cat")
    file_pictures(visit.desk, names, contents)
    page = visit.begin()
    painted(page, 5)
    for name in contents:
        expect(tile(page, name).locator(".nothing")).to_contain_text("can’t be shown")
    for name in ("good.jpg", "fine.jpg"):
        expect(tile(page, name).locator("img")).to_be_visible()
    press(page, "2", "Shift+N")
    written(page)
    assert {name: word for name, (word, *_) in visit.desk.labels().items()} == {
        "good.jpg": "dog",
        "page.jpg": "never_use",
    }
