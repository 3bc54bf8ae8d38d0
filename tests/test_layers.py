"""Who may import whom, and which module owns which heavy library."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

NEVER_AT_IMPORT = (
    *("fsspec", "keras", "matplotlib", "nncf", "openvino", "pyarrow", "ray", "seaborn"),
    *("sklearn", "tensorflow"),
)
"""They take from 0.4 to 12 seconds to import; `imgsort log` shall answer at once."""

OWNERS: dict[str, tuple[str, ...]] = {
    "PIL": ("imgsort/images", "imgsort/models/annotate", "trainer/report"),
    "alembic": ("imgsort/store/schema", "migrations"),
    "fsspec": ("backfill",),
    "cv2": ("imgsort/images", "imgsort/models/annotate", "trainer/report"),
    "h5py": ("imgsort/models/backbones",),
    "jinja2": ("trainer/report",),
    "keras": (
        "imgsort/models/backbones",
        "imgsort/models/runtimes",
        "trainer/dataset/augment",
        "trainer/head/fit",
    ),
    "matplotlib": ("trainer/report",),
    "nncf": ("imgsort/models/backbones",),
    "openvino": ("imgsort/models/backbones", "imgsort/models/runtimes"),
    "pillow_heif": ("imgsort/images",),
    "pyarrow": ("backfill",),
    "ray": ("backfill/on_ray",),
    "rich": ("imgsort/cli",),
    "scipy": ("trainer",),
    "seaborn": ("trainer/report",),
    "sklearn": ("trainer",),
    "sqlalchemy": ("imgsort/store", "migrations"),
    "sqlite3": ("imgsort/store",),
    "starlette": ("review",),
    "tensorflow": ("imgsort/models/backbones", "imgsort/models/runtimes", "trainer/head/fit"),
    "typer": ("imgsort/cli",),
    "uvicorn": ("review",),
    "watchdog": ("daemon/inbox/watcher",),
    "xlsxwriter": ("imgsort/export",),
}

TOWER = (
    "errors",
    "intervals",
    "disk",
    "images",
    "workspace",
    "records",
    "store",
    "models",
    "filing",
    "reconcile",
    "labels",
    "export",
    "care",
    "api",
    "backfill",
    "trainer",
    "daemon",
    "review",
    "cli",
)
"""The rooms of the house: each may import those before it, and none after it."""
APART = {
    ("daemon", "trainer"),
    ("trainer", "backfill"),
    ("daemon", "backfill"),
    ("review", "trainer"),
    ("review", "daemon"),
    ("review", "backfill"),
}
"""And these not, whatever their places."""
ONLY_INSIDE_FUNCTIONS = {("cli", wing) for wing in ("daemon", "trainer", "backfill", "review")}
TYPE_CHECKING = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


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


def _module(file: str) -> str:
    return f"{_package(file)}.{Path(file).stem}".removesuffix(".__init__")


def room(module: str) -> str:
    """The part of the house that a module, or a name in it, belongs to; "" for its door."""
    if module in {"imgsort.__main__", "imgsort.__init__"}:
        return "cli" if module.endswith("main__") else ""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "imgsort" else ""


def trespasses(found: Import) -> bool:
    """Does this import run up the tower, or between rooms that keep apart?"""
    here, there = room(_module(found.file)), room(found.name)
    if here == there or not found.is_of("imgsort") or "" in {here, there}:
        return False
    if here == "migrations":
        return there != "store"
    if there == "migrations" or here not in TOWER:
        return True
    if there not in TOWER:
        return False  # a name at the door, as imgsort.__version__
    if (here, there) in APART or TOWER.index(there) > TOWER.index(here):
        return True
    return found.at_import_time and (here, there) in ONLY_INSIDE_FUNCTIONS


def circle(found: Iterable[Import], modules: set[str]) -> list[str]:
    """Modules that import each other in a circle when they are imported; none is none."""
    graph: dict[str, set[str]] = {}
    for each in found:
        here = _module(each.file)
        target = each.name if each.name in modules else each.name.rpartition(".")[0]
        if each.at_import_time and target in modules and target != here:
            graph.setdefault(here, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as problem:
        return list(problem.args[1])
    return []


def _owned_by_another(found: Import) -> bool:
    owners = OWNERS.get(found.name.partition(".")[0])
    if owners is None:
        return False
    # An owner that outgrew its file became a folder of the same name, and the other way round.
    return not any(
        found.file == f"{owner}.py" or found.file.startswith(f"{owner}/") for owner in owners
    )


def _files() -> Iterator[Path]:
    for top in ("imgsort", "daemon", "trainer", "backfill", "review", "migrations"):
        for folder, _, files in os.walk(REPOSITORY / top):  # doesn't follow the links to the wings
            yield from (Path(folder, name) for name in files if name.endswith(".py"))


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    found: list[Import] = []
    for path in _files():
        relative = path.relative_to(REPOSITORY).as_posix()
        found += imports_of(path.read_text(encoding="utf-8"), relative)
    return found


def test_no_import_runs_up_the_tower(imports: list[Import]) -> None:
    """Each room imports what stands below it; the wings never import each other."""
    assert [str(found) for found in imports if trespasses(found)] == []


def test_no_modules_import_each_other_in_a_circle(imports: list[Import]) -> None:
    """Not even inside one room."""
    modules = {_module(path.relative_to(REPOSITORY).as_posix()) for path in _files()}
    assert circle(imports, modules) == []


def test_the_tower_has_every_room() -> None:
    """A new room is given its place; and the hall stays one that can be looked over."""
    entries = {
        path.stem
        for path in (REPOSITORY / "imgsort").iterdir()
        if not path.is_symlink() and (path.suffix == ".py" or any(path.glob("*.py")))
        if not path.name.startswith("_")
    }
    assert entries == {*TOWER} - {"daemon", "trainer", "backfill", "review"}
    assert len(entries) <= 16


def test_a_class_name_means_one_thing() -> None:
    """Nobody has to ask which of two is meant."""
    homes: dict[str, list[str]] = {}
    for path in _files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(path.name)
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def test_no_two_modules_differ_by_a_suffix() -> None:
    """`audit` and `auditing` are told apart by nobody. Commands are called as they are typed."""
    names = {path.stem for path in _files() if path.parent.name != "cli"}
    alike = {
        (name, name.removesuffix("e") + suffix)
        for name in names
        for suffix in ("s", "er", "ed", "ing", "ings")
        if name.removesuffix("e") + suffix in names or name + suffix in names
    }
    assert alike == set()


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
        ("imgsort/store/labels.py", "from imgsort import daemon"),
        ("imgsort/store/labels.py", "def f():\n    import imgsort.trainer.head.fit"),
        ("imgsort/store/labels.py", "from imgsort.models.registry import Registry"),
        ("imgsort/disk/identity.py", "from imgsort.filing import mover"),
        ("imgsort/models/runtimes/cpu.py", "from ...daemon.service import run"),
        ("imgsort/cli/run.py", "from imgsort.daemon.service.run import run"),
        ("imgsort/cli/run.py", "class A:\n    from imgsort.daemon.service import run"),
        ("daemon/service/run.py", "from imgsort.trainer.head import fit"),
        ("daemon/service/run.py", "from ...trainer.head import fit"),
        ("trainer/head/fit.py", "def f():\n    from importlib import import_module\n"
         "    return import_module('imgsort.daemon.inbox.source')"),
        ("migrations/env.py", "import imgsort.daemon"),
        ("imgsort/attic/box.py", "from imgsort.disk import identity"),
    ],
)  # fmt: skip
def test_a_trespass_is_seen(file: str, source: str) -> None:
    """The check of the rooms sees an import however it is written, and a room without a place."""
    assert any(trespasses(found) for found in imports_of(source, file))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("imgsort/cli/run.py", "def f():\n    from imgsort.daemon.service import run"),
        ("daemon/service/run.py", "from imgsort.store import Store\nfrom imgsort import daemons"),
        ("daemon/service/run.py", "from . import signals"),
        ("imgsort/filing/xmp.py", "from imgsort import __version__"),
        ("migrations/env.py", "from imgsort.store import tables"),
        ("imgsort/care/status.py", "import daemon"),  # another package; ruff refuses that one
    ],
)
def test_an_allowed_import_is_allowed(file: str, source: str) -> None:
    """The check of the rooms doesn't mistake a neighbour, or a similar name, for a trespass."""
    assert not any(trespasses(found) for found in imports_of(source, file))


