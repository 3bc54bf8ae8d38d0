"""The first minute: a link, three keys, a slip taken back. The quick tests in a browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import Visit, file_pictures, focused, opened, press, said, tile, written

Visiting = Callable[..., Visit]
UNSURE = {f"u{number}.jpg": f"unsure {('cat', 'dog')[number % 2]}" for number in range(8)}


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    file_pictures(made.desk, UNSURE)
    return made


def test_a_newcomer_corrects_three_pictures_with_the_keyboard_alone(visit: Visit) -> None:
    """The link opens the unsure pictures, least sure first; three keys, and three lie right."""
    page = opened(visit, 8)
    expect(focused(page)).to_contain_text("cat?")
    press(page, "2", "Enter", "3")
    written(page)
    assert said(visit) == {"u0.jpg": "dog", "u1.jpg": "dog", "u2.jpg": "snake"}
    assert {"sorted/dog/u0.jpg", "sorted/dog/u1.jpg", "sorted/snake/u2.jpg"} <= set(
        visit.desk.tree()
    )
    expect(page.get_by_text("3 of 8 said")).to_be_visible()


def test_each_deciding_key_does_what_the_table_says(visit: Visit) -> None:
    """Files lie where the page says, and the log has the same words."""
    page = opened(visit, 8)
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


def test_undo_takes_back_word_and_move(visit: Visit) -> None:
    """u, again and again, to where it began: words, folders, sidecars; Shift+U says it again."""
    sidecar = visit.desk.workspace.unsure / "u0.xmp"
    sidecar.write_text("<x/>")
    before = visit.desk.tree()
    log_before = visit.desk.type("log", "--json").json
    page = opened(visit, 8)
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
