"""Who may import whom, and which module owns which heavy library."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

NEVER_AT_IMPORT = ("keras", "matplotlib", "nncf", "openvino", "seaborn", "sklearn", "tensorflow")
"""They take from 0.4 to 12 seconds to import; `imgsort log` shall answer at once."""

OWNERS: dict[str, tuple[str, ...]] = {
    "PIL": ("imgsort/images.py", "imgsort/annotate.py", "trainer/report.py"),
    "alembic": ("imgsort/schema.py", "migrations/"),
    "cv2": ("imgsort/images.py", "imgsort/annotate.py", "trainer/report.py"),
    "h5py": ("imgsort/backbones/",),
    "keras": ("imgsort/backbones/", "imgsort/runtime/", "trainer/augment.py", "trainer/fit.py"),
    "matplotlib": ("trainer/report.py",),
    "nncf": ("imgsort/backbones/",),
    "openvino": ("imgsort/backbones/", "imgsort/runtime/"),
    "pillow_heif": ("imgsort/images.py",),
    "rich": ("imgsort/cli/",),
    "seaborn": ("trainer/report.py",),
    "sklearn": ("trainer/",),
    "sqlalchemy": ("imgsort/schema.py", "imgsort/store/", "imgsort/tables.py", "migrations/"),
    "sqlite3": ("imgsort/schema.py", "imgsort/store/"),
    "tensorflow": ("imgsort/backbones/", "imgsort/runtime/", "trainer/fit.py"),
    "typer": ("imgsort/cli/",),
    "watchdog": ("daemon/watcher.py",),
    "xlsxwriter": ("imgsort/spreadsheet.py",),
}

FORBIDDEN = {
    "core": ("imgsort.cli", "imgsort.daemon", "imgsort.trainer", "imgsort.migrations"),
    "cli": (),  # inside commands only: see ONLY_INSIDE_FUNCTIONS
    "daemon": ("imgsort.cli", "imgsort.trainer", "imgsort.migrations"),
    "trainer": ("imgsort.cli", "imgsort.daemon", "imgsort.migrations"),
    "migrations": ("imgsort.cli", "imgsort.daemon", "imgsort.trainer"),
}
TYPE_CHECKING = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
ONLY_INSIDE_FUNCTIONS = {"cli": ("imgsort.daemon", "imgsort.trainer")}


@dataclass(frozen=True)
class Import:
    """One name that a file imports: ``from a import b`` is ``a.b``."""

    file: str
    line: int
    name: str
    at_import_time: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.name}"

    def is_of(self, package: str) -> bool:
        return self.name == package or self.name.startswith(f"{package}.")


def imports_of(source: str, file: str) -> Iterator[Import]:
    """Every import in a file, wherever it hides; ``file`` is relative to the repository."""
    waiting: list[tuple[ast.AST, bool]] = [(ast.parse(source), True)]
    while waiting:
        node, now = waiting.pop()
        for name in _names(node, file):
            yield Import(file, getattr(node, "lineno", 0), name, now)
        inside = now and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and ast.unparse(node.test) in TYPE_CHECKING:
            waiting += [(child, False) for child in node.body]
            waiting += [(child, inside) for child in node.orelse]
        else:
            waiting += [(child, inside) for child in ast.iter_child_nodes(node)]


def _names(node: ast.AST, file: str) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            above = _package(file).split(".")
            prefix = above[: len(above) - level + 1] if level else []
            start = ".".join([*prefix, *([module] if module else [])])
            return [f"{start}.{alias.name}" for alias in names]
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if ast.unparse(
            func
        ).endswith(("import_module", "__import__")):
            return [name]
    return []


def _package(file: str) -> str:
    folders = Path(file).parent.parts
    return ".".join(folders if folders[0] == "imgsort" else ("imgsort", *folders))


def room(file: str) -> str:
    """core, cli, daemon, trainer or migrations."""
    first, *rest = Path(file).parts
    if first != "imgsort":
        return first
    return "cli" if rest[0] in {"cli", "__main__.py"} else "core"


def _trespasses(found: Import) -> bool:
    here = room(found.file)
    banned = FORBIDDEN[here]
    if found.at_import_time:
        banned += ONLY_INSIDE_FUNCTIONS.get(here, ())
    return any(found.is_of(package) for package in banned)


def _owned_by_another(found: Import) -> bool:
    owners = OWNERS.get(found.name.partition(".")[0])
    if owners is None:
        return False
    # An owner that outgrew its file became a folder of the same name, and the other way round.
    files = {owner.rstrip("/").removesuffix(".py") for owner in owners}
    return not any(
        found.file == f"{owner}.py" or found.file.startswith(f"{owner}/") for owner in files
    )


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    found: list[Import] = []
    for top in ("imgsort", "daemon", "trainer", "migrations"):
        for folder, _, files in os.walk(REPOSITORY / top):  # doesn't follow the links to the wings
            for name in files:
                if name.endswith(".py"):
                    path = Path(folder, name)
                    relative = path.relative_to(REPOSITORY).as_posix()
                    found += imports_of(path.read_text(encoding="utf-8"), relative)
    return found


def test_rooms_keep_apart(imports: list[Import]) -> None:
    """Wings import the core and never each other; the core imports no wing."""
    assert [str(found) for found in imports if _trespasses(found)] == []


def test_each_heavy_library_has_one_owner(imports: list[Import]) -> None:
    """A library that may be replaced one day is imported by its owner only."""
    assert [str(found) for found in imports if _owned_by_another(found)] == []


def test_slow_libraries_wait_for_their_use(imports: list[Import]) -> None:
    """No module imports a slow library at its top, not even the library's owner."""
    slow = [
        str(found)
        for found in imports
        if found.at_import_time and any(found.is_of(library) for library in NEVER_AT_IMPORT)
    ]
    assert slow == []


