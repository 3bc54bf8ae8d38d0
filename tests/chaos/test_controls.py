"""Movers broken on purpose: the books must show what they lose or double.

The controls for a power cut and for lost events stand beside their tests.
"""

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.ledger import Harm, Ledger
from tests.chaos.movers import Movers

_NUMBERS = count()


@pytest.fixture
def plain(tmp_path: Path, empty_log: Path) -> Callable[[str], Books]:
    """Workspaces for movers that judge a picture by its first word, with four pictures."""

    def made(name: str) -> Books:
        root = tmp_path / name
        for folder in ("inbox", "sorted", "unsure", "rejected", "state"):
            (root / folder).mkdir(parents=True)
        (root / "config.toml").touch()
        shutil.copy(empty_log, root / "state/imgsort.db")
        books = Books(Workspace.open(root))
        for word in ("cat", "dog", "unsure", "broken"):
            content = f"{word} {os.getpid()} {next(_NUMBERS)}".encode()
            books.put(f"{word}.jpg", content, synced=False)
        return books

    return made


@pytest.mark.parametrize(
    ("variant", "point", "way"),
    [
        ("moved-before-recorded", "moved-unrecorded", "rename"),
        ("forgetful-copy", "part-half", "only-copies"),
    ],
)
def test_a_mover_broken_on_purpose_is_found_out(
    plain: Callable[[str], Books],
    movers: Movers,
    ledger: Ledger,
    variant: str,
    point: str,
    way: str,
) -> None:
    """Must fail: killed at the same moment, the broken mover does harm that a sound one doesn't."""
    sound = _killed(plain("sound"), movers, point, way, "")
    assert sound == Harm()
    broken = _killed(plain("broken"), movers, point, way, variant)
    ledger.control(f"control: {variant}", broken)


def test_the_books_notice_a_loss_and_a_double(
    plain: Callable[[str], Books], movers: Movers, ledger: Ledger
) -> None:
    """Must fail: one picture taken away behind imgsort's back, another put there twice."""
    books = plain("tampered")
    movers.run("file", books.workspace.root)
    assert books.harm() == Harm()
    cat = books.workspace.sorted / "cat/cat.jpg"
    shutil.copy(cat, cat.with_name("cat too.jpg"))
    (books.workspace.sorted / "dog/dog.jpg").unlink()
    assert books.harm() == Harm(lost=1, twice=1, astray=2)
    ledger.control("control: a file removed, a file doubled", books.harm())


def _killed(books: Books, movers: Movers, point: str, way: str, broken: str) -> Harm:
    root = books.workspace.root
    died = movers.run("file", root, way=way, failpoint=point, broken=broken)
    assert died == bool(broken or point == "part-half")
    movers.run("recover", root)
    movers.run("file", root)
    return books.harm()
