"""What happens while somebody looks: files go, other tabs speak, more come, the server dies."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.browser.gallery import (
    Visit,
    file_pictures,
    focused,
    jpeg,
    painted,
    press,
    soon,
    tile,
    written,
)

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    made = visiting()
    file_pictures(made.desk, {f"u{number}.jpg": "unsure cat" for number in range(6)})
    return made


def words(visit: Visit) -> dict[str, str | None]:
    return {name: word for name, (word, *_) in visit.desk.labels().items()}


def test_no_word_is_written_of_a_picture_that_was_not_shown(visit: Visit) -> None:
    """Deleted, replaced or swapped for a link between sheet and key: told, and on it goes."""
    page = visit.begin()
    painted(page, 6)
    unsure = visit.desk.workspace.unsure
    (unsure / "u0.jpg").unlink()
    (unsure / "u1.jpg").unlink()
    (unsure / "u1.jpg").write_bytes(jpeg("another"))
    (unsure / "u2.jpg").unlink()
    (unsure / "u2.jpg").symlink_to(unsure / "u5.jpg")
    press(page, "2", "2", "2", "2")
    written(page)
    for name in ("u0.jpg", "u1.jpg", "u2.jpg"):
        expect(tile(page, name)).to_have_attribute("data-state", "trouble")
    expect(tile(page, "u3.jpg")).to_have_attribute("data-state", "said")
    assert words(visit) == {"u3.jpg": "dog"}
    assert (unsure / "u1.jpg").read_bytes() == jpeg("another")
    assert (unsure / "u2.jpg").is_symlink()


def test_a_picture_moved_by_hand_keeps_the_hand_s_word_or_follows_the_page(visit: Visit) -> None:
    """Moved between sheet and key: no file is lost, and page, log and folder agree."""
    page = visit.begin()
    painted(page, 6)
    snakes = visit.desk.workspace.sorted / "snake"
    snakes.mkdir(exist_ok=True)
    (visit.desk.workspace.unsure / "u0.jpg").rename(snakes / "u0.jpg")
    press(page, "2", "1")
    written(page)
    page.keyboard.press("r")
    expect(page.locator("#said")).to_contain_text("Renewed")
    assert words(visit)["u1.jpg"] == "cat"
    assert sum(path.endswith("u0.jpg") for path in visit.desk.tree()) == 1
    assert visit.desk.agrees()


def test_two_tabs_see_each_other(visit: Visit) -> None:
    """An act of one shows in the other, which needs no link of its own."""
    page = visit.begin()
    painted(page, 6)
    other = visit.open(f"{visit.server.address}/#unsure", page.context)
    painted(other, 6)
    press(page, "2")
    expect(tile(other, "u0.jpg")).to_have_attribute("data-state", "said")
    expect(tile(other, "u0.jpg")).to_contain_text("dog")
    other.bring_to_front()
    press(other, "u")
    expect(tile(page, "u0.jpg")).to_have_attribute("data-state", "")
    assert words(visit) == {}


def test_words_that_contradict_each_other_are_a_conflict_that_shows(visit: Visit) -> None:
    """The tab that didn't know of the other word writes nothing, and says what holds."""
    page = visit.begin()
    painted(page, 6)
    other = visit.open(visit.server.another_link())
    painted(other, 6)
    other.route("**/api/events", lambda _: None)
    held = Held()
    other.route("**/api/acts", held.take)
    press(other, "3")
    soon(lambda: pumped(other, held), "the act of the second tab is on its way")
    press(page, "2")
    written(page)
    other.unroute("**/api/acts")
    held.routes[0].continue_()
    expect(tile(other, "u0.jpg")).to_have_attribute("data-state", "trouble")
    expect(tile(other, "u0.jpg")).to_contain_text("dog")
    assert words(visit) == {"u0.jpg": "dog"}
    press(other, "ArrowLeft", "3")
    written(other)
    assert words(visit) == {"u0.jpg": "snake"}
    assert visit.desk.log("SELECT count(*) FROM labels") == [(2,)]


class Held:
    """Requests that don't get to the server until the test lets them."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def take(self, route: Route) -> None:
        self.routes.append(route)


def pumped(page: Page, held: Held) -> bool:
    page.wait_for_timeout(50)
    return bool(held.routes)


def test_list_and_place_stay_while_pictures_come(visit: Visit) -> None:
    """What is filed meanwhile is counted, and comes with r."""
    page = visit.begin()
    painted(page, 6)
    press(page, "ArrowRight", "ArrowRight")
    file_pictures(visit.desk, {f"new{number}.jpg": "unsure dog" for number in range(37)})
    expect(page.get_by_role("button", name="+37 since")).to_be_visible()
    expect(focused(page)).to_have_attribute("aria-label", re.compile("^u2.jpg"))
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "1")
    press(page, "1", "r")
    expect(page.locator(".count")).to_have_text("42 pictures")
    assert words(visit) == {"u2.jpg": "cat"}


def test_leaving_with_unwritten_words_asks(visit: Visit) -> None:
    """And when nothing waits, it doesn't."""
    page = visit.begin()
    painted(page, 6)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    held = Held()
    page.route("**/api/acts", held.take)
    press(page, "2")
    soon(lambda: pumped(page, held), "the act is on its way")
    page.close(run_before_unload=True)
    soon(lambda: pumped(page, held) and bool(asked), "the page asks")
    assert asked == ["beforeunload"]
    held.routes[0].continue_()
    written(page)
    assert words(visit) == {"u0.jpg": "dog"}
    with page.expect_event("close"):
        page.close(run_before_unload=True)


def test_a_killed_server_loses_no_word_and_does_none_twice(visit: Visit) -> None:
    """The page keeps what was said, says so, and tries again by itself under the same id."""
    page = visit.begin()
    painted(page, 6)
    visit.expected = ("Failed to load resource", "net::ERR")
    press(page, "2")
    written(page)
    visit.server.kill()
    press(page, "2", "3")
    expect(page.get_by_role("alert")).to_contain_text("2 words not yet written")
    visit.server.start()
    written(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert words(visit) == {"u0.jpg": "dog", "u1.jpg": "dog", "u2.jpg": "snake"}
    assert visit.desk.count_labels() == 3
    assert visit.desk.agrees()


@pytest.mark.parametrize("failpoint", ["before-tx1", "after-tx1", "after-place", "after-tx2"])
def test_a_server_killed_in_the_middle_of_an_act_does_it_once(visit: Visit, failpoint: str) -> None:
    """After the restart the page's retry ends it: one word, one move."""
    page = visit.begin()
    painted(page, 6)
    visit.expected = ("Failed to load resource", "net::ERR")
    visit.server.stop()
    visit.server.start({"IMGSORT_FAILPOINT": failpoint})
    press(page, "2")
    expect(page.get_by_role("alert")).to_contain_text("not yet written")
    visit.server.kill()
    visit.server.start()
    written(page)
    assert words(visit) == {"u0.jpg": "dog"}
    assert visit.desk.count_labels() == 1
    assert visit.desk.agrees()