def test_a_circle_is_seen() -> None:
    """Of two modules that need each other at once; not where one of them waits with it."""
    modules = {"imgsort.disk.a", "imgsort.disk.b"}
    there = [*imports_of("from imgsort.disk.b import B", "imgsort/disk/a.py")]
    at_once = [*imports_of("from imgsort.disk import a", "imgsort/disk/b.py")]
    later = [*imports_of("def f():\n    from imgsort.disk import a", "imgsort/disk/b.py")]
    assert set(circle([*there, *at_once], modules)) == modules
    assert circle([*there, *later], modules) == []


@pytest.mark.parametrize(
    ("file", "source", "foreign"),
    [
        ("daemon/inbox/source.py", "import watchdog.observers", True),
        ("daemon/inbox/watcher.py", "import watchdog.observers", False),
        ("daemon/pipeline/pipeline.py", "def f():\n    from keras.layers import Dense", True),
        ("imgsort/models/runtimes.py", "def f():\n    import openvino as ov", False),
        ("imgsort/models/runtimes/cpu.py", "def f():\n    import openvino as ov", False),
        ("imgsort/models/runtimes_of.py", "def f():\n    import openvino as ov", True),
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
    found = [each for each in imports_of(source, "imgsort/x.py") if each.is_of("keras")]
    assert [each.at_import_time for each in found] == [at_import_time]
