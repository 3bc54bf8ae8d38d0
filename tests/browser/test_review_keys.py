"""The keyboard: what each key does to one picture and to many, and how it is taken back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import (
    Visit,
    file_pictures,
    focused,
    opened,
    painted,
    press,
    said,
    soon,
    tile,
    written,
)

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]
UNSURE = {f"u{number}.jpg": f"unsure {('cat', 'dog')[number % 2]}" for number in range(8)}


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    file_pictures(made.desk, UNSURE)
    return made


def test_the_question_mark_shows_every_key(visit: Visit) -> None:
    """All keys stand in one table, which ? closes again."""
    page = opened(visit, 8)
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    for key in ("Enter", "1 … 9", "t", ".", "x", "s", "Shift+N", "u", "Space", "b", "z", "w", "g"):
        expect(dialog.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$"))).to_be_visible()
    press(page, "?")
    expect(dialog).to_have_count(0)
    press(page, "1")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "said")


def test_keys_mean_all_that_is_chosen(visit: Visit) -> None:
    """Space, Shift and arrows, Ctrl and click choose; one key then speaks of all in one act."""
    page = opened(visit, 8)
    press(page, "Space", "ArrowRight", "ArrowRight", "Space")
    tile(page, "u5.jpg").click(modifiers=["Control"])
    press(page, "3")
    written(page)
    assert said(visit) == dict.fromkeys(["u0.jpg", "u2.jpg", "u5.jpg"], "snake")
    tile(page, "u6.jpg").click()
    press(page, "Shift+ArrowRight", "1")
    written(page)
    assert said(visit) | {"u6.jpg": "cat", "u7.jpg": "cat"} == said(visit)
    assert visit.desk.log("SELECT count(*) FROM runs WHERE kind = 'review'") == [(2,)]


def test_a_sheet_is_said_to_be_right_at_once(visit: Visit) -> None:
    """Shift+Enter speaks of all that nobody has spoken of, each as what stands under it."""
    page = opened(visit, 8)
    press(page, "3", "Shift+Enter")
    written(page)
    right = {name: fate.rpartition(" ")[2] for name, fate in UNSURE.items()}
    assert said(visit) == {**right, "u0.jpg": "snake"}
    press(page, "u")
    expect(tile(page, "u1.jpg")).to_have_attribute("data-state", "")
    assert said(visit) == {"u0.jpg": "snake"}


def test_moving_never_decides(visit: Visit) -> None:
    """Arrows, Home, End and the page keys say nothing of any picture."""
    page = opened(visit, 8)
    press(page, *["ArrowRight"] * 3, "ArrowLeft", "End", "PageUp", "PageDown", "Home", "ArrowDown")
    press(page, "z", "ArrowRight", "z", "Escape")
    expect(focused(page)).to_have_count(1)
    assert visit.desk.count_labels() == 0


def test_keys_are_nobody_s_while_somebody_types(visit: Visit) -> None:
    """What is typed into the box with the classes, or into a search, is text."""
    page = opened(visit, 8)
    press(page, "t")
    page.keyboard.type("1x.s")
    expect(page.get_by_role("combobox", name="Class")).to_have_value("1x.s")
    press(page, "Escape")
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Name has").fill("u1")
    page.get_by_label("Name has").press("Enter")
    expect(page.get_by_role("gridcell")).to_have_count(1)
    assert visit.desk.count_labels() == 0


def test_a_search_takes_a_class_by_its_name(visit: Visit) -> None:
    """What the model takes for it, and what somebody calls so; another name finds nothing."""
    page = opened(visit, 8)
    press(page, "3")
    written(page)
    page.get_by_role("link", name="Search").click()
    for name, number in (("dog", 4), ("snake", 1), ("newt", 0)):
        page.get_by_role("search").get_by_label("Class").fill(name)
        page.get_by_role("search").get_by_label("Class").press("Enter")
        expect(page.get_by_role("gridcell")).to_have_count(number)
    expect(page.get_by_text("No picture is like that.")).to_be_visible()


def test_a_key_that_is_held_down_decides_once(visit: Visit) -> None:
    """A stuck key must not label a folder."""
    page = opened(visit, 8)
    for _ in range(5):
        page.keyboard.down("1")  # from the second on the browser calls it a repeat
    page.keyboard.up("1")
    written(page)
    assert said(visit) == {"u0.jpg": "cat"}


def test_a_new_class_takes_shift(visit: Visit) -> None:
    """Enter takes a class there is, Shift+Enter makes one; a slip of an old one is asked about."""
    page = opened(visit, 8)
    press(page, "t")
    page.keyboard.type("wolf")
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="Which class?")).to_be_visible()
    press(page, "Shift+Enter")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "said")
    assert said(visit) == {"u0.jpg": "wolf"}
    press(page, "t")
    page.keyboard.type("dgo")
    visit.expected = ("409",)
    press(page, "Shift+Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("dog")
    press(page, "Escape")
    assert said(visit) == {"u0.jpg": "wolf"}


def test_undo_restores_what_was_said_before(visit: Visit) -> None:
    """Not the model's guess: the earlier word."""
    assert visit.desk.type("label", visit.desk.workspace.unsure / "u0.jpg", "snake").code == 0
    page = visit.begin()
    page.evaluate("location.hash = '#search=name=u0'")
    expect(tile(page, "u0.jpg")).to_contain_text("snake")
    painted(page, 1)
    press(page, "1")
    written(page)
    assert said(visit) == {"u0.jpg": "cat"}
    press(page, "u")
    expect(page.locator("#said")).to_contain_text("Taken back")
    expect(tile(page, "u0.jpg")).to_contain_text("snake")
    assert said(visit) == {"u0.jpg": "snake"}
    assert "sorted/snake/u0.jpg" in visit.desk.tree()


