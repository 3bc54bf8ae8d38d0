"""docs/reliability.md names a test for each promise; each of them exists."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs/reliability.md"


def test_every_promise_has_its_test() -> None:
    """A test that was renamed would leave its promise without proof."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text())
    assert len(named) > 30
    gone = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^def {name}\(", _text(path), re.MULTILINE)
    ]
    assert gone == []


def test_every_fault_test_is_on_the_page() -> None:
    """What is tested and not promised would be missing for its readers."""
    tests = Path(__file__).parent.glob("test_*.py")
    assert [path.name for path in tests if path.name not in PAGE.read_text()] == [
        Path(__file__).name
    ]


def _text(path: str) -> str:
    file = REPOSITORY / path
    return file.read_text() if file.exists() else ""
