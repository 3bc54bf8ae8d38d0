"""A command under strace, which kills it at a system call."""

import shutil
import subprocess
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.chaos.program import PATIENCE, command, environment


def require_strace() -> None:
    """Skip the test, and say why, where strace isn't there or may not trace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (apt-get install strace)")
    answer = subprocess.run(
        ["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        pytest.skip(f"strace may not trace here: {answer.stderr.strip()}")


def tracing(trace: Path, calls: str, fault: str) -> list[str]:
    """What to put before a command, so that these ``calls`` meet that ``fault``."""
    only, inject = f"trace={calls}", f"inject={calls}:{fault}"
    return ["strace", "-f", "-o", str(trace), "-e", only, "-e", inject]


def killed(workspace: Workspace, words: tuple[object, ...], calls: str, number: int) -> bool:
    """Type a command that dies at its ``number``-th of these ``calls``; False if it made fewer.

    Only a process's own calls are counted, so it is killed at each process's ``number``-th.
    """
    trace = workspace.root.with_suffix(".trace")
    under = tracing(trace, calls, f"signal=KILL:when={number}")
    answer = subprocess.run(
        [*under, *command(workspace, *words)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in answer.stderr, answer.stderr
    if answer.returncode == 0:
        return False
    assert answer.returncode == -9, f"{answer.returncode}: {answer.stderr}"
    return True