def test_undo_works_after_a_restart_of_the_server(visit: Visit) -> None:
    """And in a tab that has said nothing itself."""
    page = opened(visit, 8)
    press(page, "Control+a", "3")
    written(page)
    assert len(said(visit)) == 8
    page.close()
    visit.server.stop()
    visit.expected = ("Failed to load resource", "net::ERR")
    page = visit.begin()
    expect(page.get_by_text("All of it has been said.")).to_be_visible()
    press(page, "u")
    before = sorted(f"unsure/{name}" for name in UNSURE)
    soon(lambda: visit.desk.tree() == before, "the whole sheet lies where it lay")
    assert said(visit) == {}


def test_large_why_and_the_guess(visit: Visit) -> None:
    """z shows one picture large, with the same keys; g hides the guess, so Enter can't take it."""
    page = opened(visit, 8)
    press(page, "z")
    image = page.get_by_role("figure").get_by_role("img", name="u0.jpg")
    expect(image).to_be_visible()
    press(page, "2")
    expect(page.get_by_role("figure").get_by_role("img", name="u1.jpg")).to_be_visible()
    press(page, "g", "Enter")
    expect(page.locator("#said")).to_contain_text("The guess is hidden")
    press(page, "g", "Enter", "z")
    expect(image).to_be_hidden()
    written(page)
    assert said(visit) == {"u0.jpg": "dog", "u1.jpg": "dog"}


def three_of_a_kind(number: int) -> int:
    """Two bits apart within three, many between them."""
    return (1 << number % 3) - 1 + (number // 3) * 0x0F0F0F0F0F0F


def test_look_alikes_are_chosen_together(visiting: Visiting) -> None:
    """b takes the burst around a picture, and nothing else."""
    visit = visiting()
    bursts = {f"b{number}.jpg": "unsure cat" for number in range(9)}
    file_pictures(visit.desk, bursts, likeness=three_of_a_kind)
    page = opened(visit, 9)
    press(page, "ArrowRight", "b")
    expect(page.locator(".tile[aria-selected=true]")).to_have_count(3)
    press(page, "2")
    written(page)
    assert said(visit) == dict.fromkeys(["b0.jpg", "b1.jpg", "b2.jpg"], "dog")


def test_everything_works_by_mouse_too(visit: Visit) -> None:
    """Chips say what keys say, and give the keyboard back."""
    page = opened(visit, 8)
    page.get_by_role("button", name="dog").click()
    press(page, "Enter")
    written(page)
    page.get_by_role("button", name="undo").click()
    expect(page.locator("#said")).to_contain_text("Taken back")
    expect(tile(page, "u1.jpg")).to_have_attribute("data-state", "")
    assert said(visit) == {"u0.jpg": "dog"}


def test_a_class_gets_another_key_where_its_pictures_are(visit: Visit) -> None:
    """And every tab, also after a restart, goes by it."""
    page = opened(visit, 8)
    page.evaluate("location.hash = '#class=3'")
    page.get_by_label("Key", exact=True).select_option(label="key 9")
    expect(page.get_by_role("button", name="9 snake")).to_be_visible()
    visit.expected = ("Failed to load resource", "net::ERR")
    visit.server.stop()
    visit.server.start()
    page.evaluate("location.hash = '#unsure'")
    page.reload()
    painted(page, 8)
    press(page, "9")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "said")
    assert said(visit) == {"u0.jpg": "snake"}
