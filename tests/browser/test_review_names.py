"""Names that want to be more than text."""

from collections.abc import Callable

from playwright.sync_api import expect

from imgsort.disk.display import display
from tests.browser.gallery import Visit, file_pictures, painted, press, written

NAMES: tuple[bytes, ...] = (
    b"<img src=x onerror=alert(1)>.jpg",
    b'"><script>alert(1)<.jpg',
    "\u202egpj.exe".encode() + b".jpg",
    b"a line\nand another.jpg",
    b"no \xff\xfe utf-8.jpg",
    b"l" * 251 + b".jpg",
    b"'; DROP TABLE labels; --.jpg",
)


def test_names_are_text_and_nothing_else(visiting: Callable[..., Visit]) -> None:
    """Shown as `display` shows them, in tiles and messages; labelled and moved like any other."""
    visit = visiting()
    file_pictures(visit.desk, dict.fromkeys(NAMES, "unsure cat"))
    page = visit.begin()
    painted(page, len(NAMES))
    shown = page.locator(".tile .name").all_text_contents()
    assert sorted(shown) == sorted(display(name) for name in NAMES)
    press(page, "t")
    page.keyboard.type("javascript:alert(1)")
    press(page, "Shift+Enter")
    expect(page.locator(".places").get_by_text("javascript:alert(1)")).to_be_visible()
    press(page, "Control+a", "2")
    written(page)
    dogs = visit.desk.workspace.sorted / "dog"
    assert len(list(dogs.iterdir())) == len(NAMES)
    assert visit.desk.log("SELECT count(*) FROM moves WHERE state = 'planned'") == [(0,)]
    assert page.locator(".places img, .tile .name *, .word script").count() == 0
