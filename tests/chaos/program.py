"""The program as people start it: its own process, its command line, nothing patched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from imgsort.daemon.service import run as service
from imgsort.workspace.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds; many tests share the machine."""


def command(workspace: Workspace, *words: object) -> list[str]:
    """What `imgsort -C … words` comes to."""
    program = "from imgsort.cli import main; main()"
    root = str(workspace.root)
    return [sys.executable, "-c", program, "-C", root, *(str(word) for word in words)]


def environment(**more: str) -> dict[str, str]:
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return os.environ | threads | {"PYTHONPATH": str(REPOSITORY)} | more


def typed(workspace: Workspace, *words: object) -> "subprocess.CompletedProcess[str]":
    """Type a command and wait for its end."""
    return subprocess.run(
        command(workspace, *words),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_once(workspace: Workspace) -> None:
    """`run --once` with nothing in its way; in this process, where its imports are paid."""
    service.run(Workspace.open(workspace.root), once=True)


def said(workspace: Workspace) -> dict[str, Any]:
    """What the daemon last said of itself."""
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(workspace.status_file.read_text())
        return found
    return {}


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} seconds for {what}"
        time.sleep(0.05)


class Program:
    """A command under way, perhaps under another program such as strace."""

    started: ClassVar[list["Program"]] = []

    def __init__(
        self, workspace: Workspace, *words: object, under: Sequence[str] = (), **more: str
    ) -> None:
        self.workspace = workspace
        self._out = workspace.root / f"out-{words[0]}.txt"
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [*under, *command(workspace, *words)],
                env=environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.started.append(self)

    @classmethod
    def end_all(cls) -> None:
        """Leave nothing running behind a test that failed."""
        while cls.started:
            cls.started.pop().kill()

    @classmethod
    def daemon(cls, workspace: Workspace, **more: str) -> "Program":
        """`imgsort run`, started and ready."""
        daemon = cls(workspace, "run", **more)
        daemon.wait_until("running")
        return daemon

    def printed(self) -> str:
        return self._out.read_text()

    def is_(self, state: str) -> bool:
        """Does this very daemon say so of itself?"""
        assert self.process.poll() is None, self.printed()
        told = said(self.workspace)
        return bool(told.get("pid") == self.process.pid and told.get("state") == state)

    def wait_until(self, state: str) -> None:
        wait_for(lambda: self.is_(state), f"the daemon to be {state}")

    def stop(self) -> int:
        """As systemd does: SIGTERM, then its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Signal the program itself where it runs under another; both if it does not listen."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(OSError):
            for child in children.read_text().split()[:1]:
                os.kill(int(child), number)
