"""`restore` is killed at one system call after the other; typed again it puts everything right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.ledger import Ledger
from tests.chaos.program import run_once, typed
from tests.chaos.strace import killed, require_strace

BEFORE, SINCE = 4, 3
CALLS = {"rename,renameat,renameat2": 1, "fsync,fdatasync": 1, "unlink,unlinkat,rmdir": 2}
"""Call -> every how-manieth of them to die at."""
KIND = "restore killed at a system call (strace)"
Damage = Callable[[Workspace], None]


@pytest.fixture(autouse=True)
def _strace() -> None:
    require_strace()


def nothing(workspace: Workspace) -> None:
    """The log is restored for another reason."""


def all_but_the_pictures(workspace: Workspace) -> None:
    """Configuration, database and models are gone. (The backbone stays: making it takes long.)"""
    kept = shutil.move(workspace.backbones, workspace.root.parent / "backbones")
    workspace.config_file.unlink()
    shutil.rmtree(workspace.state)
    workspace.state.mkdir()
    shutil.move(kept, workspace.backbones)


def saved(books: Books) -> Path:
    """A backup, after which more pictures were filed and one was moved."""
    books.drop(BEFORE)
    run_once(books.workspace)
    answer = typed(books.workspace, "backup")
    assert answer.returncode == 0, answer.stderr
    (file,) = books.workspace.backups.glob("*.tar*")
    books.drop(SINCE)
    run_once(books.workspace)
    return Path(shutil.copy(file, books.workspace.root.parent / file.name))


def strike(books: Books, file: Path, damage: Damage, calls: str, number: int) -> bool:
    """Damage, a restore that is killed, perhaps a daemon that is started, and the restore again."""
    damage(books.workspace)
    hit = killed(books.workspace, ("restore", file), calls, number)
    if number % 3 == 0:
        started = typed(books.workspace, "run", "--once")
        assert "Traceback" not in started.stderr, started.stderr
    again = typed(books.workspace, "restore", file)
    assert again.returncode == 0, again.stderr
    assert typed(books.workspace, "run", "--once").returncode == 0
    assert not list(books.workspace.state.glob(".restoring-*"))
    return hit


def test_a_kill_where_the_database_is_exchanged(books: Books, ledger: Ledger) -> None:
    """At the second rename the old database is aside and the new one not yet in place."""
    file = saved(books)
    assert strike(books, file, nothing, "rename,renameat,renameat2", 2)
    ledger.fault(KIND, books.harm())


@pytest.mark.chaos
@pytest.mark.parametrize("damage", [nothing, all_but_the_pictures])
@pytest.mark.parametrize("calls", CALLS)
def test_a_kill_at_any_system_call(
    books: Books, ledger: Ledger, calls: str, damage: Damage
) -> None:
    """No picture is lost, and every one has its row again, whichever call it dies at."""
    file = saved(books)
    number = 1
    while strike(books, file, damage, calls, number):
        ledger.fault(KIND, books.harm())
        number += CALLS[calls]
    assert number > 1
