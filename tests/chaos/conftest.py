"""Fixtures of the fault tests, and the table at the end of `make chaos`."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.ledger import PROPERTY, Ledger, table
from tests.chaos.movers import Movers
from tests.chaos.program import Program
from tests.workspace.conftest import founded  # noqa: F401 - a fixture

SETTINGS = """
confidence = 0.0
batch_size = 1
[watch]
settle_seconds = 0.1
scan_seconds = 2
"""
Mount = Callable[..., None]


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return Ledger(request.node.user_properties)


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    Program.end_all()


@pytest.fixture
def workspace(founded: Path, tmp_path: Path) -> Workspace:  # noqa: F811
    """A real workspace that files one image a batch, so that a few images make many steps."""
    return copied(founded, tmp_path / "photos")


@pytest.fixture
def books(workspace: Workspace) -> Books:
    return Books(workspace)


@pytest.fixture(scope="module")
def movers() -> Iterator[Movers]:
    movers = Movers()
    yield movers
    movers.close()


@pytest.fixture(scope="module")
def empty_log(movers: Movers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    movers.run("make-database", folder)
    return folder / "imgsort.db"


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mount a file system, until the test is over; skips where that isn't allowed."""
    mounted: list[Path] = []

    def mount_it(*words: object, at: Path) -> None:
        answer = subprocess.run(
            ["mount", *(str(word) for word in words), str(at)],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            pytest.skip(f"mount is not allowed here (root only): {answer.stderr.strip()}")
        mounted.append(at)

    if os.geteuid() != 0:
        pytest.skip("only root may mount file systems")
    yield mount_it
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)


def copied(founded: Path, root: Path, settings: str = SETTINGS) -> Workspace:  # noqa: F811
    """A copy of the workspace, with more in its config.toml."""
    shutil.copytree(founded, root, symlinks=True, dirs_exist_ok=True)
    with (root / "config.toml").open("a") as config:
        config.write(settings)
    return Workspace.open(root)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up what the tests, wherever they ran, have written into their ledgers."""
    reports = [one for many in terminalreporter.stats.values() for one in many]
    entries = [
        entry
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, entry in report.user_properties
        if name == PROPERTY
    ]
    lines = table(entries)
    if lines:
        terminalreporter.section("faults injected, and what they did")
        for line in lines:
            terminalreporter.write_line(line)
