"""docs/messages.md lists what imgsort says when something fails, word for word."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgsort import errors
from imgsort.errors import ImgsortError

REPOSITORY = Path(__file__).parents[2]
SOURCES = [
    path
    for wing in ("imgsort", "daemon", "trainer")
    for path in sorted((REPOSITORY / wing).rglob("*.py"))
]
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ImgsortError)
}
ROW = re.compile(r"^\| (.+?) \| (\d+) \|", re.MULTILINE)
DOCUMENT = (REPOSITORY / "docs" / "messages.md").read_text(encoding="utf-8")
DOCUMENTED = {(said, int(code)) for said, code in ROW.findall(DOCUMENT)}


@dataclass(frozen=True)
class Raised:
    """An error made in the source with its message written there."""

    where: str
    said: str
    code: int


def worded(node: ast.AST) -> str | None:
    """The text of a literal, each value that is filled in as ``…``."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return re.sub("…+", "…", "".join(worded(part) or "…" for part in parts))
    return None


def calls() -> Iterator[Raised]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[first]) if name in KINDS:
                    if said := worded(first):
                        yield Raised(path.stem, said, KINDS[name].exit_code)


def literals() -> set[str]:
    """Every text in the source, whole."""
    return {
        text
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (text := worded(node))
    }


RAISED = list(calls())


def test_the_errors_are_found() -> None:
    """The walk below sees the source."""
    assert len(RAISED) > 60
    assert len(DOCUMENTED) > 60


@pytest.mark.parametrize("raised", RAISED, ids=lambda one: f"{one.where}: {one.said[:40]}")
def test_each_message_has_a_row(raised: Raised) -> None:
    """With its exit code, so that a user who pastes it into a search finds what to do."""
    assert (raised.said, raised.code) in DOCUMENTED


def test_each_row_is_still_said() -> None:
    """No row for a message that is gone."""
    texts = literals()
    assert sorted(said for said, _ in DOCUMENTED if said not in texts) == []


@pytest.mark.parametrize("raised", RAISED, ids=lambda one: f"{one.where}: {one.said[:40]}")
def test_each_message_says_what_to_do(raised: Raised) -> None:
    """What happened, then the next step: two parts, one sentence."""
    assert re.search(r"[;:,] ", raised.said), "it has no second part"
    assert not re.search(r"[.!?] [A-Z]", raised.said), "it is more than one sentence"
    assert raised.said.endswith((".", "…"))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_each_exit_code_is_explained(kind: type[ImgsortError]) -> None:
    """The table of exit codes has those of every kind of error."""
    codes = re.findall(
        r"^\| (\d+) \| ", Path(REPOSITORY / "docs" / "messages.md").read_text(), re.M
    )
    assert str(kind.exit_code) in codes
