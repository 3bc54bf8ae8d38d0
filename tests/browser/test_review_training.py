"""Trainings and the page: each lives by itself, and what is said meanwhile counts for the next."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from imgsort.models.registry import Registry
from imgsort.workspace.workspace import Workspace
from tests.browser.gallery import Server, Visit, painted, press, soon, written
from tests.desk import Desk
from tests.workspace.conftest import founded, workspace  # noqa: F401 - a workspace with a real model

pytestmark = pytest.mark.slow
CLASSES = ("cat", "dog", "snake")
EACH = 14
MINUTES = 60_000
HAS_READ = {"training", "testing", "writing the report"}
"""Stages in which a training has read all the words that it learns from."""


@pytest.fixture
def visit(browser: Browser, workspace: Workspace, test_data: Path) -> Iterator[Visit]:  # noqa: F811
    """A few photographs of each class, every class folder confirmed."""
    for word in CLASSES:
        for photo in sorted((test_data / "cats_dogs_snakes" / f"{word}s").iterdir())[:EACH]:
            shutil.copy2(photo, workspace.inbox / f"{word}-{photo.name}")
    imgsort(workspace.root, "run", "--once", "--quiet")
    for word in CLASSES:
        files = [str(path) for path in workspace.root.rglob(f"{word}-*")]
        imgsort(workspace.root, "label", *files, word)
        imgsort(workspace.root, "confirm", str(workspace.sorted / word))
    made = Visit(Desk(workspace), Server(workspace.root), browser)
    yield made
    made.close()
    assert made.unexpected() == []


def imgsort(root: Path, *words: str) -> None:
    command = [sys.executable, "-m", "imgsort", "-C", str(root), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def state_of(visit: Visit) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(visit.desk.workspace.retrain_file.read_bytes())
    except (OSError, ValueError):
        return {}
    return told


def lives(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@contextmanager
def held_at_its_work(visit: Visit) -> Iterator[int]:
    """A training that has read the words, and stands still until this ends; its pid."""
    deadline = time.monotonic() + 180
    while (told := state_of(visit)).get("stage") not in HAS_READ or told.get("ended_at"):
        assert time.monotonic() < deadline, told
        time.sleep(0.002)
    pid: int = told["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert not state_of(visit).get("ended_at")
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGCONT)


def start(page: Page) -> None:
    page.get_by_role("link", name="Training").click()
    page.get_by_role("button", name="Start training").click()


def second_is_refused(page: Page) -> None:
    """In words."""
    told = page.evaluate(
        """async () => {
          const headers = {"X-Imgsort-Token": sessionStorage["imgsort-token"],
            "Content-Type": "application/json"};
          const got = await fetch("/api/retrain", {method: "POST", headers, body: "{}"});
          return [got.status, (await got.json()).error];
        }"""
    )
    assert told == [409, "A training runs already; wait until it is done."]


def test_a_training_lives_by_itself(visit: Visit) -> None:
    """It goes on when the page is closed and its server killed; the old model serves; acts are
    taken meanwhile and wait for the next one; at its end the gate's sentence stands there."""
    visit.expected = ("409", "Failed to load resource", "net::ERR")
    page = visit.begin()
    start(page)
    with held_at_its_work(visit) as pid:
        expect(page.get_by_role("progressbar")).to_be_visible(timeout=MINUTES)
        expect(page.get_by_text("Started from this page")).to_be_visible()
        second_is_refused(page)
        say_of_the_first_cat(page)
        page.close()
        visit.server.kill()
        assert lives(pid)
        assert Registry(visit.desk.workspace.models).active() == 1
        page = visit.begin()
        page.get_by_role("link", name="Training").click()
        expect(page.get_by_text("Started elsewhere")).to_be_visible()
        assert lives(pid)
    expect(page.locator(".result")).to_be_visible(timeout=5 * MINUTES)
    sentence = state_of(visit)["sentence"]
    assert sentence
    expect(page.locator(".result")).to_contain_text(sentence)
    expect(page.get_by_text("1 word since the model was last trained")).to_be_visible()
    judged = Registry(visit.desk.workspace.models).report(2) / "judged.jsonl"
    lines = [json.loads(line) for line in judged.read_text().splitlines()]
    learned = {one["sha256"]: one["truth"] for one in lines}
    [(content,)] = visit.desk.log(
        "SELECT sha256 FROM prediction_log WHERE human_label = 'snake' AND name LIKE 'cat-%'"
    )
    assert learned.get(content, "cat") == "cat", "it learned what was said after it had begun"


def say_of_the_first_cat(page: Page) -> None:
    """That it is a snake."""
    page.get_by_role("link", name="cat").first.click()
    painted(page, 3)
    press(page, "3")
    expect(page.locator(".tile[data-state=said] b", has_text="snake")).to_have_count(1)
    written(page)


def test_a_training_of_the_timer_shows(visit: Visit) -> None:
    """Whoever started it: its stage, no button that stops it, a second one is refused, its end."""
    visit.expected = ("409",)
    page = visit.begin()
    page.get_by_role("link", name="Training").click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    command = [sys.executable, "-m", "imgsort", "-C", str(visit.desk.workspace.root), "retrain"]
    timer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with held_at_its_work(visit) as pid:
        assert pid == timer.pid
        expect(page.get_by_text("Started elsewhere")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_role("button", name="Stop it")).to_have_count(0)
        second_is_refused(page)
        assert Registry(visit.desk.workspace.models).active() == 1
    soon(lambda: timer.poll() is not None, "it comes to its end", 200)
    assert timer.returncode == 0
    expect(page.locator(".result")).to_contain_text(state_of(visit)["sentence"])
