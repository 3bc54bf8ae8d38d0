"""Run the command line as a user does: in a process of its own, with nothing of the test's."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from imgsort.cli import registered

REPOSITORY = Path(__file__).parent.parent
HEAVY = ("keras", "tensorflow", "openvino", "sklearn", "matplotlib", "numpy", "sqlalchemy.orm")
PROGRAM = f"""
import atexit, os, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's is ignored
loaded = lambda: " ".join(set({HEAVY!r}) & set(sys.modules))
atexit.register(lambda: Path(os.environ["IMGSORT_TEST_LOADED"]).write_text(loaded()))
from imgsort.cli import main
main()
"""


@dataclass(frozen=True)
class Answer:
    """What a command printed, its exit code, and which heavy libraries it loaded."""

    code: int
    out: str
    err: str
    loaded: frozenset[str]

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> tuple[int, str]:
        """The exit code and the last line on stderr."""
        return self.code, (self.err.splitlines() or [""])[-1]


def environment(**changes: str) -> dict[str, str]:
    """A user's environment: no workspace chosen, no Keras cache, no network for urllib."""
    dead = "http://127.0.0.1:9"
    plain = {key: value for key, value in os.environ.items() if not key.startswith("IMGSORT_")}
    proxies = {"http_proxy": dead, "https_proxy": dead, "no_proxy": ""}
    keras = {"KERAS_HOME": os.fspath(Path(tempfile.gettempdir(), "imgsort-no-such-keras-home"))}
    return plain | proxies | keras | {"PYTHONPATH": os.fspath(REPOSITORY)} | changes


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *(os.fspath(one) for one in arguments)]


def imgsort(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> Answer:
    """Run `imgsort ARGUMENTS` to its end, without a terminal; ``before`` wraps the command."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = Path(folder, "loaded")
        done = subprocess.run(
            [*before, *command(*arguments)],
            cwd=cwd or folder,
            env=environment(IMGSORT_TEST_LOADED=os.fspath(loaded), **(env or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=300,
            check=False,
        )
        names = loaded.read_text() if loaded.exists() else ""
    return Answer(done.returncode, done.stdout, done.stderr, frozenset(names.split()))


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start `imgsort ARGUMENTS`; stdout and stderr are one pipe."""
    return subprocess.Popen(
        command(*arguments),
        env=environment(IMGSORT_TEST_LOADED=os.devnull),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def asked(*arguments: str | Path) -> Answer:
    """The same without a process of its own: quick, for what depends on no environment."""
    done = CliRunner().invoke(registered(), [os.fspath(one) for one in arguments])
    return Answer(done.exit_code, done.stdout, done.stderr, frozenset())


@contextmanager
def daemon_of(root: Path) -> Iterator[subprocess.Popen[str]]:
    """`imgsort run`, ready; killed at the end if it still runs."""
    process = started("-C", root, "run")
    try:
        read_until(process, "ready: watching ")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The next line with ``text`` that the process prints."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        if text in line:
            return line
        told.append(line)
    raise AssertionError(f"it ended without saying {text!r}: {''.join(told)}")


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited a minute for {what}"
        time.sleep(0.05)


def contents(*folders: Path) -> Counter[str]:
    """How often each content lies in these folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def tree(folder: Path) -> set[str]:
    """Everything below a folder, hidden or not."""
    return {os.fspath(path.relative_to(folder)) for path in folder.rglob("*")}
