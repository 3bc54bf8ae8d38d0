"""What must not be in the tree: ways for a file to become code, and somebody's own paths."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FOLDERS = (
    *(".ci", "benchmarks", "docs", "systemd", "tests"),
    *("imgsort", "daemon", "trainer", "migrations"),
)

# A model is weights and JSON. These would run code that somebody put into a model file.
CODE_FROM_FILES = {
    "Keras's loader of whole models": r"\bload_model\(",
    "pickle": r"\bpickle\.loads?\b",
    "objects in NumPy files": r"\ballow_pickle\s*=\s*True\b",
    "Keras without its safe mode": r"\bsafe_mode\s*=\s*False\b",
    "joblib, which is pickle": r"\bjoblib\.load\b",
    "torch, which is pickle": r"\btorch\.load\b",
    "a shell": r"\bshell\s*=\s*True\b|\bos\.system\(",
}
# Not what documents shorten, nor what tests/boot makes in the system that it builds.
OWN_PATHS = r"(?<![\w.])/(?:home|Users|root|work|opt)/(?!\.\.\.|(?:imgsort|site|carla)\b)\w"


def _files() -> Iterator[Path]:
    yield from (path for path in REPOSITORY.iterdir() if path.is_file())
    for folder in FOLDERS:
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    """Each line of text in the tree with where it is."""
    found = []
    for path in _files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or another binary file
        where = path.relative_to(REPOSITORY).as_posix()
        found += [(f"{where}:{number}", line) for number, line in enumerate(text.splitlines(), 1)]
    return found


@pytest.mark.parametrize("pattern", CODE_FROM_FILES.values(), ids=CODE_FROM_FILES.keys())
def test_no_file_becomes_code(lines: list[tuple[str, str]], pattern: str) -> None:
    """Nothing in the tree can be made to run code by handing it a crafted file or name."""
    found = [where for where, line in lines if ".py:" in where and re.search(pattern, line)]
    assert found == []


def test_no_path_of_somebody_s_machine(lines: list[tuple[str, str]]) -> None:
    """No file names a folder that only one machine has."""
    assert [where for where, line in lines if re.search(OWN_PATHS, line)] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Keras's loader of whole models", "keras.models.load_" + "model(path)"),
        ("pickle", "pickle" + ".loads(data)"),
        ("objects in NumPy files", "np.load(path, allow_pickle" + "=True)"),
        ("Keras without its safe mode", "f(safe_mode" + " = False)"),
        ("a shell", "run(command, shell" + "=True)"),
    ],
)
def test_the_patterns_match_what_they_are_for(name: str, line: str) -> None:
    """The search would find what it looks for."""
    assert re.search(CODE_FROM_FILES[name], line)


def test_the_search_reads_the_tree() -> None:
    """The search looks into core, wings and tests, through no link twice."""
    seen = [path.relative_to(REPOSITORY).as_posix() for path in _files()]
    assert {"imgsort/workspace/config.py", "daemon/__init__.py", "tests/test_safety.py"} <= set(
        seen
    )
    assert len(seen) == len(set(seen))
    assert not any(path.startswith("imgsort/daemon/") for path in seen)
