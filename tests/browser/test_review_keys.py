"""The keyboard: what each key does to one picture and to many, and how it is taken back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import (
    Visit,
    file_pictures,
    focused,
    painted,
    press,
    soon,
    tile,
    written,
)

Visiting = Callable[..., Visit]
UNSURE = {f"u{number}.jpg": f"unsure {('cat', 'dog')[number % 2]}" for number in range(8)}


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    file_pictures(made.desk, UNSURE)
    return made


def opened(visit: Visit, number: int = len(UNSURE)) -> Page:
    page = visit.begin()
    painted(page, number)
    return page


def said(visit: Visit) -> dict[str, str | None]:
    return {name: word for name, (word, *_) in visit.desk.labels().items()}


def test_a_newcomer_corrects_three_pictures_with_the_keyboard_alone(visit: Visit) -> None:
    """The link opens the unsure pictures, least sure first; three keys, and three lie right."""
    page = opened(visit)
    expect(focused(page)).to_contain_text("cat?")
    press(page, "2", "Enter", "3")
    written(page)
    assert said(visit) == {"u0.jpg": "dog", "u1.jpg": "dog", "u2.jpg": "snake"}
    assert {"sorted/dog/u0.jpg", "sorted/dog/u1.jpg", "sorted/snake/u2.jpg"} <= set(
        visit.desk.tree()
    )
    expect(page.get_by_text("3 of 8 said")).to_be_visible()


def test_the_question_mark_shows_every_key(visit: Visit) -> None:
    """All keys stand in one table, which ? closes again."""
    page = opened(visit)
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    for key in ("Enter", "1 … 9", "t", ".", "x", "s", "Shift+N", "u", "Space", "b", "z", "w", "g"):
        expect(dialog.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$"))).to_be_visible()
    press(page, "?")
    expect(dialog).to_have_count(0)
    press(page, "1")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "said")


def test_each_deciding_key_does_what_the_table_says(visit: Visit) -> None:
    """Files lie where the page says, and the log has the same words."""
    page = opened(visit)
    press(page, "Enter", "1", ".", "x", "s", "Shift+N")
    written(page)
    expect(tile(page, "u4.jpg")).to_have_attribute("data-state", "skipped")
    press(page, "t")
    page.keyboard.type("sn")
    press(page, "Enter")
    expect(tile(page, "u6.jpg")).to_have_attribute("data-state", "said")
    assert said(visit) == {
        "u0.jpg": "cat",
        "u1.jpg": "cat",
        "u2.jpg": "cat",
        "u3.jpg": "withdrawn",
        "u5.jpg": "never_use",
        "u6.jpg": "snake",
    }
    assert visit.desk.tree() == [
        "rejected/u5.jpg",
        "sorted/cat/u0.jpg",
        "sorted/cat/u1.jpg",
        "sorted/cat/u2.jpg",
        "sorted/snake/u6.jpg",
        "unsure/u3.jpg",
        "unsure/u4.jpg",
        "unsure/u7.jpg",
    ]
    assert visit.desk.agrees()
    assert [row["human_label"] for row in visit.desk.type("log", "--json").json].count("cat") == 3


def test_keys_mean_all_that_is_chosen(visit: Visit) -> None:
    """Space, Shift and arrows, Ctrl and click choose; one key then speaks of all in one act."""
    page = opened(visit)
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
    page = opened(visit)
    press(page, "3", "Shift+Enter")
    written(page)
    right = {name: fate.rpartition(" ")[2] for name, fate in UNSURE.items()}
    assert said(visit) == {**right, "u0.jpg": "snake"}
    press(page, "u")
    expect(tile(page, "u1.jpg")).to_have_attribute("data-state", "")
    assert said(visit) == {"u0.jpg": "snake"}


def test_moving_never_decides(visit: Visit) -> None:
    """Arrows, Home, End and the page keys say nothing of any picture."""
    page = opened(visit)
    press(page, *["ArrowRight"] * 3, "ArrowLeft", "End", "PageUp", "PageDown", "Home", "ArrowDown")
    press(page, "z", "ArrowRight", "z", "Escape")
    expect(focused(page)).to_have_count(1)
    assert visit.desk.count_labels() == 0


def test_keys_are_nobody_s_while_somebody_types(visit: Visit) -> None:
    """What is typed into the box with the classes, or into a search, is text."""
    page = opened(visit)
    press(page, "t")
    page.keyboard.type("1x.s")
    expect(page.get_by_role("combobox", name="Class")).to_have_value("1x.s")
    press(page, "Escape")
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Name has").fill("u1")
    page.get_by_label("Name has").press("Enter")
    expect(page.get_by_role("gridcell")).to_have_count(1)
    assert visit.desk.count_labels() == 0


def test_a_key_that_is_held_down_decides_once(visit: Visit) -> None:
    """A stuck key must not label a folder."""
    page = opened(visit)
    for _ in range(5):
        page.keyboard.down("1")  # from the second on the browser calls it a repeat
    page.keyboard.up("1")
    written(page)
    assert said(visit) == {"u0.jpg": "cat"}


def test_a_new_class_takes_shift(visit: Visit) -> None:
    """Enter takes a class there is, Shift+Enter makes one; a slip of an old one is asked about."""
    page = opened(visit)
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


def test_undo_takes_back_word_and_move(visit: Visit) -> None:
    """u, again and again, to where it began: words, folders, sidecars; Shift+U says it again."""
    sidecar = visit.desk.workspace.unsure / "u0.xmp"
    sidecar.write_text("<x/>")
    before = visit.desk.tree()
    log_before = visit.desk.type("log", "--json").json
    page = opened(visit)
    press(page, "2", "1", "x", "Shift+N")
    written(page)
    assert "sorted/dog/u0.xmp" in visit.desk.tree()
    press(page, "u", "Control+z", "u", "u")
    expect(page.locator("#said")).to_have_text(re.compile(r"Taken back: dog \(u0.jpg\)"))
    written(page)
    assert said(visit) == {}
    assert visit.desk.tree() == before
    assert visit.desk.type("log", "--json").json == log_before
    expect(focused(page)).to_have_attribute("aria-label", re.compile("^u0.jpg"))
    press(page, "Shift+U")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "said")
    assert said(visit) == {"u0.jpg": "dog"}


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
    page = opened(visit)
    press(page, "Control+a", "3")
    written(page)
    assert len(said(visit)) == 8
    page.close()
    visit.server.stop()
    visit.expected = ("Failed to load resource", "net::ERR")
    page = visit.begin()
    expect(page.get_by_text("All of it has been said.")).to_be_visible()
    press(page, "u")
    soon(lambda: said(visit) == {}, "the whole sheet is taken back")
    assert visit.desk.tree() == sorted(f"unsure/{name}" for name in UNSURE)


def test_large_why_and_the_guess(visit: Visit) -> None:
    """z shows one picture large, with the same keys; g hides the guess, so Enter can't take it."""
    page = opened(visit)
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
    page = opened(visit)
    page.get_by_role("button", name="dog").click()
    press(page, "Enter")
    page.get_by_role("button", name="undo").click()
    expect(tile(page, "u1.jpg")).to_have_attribute("data-state", "")
    assert said(visit) == {"u0.jpg": "dog"}
