"""docs/messages.md lists what imgsort says when something fails, word for word."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import pytest

from imgsort import errors
from imgsort.errors import ImgsortError

REPOSITORY = Path(__file__).parents[2]
SOURCES = [
    path
    for wing in ("imgsort", "daemon", "trainer", "backfill", "review")
    for path in sorted((REPOSITORY / wing).rglob("*.py"))
]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
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


def exit_codes() -> dict[str, int]:
    """Of every kind of error, those that a module defines for itself among them."""
    codes = {name: kind.exit_code for name, kind in KINDS.items()}
    for path, tree in TREES.items():
        for node in tree.body:
            if path.name != "errors.py" and isinstance(node, ast.ClassDef):
                bases = [codes[base.id] for base in node.bases if is_kind(base, codes)]
                own = re.search(r"^    exit_code = (\d+)$", ast.unparse(node), re.M)
                if bases:
                    codes[node.name] = int(own[1]) if own else bases[0]
    return codes


def is_kind(base: ast.expr, codes: dict[str, int]) -> TypeGuard[ast.Name]:
    return isinstance(base, ast.Name) and base.id in codes


def wordings(message: ast.expr, tree: ast.Module) -> list[str]:
    """The message, or all that the function of this file which words it can return."""
    if said := worded(message):
        return [said]
    match message:
        case ast.Call(func=ast.Name(id=name)):
            return [
                said
                for function in tree.body
                if isinstance(function, ast.FunctionDef) and function.name == name
                for node in ast.walk(function)
                if isinstance(node, ast.Return) and node.value and (said := worded(node.value))
            ]
    return []


def calls() -> Iterator[Raised]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[first]) if name in CODES:
                    for said in wordings(first, tree):
                        yield Raised(path.stem, said, CODES[name])


def literals() -> set[str]:
    """Every text in the source, whole."""
    return {text for tree in TREES.values() for node in ast.walk(tree) if (text := worded(node))}


CODES = exit_codes()
RAISED = list(calls())


def test_the_errors_are_found() -> None:
    """The walk below sees the source."""
    assert len(RAISED) > 60
    assert {"BadLabelFile", "BadDataSet", "NotNow"} <= CODES.keys() - KINDS.keys()
    where = {raised.where for raised in RAISED}
    assert where >= {"csv_read", "dataset_folder", "demo", "resnet50"}
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
