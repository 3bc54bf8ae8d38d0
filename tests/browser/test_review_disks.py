"""A disk that is full, away or read-only, a log that is locked: words wait, and none is lost."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import Visit, file_pictures, opened, press, said, written

pytestmark = pytest.mark.slow
Visiting = Callable[..., Visit]
Disks = Callable[[str], Path]
UNSURE = {f"u{number}.jpg": "unsure cat" for number in range(4)}
REFUSALS = ("Failed to load resource",)
"""The browser's console tells of every answer from 400 on."""
A_MINUTE = 60_000


def waits(page: Page, sentence: str) -> None:
    """One sentence that says what is wrong, and how much waits for it."""
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(sentence, timeout=A_MINUTE)
    expect(alert).to_contain_text("2 words not yet written; this page tries again by itself.")
    text = alert.inner_text()
    assert "Traceback" not in text
    assert "bug" not in text


def goes_on(visit: Visit, page: Page) -> None:
    """By itself, each word once."""
    written(page, A_MINUTE)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert said(visit) == {"u0.jpg": "dog", "u1.jpg": "cat"}
    assert visit.desk.count_labels() == 2
    assert {"sorted/dog/u0.jpg", "sorted/cat/u1.jpg"} <= {*visit.desk.tree()}
    assert visit.desk.agrees()
    press(page, "2")
    written(page)
    assert said(visit)["u2.jpg"] == "dog"


def test_words_wait_for_room_on_a_full_disk(visiting: Visiting, small_disk: Disks) -> None:
    """And are written once there is some."""
    disk = small_disk("8m")
    visit = visiting(root=disk / "photos")
    visit.expected = REFUSALS
    file_pictures(visit.desk, UNSURE)
    page = opened(visit, 4)
    stuffing = disk / "stuffing"
    with suppress(OSError), stuffing.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            continue
    press(page, "2", "1")
    waits(page, "full")
    stuffing.unlink()
    goes_on(visit, page)


def test_words_wait_for_a_log_that_another_program_holds(visiting: Visiting) -> None:
    """Longer than the server itself waits for it."""
    visit = visiting()
    visit.expected = REFUSALS
    file_pictures(visit.desk, UNSURE)
    page = opened(visit, 4)
    with closing(sqlite3.connect(visit.desk.workspace.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        press(page, "2", "1")
        waits(page, "Another program has kept")
        assert visit.desk.count_labels() == 0
        other.execute("ROLLBACK")
    goes_on(visit, page)


def on_a_disk_of_its_own(visit: Visit, disk: Path) -> Path:
    """Where class folders lie; the link to it."""
    link = visit.desk.workspace.sorted
    link.rmdir()
    link.symlink_to(disk)
    file_pictures(visit.desk, {**UNSURE, "c1.jpg": "cat", "d1.jpg": "dog"})
    return link


def test_words_wait_for_a_disk_that_is_away(visiting: Visiting, small_disk: Disks) -> None:
    """No picture is called gone, and none is filed where its disk should be."""
    visit, disk = visiting(), small_disk("4m")
    visit.expected = REFUSALS
    link = on_a_disk_of_its_own(visit, disk)
    page = opened(visit, 4)
    link.unlink()
    link.mkdir()
    press(page, "2", "1")
    waits(page, "isn't mounted")
    assert visit.desk.count_labels() == 0
    link.rmdir()
    link.symlink_to(disk)
    goes_on(visit, page)


def remounted(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def test_words_wait_for_a_disk_that_takes_nothing(visiting: Visiting, small_disk: Disks) -> None:
    """Read-only, as a disk becomes that has errors."""
    visit, disk = visiting(), small_disk("4m")
    visit.expected = REFUSALS
    on_a_disk_of_its_own(visit, disk)
    page = opened(visit, 4)
    remounted(disk, "ro")
    try:
        press(page, "2", "1")
        waits(page, "read-only")
    finally:
        remounted(disk, "rw")
    goes_on(visit, page)
