"""A scripted person who knows the truth: 280 photographs, from the inbox to a better model."""

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from imgsort.models.registry import Registry
from imgsort.workspace.workspace import Workspace
from tests.browser.gallery import Server, Visit, painted, press, written
from tests.desk import Desk
from tests.workspace.conftest import founded, workspace  # noqa: F401 - a workspace with a real model

pytestmark = pytest.mark.slow
KEYS = {"cat": "1", "dog": "2", "snake": "3"}
MINUTES = 60_000


@pytest.fixture
def visit(browser: Browser, workspace: Workspace, test_data: Path) -> Iterator[Visit]:  # noqa: F811
    for folder in sorted((test_data / "cats_dogs_snakes").iterdir()):
        for number, photo in enumerate(sorted(folder.iterdir())):
            name = f"{folder.name.rstrip('s')}-{number:03}{photo.suffix}"
            shutil.copy2(photo, workspace.inbox / name)
    imgsort(workspace.root, "run", "--once", "--quiet")
    made = Visit(Desk(workspace), Server(workspace.root), browser)
    yield made
    made.close()
    assert made.unexpected() == []


TILES = """tiles => tiles.map((one) =>
    [one.id, (one.getAttribute("aria-label") ?? "").split(",")[0], one.dataset.state])"""
"""Id, name and state of each."""


def imgsort(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "imgsort", "-C", str(root), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_a_person_goes_from_unsure_to_a_better_model_and_back(
    visit: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unsure ones by key, a slip undone, classes looked through, a training, its report, a roll
    back: and the log says what it says after the same with the command line."""
    root = visit.desk.workspace.root
    by_hand = tmp_path / "by-hand"
    shutil.copytree(root, by_hand, symlinks=True)
    page = visit.begin()
    painted(page, 5)

    begun = time.monotonic()
    answered = answer_unsure(page)
    looked = look_through(page)
    seconds = time.monotonic() - begun
    with capsys.disabled():
        pace = (answered + looked) / seconds * 60
        print(f"\n{answered} by key and {looked} by sheets: {pace:,.0f} pictures a minute")
    assert visit.desk.log("SELECT count(*) FROM prediction_log") == [(280,)]
    assert len(visit.desk.labels()) == 280
    same_by_command_line(by_hand)
    assert told(root) == told(by_hand)

    train(page)
    assert Registry(visit.desk.workspace.models).active() == 2
    read_report(page)
    roll_back(page, visit)


def name_of(here: Locator) -> str:
    """The file's name; the first thing that a screen reader says of a tile."""
    return (here.get_attribute("aria-label") or "").split(",")[0]


def count_of(page: Page) -> int:
    return int(page.locator(".count").inner_text().split()[0])


def answer_unsure(page: Page) -> int:
    """Every unsure picture by its key; the third time a slip, taken back."""
    total = count_of(page)
    for number in range(total):
        here = page.locator(f"#tile-{number}")
        expect(here).to_have_class(re.compile("focus"))
        expect(here).to_have_attribute("data-painted", "yes")
        truth = name_of(here).split("-")[0]
        if number == 2:
            slip(page, here, truth)
        press(page, KEYS[truth])
    written(page, 5 * MINUTES)
    return total


def slip(page: Page, here: Locator, truth: str) -> None:
    press(page, next(key for word, key in KEYS.items() if word != truth))
    expect(here).to_have_attribute("data-state", "said")
    press(page, "u")
    expect(here).to_have_attribute("data-state", "")
    expect(here).to_have_class(re.compile("focus"))


def look_through(page: Page) -> int:
    """Class after class, sheet after sheet; returns how many pictures nobody had spoken of."""
    looked = 0
    for word in KEYS:
        page.get_by_role("link", name=re.compile(f"^{word}")).click()
        expect(page.get_by_role("heading", name=word, exact=True)).to_be_visible()
        painted(page, 1)
        looked += correct(page, word)
        press(page, "l")
        expect(page.locator("#said")).to_contain_text(f"looked through all of {word}")
    return looked


def correct(page: Page, word: str) -> int:
    """What lies wrongly in a class gets its key, until all of the class has been seen."""
    total = count_of(page)
    met: dict[str, bool] = {}
    while not page.get_by_text(f"all {total} seen").count():
        # A person waits for the pictures; who doesn't hasn't seen them.
        expect(page.locator(".tile:not([data-painted])")).to_have_count(0, timeout=MINUTES)
        shown = page.locator(".tile[data-painted]").evaluate_all(TILES)
        for _, name, state in shown:
            met.setdefault(name, state == "")
        open_ones = [(tile, name) for tile, name, state in shown if state == ""]
        wrong = [(tile, name) for tile, name in open_ones if name.split("-")[0] != word]
        if wrong:  # a key moves what shows: then look again
            tile, name = wrong[0]
            page.locator(f"#{tile}").click()
            press(page, KEYS[name.split("-")[0]])
            expect(page.locator(f"#{tile}")).not_to_have_attribute("data-state", "")
            continue
        page.wait_for_timeout(320)
        press(page, "PageDown")
    written(page, 5 * MINUTES)
    return sum(met.values())


def train(page: Page) -> None:
    """From the page, while it is watched; the gate's sentence stands there at the end."""
    page.get_by_role("link", name="Training").click()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=MINUTES)
    expect(page.locator(".result")).to_contain_text("The new model serves", timeout=8 * MINUTES)


def read_report(page: Page) -> None:
    """Sentences, the table of mix-ups with pictures behind its numbers, the whole report."""
    page.get_by_role("link", name="Report of v2").click()
    expect(page.get_by_role("heading", name="Report of v2")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    numbers = page.locator(".matrix td a")
    for place in range(numbers.count()):
        inside = numbers.nth(place)
        number = int(inside.inner_text())
        inside.click()
        expect(page.locator(".count")).to_have_text(re.compile(rf"^{number} pictures?$"))
        page.go_back()
        expect(page.get_by_role("heading", name="Report of v2")).to_be_visible()


def roll_back(page: Page, visit: Visit) -> None:
    page.get_by_role("link", name="Models").click()
    page.get_by_role("button", name="Back to the one before").click()
    page.get_by_role("button", name="Go back").click()
    expect(page.locator("#said")).to_contain_text("v1 serves now")
    assert Registry(visit.desk.workspace.models).active() == 1


def same_by_command_line(root: Path) -> None:
    """The same words in the same order, typed."""
    label_those_in(root, "unsure")
    for word in KEYS:
        label_those_in(root, f"sorted/{word}", word)
        imgsort(root, "confirm", str(root / "sorted" / word))


def label_those_in(root: Path, folder: str, right: str | None = None) -> None:
    """Each by its truth, but those that lie right."""
    for truth in KEYS:
        paths = [str(path) for path in sorted((root / folder).glob(f"{truth}-*"))]
        if paths and truth != right:
            imgsort(root, "label", *paths, truth)


def told(root: Path) -> tuple[list[Any], list[Any]]:
    """What the log says of each picture, and each word that holds, but not who wrote it down."""
    with closing(sqlite3.connect(root / "state" / "imgsort.db")) as log:
        rows = log.execute(
            "SELECT name, path, decision, human_label, is_correct, final_label FROM prediction_log"
        ).fetchall()
    with Desk(Workspace.open(root)).store() as store:
        words = [
            (sha256, word.kind, word.class_name, word.representative)
            for sha256, word in store.labels.current().items()
        ]
    return sorted(rows), sorted(words)
