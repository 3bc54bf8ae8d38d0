"""strace kills the unmodified program at one system call after the other, or makes them fail."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.books import Books
from tests.chaos.ledger import Ledger
from tests.chaos.program import PATIENCE, Program, run_once, said
from tests.chaos.strace import require_strace, tracing

IMAGES = 3
KILLED = {
    "renameat2": 1,
    "fsync": 1,
    "fdatasync": 1,
    "rename": 1,
    "unlink,unlinkat": 1,
    "ftruncate": 1,
    "pwrite64": 11,
    "openat": 300,
}
"""Call -> every how-manieth of them to die at."""
FAILING = [
    (call, error, when)
    for call, errors, when in (
        ("renameat2", ("ENOSPC", "EIO", "EROFS", "EXDEV", "EACCES"), ""),
        ("fsync", ("EIO", "ENOSPC"), "+"),
        ("fdatasync", ("EIO",), "+"),
        ("pwrite64", ("ENOSPC", "EIO", "EROFS"), "+"),
    )
    for error in errors
]
KILL = "signal=KILL:when={}"
STEPS = {"renameat2": 1, "fsync": 2, "fdatasync": 2, "pwrite64": 29}


@dataclass(frozen=True)
class Struck:
    """How `run --once` ended with a fault in its way."""

    injected: bool
    code: int
    printed: str


@pytest.fixture(autouse=True)
def _strace() -> None:
    require_strace()


def strike(books: Books, calls: str, fault: str) -> Struck:
    """`imgsort run --once` under strace. One that pauses is told to stop."""
    trace = books.workspace.root / "trace.txt"
    under = tracing(trace, calls, fault)
    if "KILL" not in fault:
        under.append("--seccomp-bpf")  # quicker, but strace 6.1 forgets to deliver signals with it
    books.workspace.status_file.unlink(missing_ok=True)
    program = Program(books.workspace, "run", "--once", under=under)
    deadline = time.monotonic() + PATIENCE
    while program.process.poll() is None:
        if said(books.workspace).get("state") == "paused":
            program.end()
        assert time.monotonic() < deadline, f"{calls} {fault}: {program.printed()}"
        time.sleep(0.1)
    injected = "(INJECTED)" in trace.read_text() or program.process.returncode == -9
    return Struck(injected, program.process.returncode, program.printed())


def strikes(books: Books, ledger: Ledger, calls: str, fault: str, numbers: range) -> int:
    """A fault at each of these calls in turn, each followed by a run with nothing in its way."""
    for hit, number in enumerate(numbers):
        books.drop(IMAGES)
        struck = strike(books, calls, fault.format(number))
        assert "Traceback" not in struck.printed, struck.printed
        assert "has a bug" not in struck.printed, struck.printed
        run_once(books.workspace)
        assert books.waiting() == 0, struck.printed
        if not struck.injected:
            assert struck.code == 0, struck.printed
            return hit
        ledger.fault(_kind(fault), books.harm())
    return len(numbers)


def _kind(fault: str) -> str:
    if "KILL" in fault:
        return "killed at a system call (strace)"
    return f"system call fails: {fault.partition(':')[0].removeprefix('error=')} (strace)"


def test_a_kill_in_the_middle_of_the_work(books: Books, ledger: Ledger) -> None:
    """Killed at its second rename, the next run puts everything right."""
    assert strikes(books, ledger, "renameat2", KILL, range(2, 3)) == 1


@pytest.mark.chaos
@pytest.mark.parametrize("calls", KILLED)
def test_a_kill_at_any_system_call(books: Books, ledger: Ledger, calls: str) -> None:
    """Nothing is lost and nothing filed twice, whichever call the program dies at."""
    numbers = range(1, 4000, KILLED[calls])
    assert strikes(books, ledger, calls, KILL, numbers) > 0


@pytest.mark.chaos
@pytest.mark.parametrize(("calls", "error", "when"), FAILING)
def test_an_error_at_any_system_call(
    books: Books, ledger: Ledger, calls: str, error: str, when: str
) -> None:
    """The same when the call fails: once, or from then on."""
    fault = f"error={error}:when={{}}{when}"
    assert strikes(books, ledger, calls, fault, range(1, 400, STEPS[calls])) > 0


@pytest.mark.chaos
@pytest.mark.parametrize("calls", ["renameat2", "fsync", "unlinkat", "pwrite64"])
def test_a_kill_on_the_way_to_another_file_system(
    books: Books, ledger: Ledger, calls: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The copy path: part file, fsync, name, unlink."""
    elsewhere = Path("/dev/shm")  # noqa: S108 - every Linux has it
    if elsewhere.stat().st_dev == books.workspace.root.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder = elsewhere / f"imgsort-chaos-{tmp_path_factory.getbasetemp().name}-{calls}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "unsure").mkdir(parents=True)
    config = books.workspace.config_file
    config.write_text(config.read_text() + f'[folders]\nunsure = "{folder}/unsure"\n')
    across = Books(type(books.workspace).open(books.workspace.root))
    try:
        step = 29 if calls == "pwrite64" else 1
        numbers = range(1, 400, step)
        assert strikes(across, ledger, calls, KILL, numbers) > 0
    finally:
        shutil.rmtree(folder)
