"""The pictures behind every number of a report, and those whose label may be a slip."""

import json
import re
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imgsort.models.registry import Registry
from tests.browser.gallery import Visit, file_pictures, jpeg, painted, press, said, tile, written
from tests.first_model import first_model_again

pytestmark = pytest.mark.slow
WORDS = ("cat", "dog", "snake")
SAYS = {
    **{f"cat{number}.jpg": ("cat", "cat") for number in range(5)},
    **{f"cat{number}.jpg": ("cat", "dog") for number in range(5, 8)},
    **{f"dog{number}.jpg": ("dog", "dog") for number in range(4)},
    **{f"dog{number}.jpg": ("dog", "snake") for number in range(4, 6)},
    **{f"snake{number}.jpg": ("snake", "snake") for number in range(3)},
}
"""What people call each picture, and what the model says in its test."""
SUSPECTS = ("cat5.jpg", "cat6.jpg", "dog4.jpg")


@pytest.fixture
def visit(visiting: Callable[..., Visit]) -> Visit:
    visit = visiting()
    file_pictures(visit.desk, {name: truth for name, (truth, _) in SAYS.items()})
    for word in WORDS:
        assert visit.desk.type("confirm", f"sorted/{word}").code == 0
    report_its_test(visit)
    return visit


def report_its_test(visit: Visit) -> None:
    """v2, with the report of its test."""
    registry = Registry(visit.desk.workspace.models)
    judged = {
        name: {
            "sha256": sha256(jpeg(name)).hexdigest(),
            "truth": truth,
            "said": guess,
            "confidence": 0.5 + 0.01 * number,
            "before": "cat",
        }
        for number, (name, (truth, guess)) in enumerate(SAYS.items())
    }
    pairs = Counter(SAYS.values())
    counts = [[pairs[truth, guess] for guess in WORDS] for truth in WORDS]
    metrics = {
        "summary": ["Better."],
        "evaluation": {"confusion": {"labels": WORDS, "counts": counts}},
        "suspects": [judged[name] for name in SUSPECTS],
    }

    def write(folder: Path, _: int) -> None:
        lines = "".join(f"{json.dumps(one)}\n" for one in judged.values())
        (folder / "judged.jsonl").write_text(lines)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        (folder / "index.html").write_text("<h1>The whole report</h1>")

    card = registry.publish(first_model_again(registry), write)
    with visit.desk.store() as store:
        store.predictions.add_model(card)


def opened_names(page: Page, number: int) -> set[str]:
    expect(page.locator(".count")).to_have_text(f"{number} picture{'s' * (number != 1)}")
    painted(page, number)
    told = [one.get_attribute("aria-label") or "" for one in page.get_by_role("gridcell").all()]
    return {text.split(",")[0] for text in told}


def test_each_number_of_the_matrix_opens_its_pictures(visit: Visit) -> None:
    """As many as it says, and those; on the diagonal too. What is corrected there leaves it."""
    page = visit.begin()
    pairs = Counter(SAYS.values())
    page.evaluate("location.hash = '#report=2'")
    cells = page.locator(".matrix td a")
    expect(cells).to_have_count(len(pairs))
    for (truth, guess), number in pairs.items():
        wanted = f"{truth}, taken for that" if truth == guess else f"{truth} taken for {guess}"
        page.get_by_role("link", name=f"{wanted}: {number}").click()
        assert opened_names(page, number) == {
            name for name, both in SAYS.items() if both == (truth, guess)
        }
        page.go_back()
        expect(cells).to_have_count(len(pairs))
    page.get_by_role("link", name="cat taken for dog: 3").click()
    painted(page, 3)
    press(page, "2")
    written(page)
    page.go_back()
    page.get_by_role("link", name="cat taken for dog: 3").click()
    assert opened_names(page, 2) == {"cat5.jpg", "cat6.jpg"}
    assert said(visit)["cat7.jpg"] == "dog"
    press(page, "u")
    expect(page.locator("#said")).to_contain_text("Taken back")
    press(page, "r")
    assert opened_names(page, 3) == {"cat5.jpg", "cat6.jpg", "cat7.jpg"}


def test_suspects_open_and_leave_when_they_are_corrected(visit: Visit) -> None:
    """What the model is sure of stands under each; Enter says that the word was right."""
    page = visit.begin()
    link = page.get_by_role("link", name=re.compile("^Perhaps slips"))
    expect(link).to_contain_text("3")
    link.click()
    assert opened_names(page, 3) == {*SUSPECTS}
    expect(tile(page, "cat5.jpg")).to_contain_text("dog")
    tile(page, "cat5.jpg").click()
    press(page, "2")
    written(page)
    assert said(visit)["cat5.jpg"] == "dog"
    assert "sorted/dog/cat5.jpg" in visit.desk.tree()
    press(page, "r")
    assert opened_names(page, 2) == {"cat6.jpg", "dog4.jpg"}
    tile(page, "cat6.jpg").click()
    press(page, "Enter")
    written(page)
    assert said(visit)["cat6.jpg"] == "cat"