def test_importing_everything_loads_nothing_slow() -> None:
    """A process that imports every module of imgsort has none of the slow libraries in memory."""
    script = """
import importlib, pkgutil, sys
import imgsort
count = 0
for module in pkgutil.walk_packages(imgsort.__path__, "imgsort."):
    if not module.name.startswith("imgsort.migrations"):  # Alembic runs those
        importlib.import_module(module.name)
        count += 1
print(count > 10, sorted(set(sys.argv[1:]) & set(sys.modules)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", script, *NEVER_AT_IMPORT],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.stdout, answer.stderr) == ("True []\n", "")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("imgsort/store.py", "from imgsort import daemon"),
        ("imgsort/store.py", "def f():\n    import imgsort.trainer.fit"),
        ("imgsort/runtime/cpu.py", "from ..daemon import service"),
        ("imgsort/cli/run.py", "from imgsort.daemon.service import run"),
        ("imgsort/cli/run.py", "class A:\n    from imgsort.daemon import service"),
        ("daemon/service.py", "from imgsort.trainer import fit"),
        ("daemon/service.py", "from ..trainer import fit"),
        ("trainer/fit.py", "def f():\n    from importlib import import_module\n"
         "    return import_module('imgsort.daemon.source')"),
        ("migrations/env.py", "import imgsort.daemon"),
    ],
)  # fmt: skip
def test_a_trespass_is_seen(file: str, source: str) -> None:
    """The check of the rooms sees an import however it is written."""
    assert any(_trespasses(found) for found in imports_of(source, file))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("imgsort/cli/run.py", "def f():\n    from imgsort.daemon import service"),
        ("daemon/service.py", "from imgsort.store import Store\nfrom imgsort import daemonology"),
        ("daemon/service.py", "from . import batcher"),
        ("imgsort/daemonology.py", "import daemon"),  # another package; ruff refuses that one
    ],
)
def test_an_allowed_import_is_allowed(file: str, source: str) -> None:
    """The check of the rooms doesn't mistake a neighbour, or a similar name, for a trespass."""
    assert not any(_trespasses(found) for found in imports_of(source, file))


@pytest.mark.parametrize(
    ("file", "source", "foreign"),
    [
        ("daemon/source.py", "import watchdog.observers", True),
        ("daemon/watcher.py", "import watchdog.observers", False),
        ("daemon/pipeline.py", "def f():\n    from keras.layers import Dense", True),
        ("imgsort/runtime.py", "def f():\n    import openvino as ov", False),
        ("imgsort/runtime/cpu.py", "def f():\n    import openvino as ov", False),
        ("imgsort/runtimes.py", "def f():\n    import openvino as ov", True),
    ],
)
def test_a_borrowed_library_is_seen(file: str, source: str, foreign: bool) -> None:
    """Only an owner, be it a file or a folder, may import its library."""
    assert [_owned_by_another(found) for found in imports_of(source, file)] == [foreign]


@pytest.mark.parametrize(
    ("source", "at_import_time"),
    [
        ("import keras", True),
        ("try:\n    import keras\nexcept ImportError:\n    pass", True),
        ("class A:\n    import keras", True),
        ("def f():\n    import keras", False),
        ("async def f():\n    import keras", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import keras", False),
        ("import typing\nif not typing.TYPE_CHECKING:\n    import keras", True),
    ],
)
def test_import_time_is_told_from_use(source: str, at_import_time: bool) -> None:
    """What runs when a module is imported is told from what runs when a function is called."""
    found = [one for one in imports_of(source, "imgsort/x.py") if one.is_of("keras")]
    assert [one.at_import_time for one in found] == [at_import_time]
