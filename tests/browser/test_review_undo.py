"""What is taken back is as it was: to the byte, and whatever happened in between."""

import pickle
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from imgsort.models.embed import Embedded
from imgsort.trainer.dataset.labelled_images import collect
from imgsort.trainer.dataset.split import deal
from tests.browser.gallery import Visit, file_pictures, painted, press, soon, written
from tests.desk import Desk

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]
CATS = {f"c{number:02}.jpg": "cat" for number in range(44)}
TALL: dict[str, Any] = {"viewport": {"width": 1600, "height": 1500}}


def embedded(pictures: Mapping[str, Path]) -> Embedded:
    """Numbers of its own for each content."""
    vectors = {
        content: np.frombuffer(bytes.fromhex(content), np.uint8)[None].astype(np.float32)
        for content in pictures
    }
    return Embedded(vectors, {}, 0)


def files(desk: Desk) -> dict[str, str]:
    """Every file, sidecars too, and what it holds."""
    root = desk.workspace.root
    return {name: sha256((root / name).read_bytes()).hexdigest() for name in desk.tree()}


def everything(desk: Desk) -> tuple[Any, ...]:
    """Files, words with their representative flags, and the bytes of what `retrain` learns from,
    with the fold that it deals each picture into."""
    with desk.store() as store:
        labels, names = store.labels.current(), store.classes.names()
        material = collect(labels, store.training.records(), names, (32,), embedded)
        strata = store.training.strata_of_labelled()
    dealt = deal(material.labelled, material.grouping(), {})
    learned = (
        [pickle.dumps(one) for one in material.labelled],
        material.aside,
        [pickle.dumps(one) for _, one in sorted(material.records.items())],
        sorted(dealt.folds.items()),
        sorted(strata.items()),
    )
    return files(desk), desk.labels(), learned, desk.type("log", "--json").json


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    """A class that was looked through once, one picture with a word of its own, some sidecars."""
    visit = visiting()
    file_pictures(visit.desk, {**CATS, "d0.jpg": "dog", "s0.jpg": "snake"})
    for name in list(CATS)[:6]:
        (visit.desk.workspace.sorted / "cat" / name).with_suffix(".xmp").write_text(f"<x {name}/>")
    picked = visit.desk.workspace.sorted / "cat" / "c07.jpg"
    assert visit.desk.type("label", picked, "cat").code == 0
    for word in ("cat", "dog", "snake"):
        assert visit.desk.type("confirm", f"sorted/{word}").code == 0
    return visit


def sheet_of_cats(visit: Visit, link: str) -> Page:
    page = visit.open(link, **TALL)
    page.get_by_role("link", name=re.compile("^cat")).click()
    painted(page, len(CATS))
    return page


def test_a_sheet_of_forty_is_as_it_was_after_a_restart(visit: Visit) -> None:
    """Words, folders, names, sidecars, representative flags, folds; the same again after u twice
    and Shift+U, and in a browser that knows of nothing."""
    before = everything(visit.desk)
    visit.server.start()
    page = sheet_of_cats(visit, visit.server.link)
    press(page, "Control+a")
    chosen = page.locator(".tile[aria-selected=true]").count()
    assert chosen >= 40
    press(page, "2")
    written(page)
    after = everything(visit.desk)
    assert sum(word == "dog" for word, *_ in visit.desk.labels().values()) == chosen + 1
    assert after[2] != before[2]
    assert "sorted/dog/c00.xmp" in after[0]
    visit.expected = ("Failed to load resource", "net::ERR")
    visit.server.kill()
    visit.server.start()
    other = visit.open(visit.server.link, **TALL)
    expect(other.get_by_role("link", name=re.compile("^cat"))).to_be_visible()
    soon(lambda: took_back(other), "the act of before is known")
    assert everything(visit.desk) == before
    press(other, "Shift+U")
    expect(other.locator("#said")).to_contain_text("Said again")
    assert everything(visit.desk)[:3] == after[:3]
    press(other, "u")
    expect(other.locator("#said")).to_contain_text("Taken back")
    assert everything(visit.desk) == before


def took_back(page: Page) -> bool:
    press(page, "u")
    page.wait_for_timeout(1000)
    return "Taken back" in page.locator("#said").inner_text()


@pytest.mark.parametrize("key", ["2", "x", "Shift+N", "Enter"])
def test_one_picture_is_as_it_was(visit: Visit, key: str) -> None:
    """Whatever was said of it: none of the classes and never use too."""
    before = everything(visit.desk)
    visit.server.start()
    page = sheet_of_cats(visit, visit.server.link)
    press(page, key)
    written(page)
    press(page, "u")
    expect(page.locator("#said")).to_contain_text(re.compile("Taken back|nothing to take back"))
    written(page)
    assert everything(visit.desk) == before
