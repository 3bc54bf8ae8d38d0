"""docs/security.md promises nothing without a test that would fail."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
PROMISES = PAGE[PAGE.index("## What protects") : PAGE.index("## What doesn't")]
ROWS = [
    line
    for line in PROMISES.splitlines()
    if line.startswith("| ") and not line.startswith("| attack |")
]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def test_the_page_has_rows() -> None:
    """The searches below see the tables."""
    assert len(ROWS) > 30
    assert len(NAMED) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0][2:50])
def test_each_promise_names_its_test(row: str) -> None:
    """Attack, what happens, test."""
    *_, last = row.strip("| ").split(" | ")
    assert re.fullmatch(r"`[\w/]+\.py::\w+`(, `[\w/]+\.py::\w+`)*", last)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_it_names_is_there(file: str, name: str) -> None:
    """In that file, under that name."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions
