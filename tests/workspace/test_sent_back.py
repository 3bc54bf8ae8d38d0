"""A filed picture that comes back through the inbox is asked again, and stays what it was."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgsort.daemon.pipeline.sent_back import MEMORY, SentBack
from imgsort.filing import InboxPicture
from imgsort.records.labels import NewLabel
from tests.desk import Desk, content_hash
from tests.desk import _judged as judged_by_name


@dataclass(frozen=True)
class Model:
    """An infer stage that goes by the names of the files."""

    desk: Desk

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]:
        return [judged_by_name(self.desk.workspace, one.outcome.path) for one in batch]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.at(tmp_path / "photos")
    desk.file("cat-1.jpg")
    return desk


def asked_again(desk: Desk, path: Path, *, after: timedelta = timedelta()) -> str | None:
    """The reason of the verdict on a file in the inbox, so long after now."""
    said = judged_by_name(desk.workspace, path)
    assert said.model is not None
    with desk.store() as store:
        stage = SentBack(
            Model(desk), store, store.runs.begin("run"), now=lambda: datetime.now(UTC) + after
        )
        [again] = stage.judge([replace(said, verdict=None, model=None)])
    assert again.verdict is not None
    return again.verdict.reason


def test_a_picture_sent_back_stays_representative(desk: Desk) -> None:
    """Sent back by hand while a daemon runs, and called something else afterwards: it was drawn
    without regard to its class all the same."""
    desk.type("confirm", "sorted/cat")
    back = desk.workspace.inbox / "cat-1.jpg"
    (desk.workspace.sorted / "cat/cat-1.jpg").rename(back)
    assert asked_again(desk, back) == "sent back"
    assert desk.labels() == {"cat-1.jpg": ("withdrawn", "move", True)}
    desk.file("cat-1.jpg")
    desk.type("label", "inbox/cat-1.jpg", "dog")
    desk.type("label", content_hash("cat-1.jpg"), "dog")
    assert desk.labels()["cat-1.jpg"] == ("dog", "cli", True)


@pytest.mark.parametrize("kind", ["withdrawn", "never_use", "label"])
def test_no_word_makes_a_picture_less_representative(desk: Desk, kind: str) -> None:
    """Whoever writes it down: the log itself keeps that."""
    desk.type("confirm", "sorted/cat")
    name = "dog" if kind == "label" else None
    with desk.store() as store:
        word = NewLabel(content_hash("cat-1.jpg"), kind, name, "move", False)  # type: ignore[arg-type]
        store.labels.add(None, [word])
    assert desk.labels()["cat-1.jpg"] == (name or kind, "move", True)


def test_the_very_file_sent_back_counts_however_long_ago(desk: Desk) -> None:
    """It lay outside for longer than a new drop of its bytes would be remembered."""
    filed = desk.workspace.sorted / "cat/cat-1.jpg"
    outside = filed.rename(desk.workspace.root / "outside.jpg")
    desk.type("confirm", "sorted/cat")
    back = outside.rename(desk.workspace.inbox / "cat-1.jpg")
    assert asked_again(desk, back, after=10 * MEMORY) == "sent back"


def test_the_same_bytes_dropped_long_after_are_a_new_drop(desk: Desk) -> None:
    """Another file than the one that was filed, an hour after that went: nobody sent it back."""
    filed = desk.workspace.sorted / "cat/cat-1.jpg"
    content = filed.read_bytes()
    filed.unlink()
    desk.type("confirm", "sorted/cat")
    again = desk.workspace.inbox / "cat-1.jpg"
    again.write_bytes(content)
    os.utime(again, (1, 1))
    assert asked_again(desk, again, after=10 * MEMORY) is None
    assert asked_again(desk, again, after=MEMORY / 2) == "sent back"
