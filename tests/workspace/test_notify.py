"""What systemd hears of the daemon: a socket in its place, and a daemon that really runs."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgsort.care.heartbeat import Heartbeat
from imgsort.daemon.service import sd_notify as notify_module
from imgsort.daemon.service.run import STUCK_SECONDS, patience
from imgsort.daemon.service.sd_notify import loading, notify, status_line, watchdog_seconds
from imgsort.workspace.config import Config, DecodeSettings, ModelSettings
from imgsort.workspace.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
{}
from imgsort.daemon.service.run import run
from imgsort.workspace.workspace import Workspace
print(run(Workspace.open(Path(sys.argv[1]))))
"""
HANGS = """
import time
from imgsort.daemon.service import run as service
from imgsort.{module} import {name}
service.STUCK_SECONDS = 0.5
service.patience = lambda config: 0.5
{name}.{method} = lambda *_: time.sleep(600)
"""


class Manager:
    """Listens as systemd does; ``heard`` is every assignment so far."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0imgsort-test-{os.getpid()}-{id(self)}")
        self.address = "@" + self._socket.getsockname()[1:].decode()
        self.heard: list[str] = []

    def listen(self, seconds: float, until: str | None = None) -> list[str]:
        """What is said within the time, or up to an assignment that begins with ``until``."""
        new: list[str] = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            new += self._socket.recv(4096).decode().splitlines()
            if until is not None and any(line.startswith(until) for line in new):
                break
        self.heard += new
        if until is not None:
            assert any(line.startswith(until) for line in new), f"no {until} in {new}"
        return new

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager() -> Iterator[Manager]:
    listening = Manager()
    yield listening
    listening.close()


@pytest.fixture
def start(
    workspace: Workspace, manager: Manager, tmp_path: Path
) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts the daemon under the manager, with a watchdog of two seconds."""
    started: list[subprocess.Popen[str]] = []

    def begin(before: str = "") -> "subprocess.Popen[str]":
        environment = os.environ | {
            "NOTIFY_SOCKET": manager.address,
            "WATCHDOG_USEC": "2000000",
            "PYTHONPATH": str(REPOSITORY),
        }
        with (tmp_path / "daemon.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.format(before), str(workspace.root)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def photo(test_data: Path) -> Path:
    return min((test_data / "cats_dogs_snakes" / "cats").iterdir())


def test_a_whole_life(
    workspace: Workspace,
    manager: Manager,
    start: Callable[..., "subprocess.Popen[str]"],
    photo: Path,
) -> None:
    """More time while it loads, READY, food for the watchdog, a reload, the end: in that order."""
    process = start()
    before = manager.listen(60, until="READY=1")
    assert "EXTEND_TIMEOUT_USEC=60000000" in before
    assert before.index("STATUS=loading") < before.index("READY=1")
    assert "STATUS=running: 0 waiting, model v1" in before
    pings = manager.listen(3.5).count("WATCHDOG=1")
    assert 2 <= pings <= 5  # one a second: twice as often as asked
    shutil.copy(photo, workspace.inbox)
    manager.listen(20, until="STATUS=running: 1 waiting")
    manager.listen(20, until="STATUS=running: 0 waiting")
    process.send_signal(signal.SIGHUP)
    told = manager.listen(20, until="READY=1")
    clock = next(line for line in told if line.startswith("MONOTONIC_USEC="))
    assert abs(int(clock.partition("=")[2]) / 1e6 - time.monotonic()) < 20
    assert told.index("RELOADING=1") < told.index("READY=1")
    process.send_signal(signal.SIGTERM)
    manager.listen(20, until="STOPPING=1")
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("module", "name", "method", "stage"),
    [
        ("daemon.pipeline.inference", "ModelInference", "judge", "infer"),
        ("filing.filer", "Filer", "file", "file"),
        ("images.pool", "DecoderPool", "_decoded", "decode"),
        ("daemon.inbox.source", "Source", "_refill", "scan"),
    ],
    ids=["inference", "filing", "decoder", "scanner"],
)
def test_the_watchdog_starves_when_a_part_hangs(
    workspace: Workspace,
    manager: Manager,
    start: Callable[..., "subprocess.Popen[str]"],
    photo: Path,
    tmp_path: Path,
    module: str,
    name: str,
    method: str,
    stage: str,
) -> None:
    """Whichever part it is; on SIGABRT the log says where each thread was."""
    shutil.copy(photo, workspace.inbox)
    process = start(HANGS.format(module=module, name=name, method=method))
    if stage == "scan":  # then the first scan never ends: no READY, and no more time is asked for
        manager.listen(60, until="STATUS=starting: ")
    else:
        manager.listen(60, until="READY=1")
    manager.listen(3)
    late = manager.listen(2.5)
    assert "WATCHDOG=1" not in late
    assert "EXTEND_TIMEOUT_USEC=60000000" not in late
    assert any(f"; {stage} does not get on" in line for line in manager.heard)
    process.send_signal(signal.SIGABRT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    log = (tmp_path / "daemon.log").read_text()
    assert "Fatal Python error: Aborted" in log
    assert "<lambda>" in log


def test_time_for_loading_is_asked_for_again_and_again(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it lasts, and not for ever."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setattr(notify_module, "EXTENSION_SECONDS", 1)
    monkeypatch.setattr(notify_module, "LOADING_SECONDS", 1.0)
    with loading():
        asked = manager.listen(2.0).count("EXTEND_TIMEOUT_USEC=1000000")
        assert 3 <= asked <= 7
        assert manager.listen(0.5) == []
    assert manager.listen(0.5) == []


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No socket, one that is gone, or a name that is none: being watched is no condition."""
    for address in ("", "nonsense", f"{tmp_path}/gone", "@imgsort-nobody"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        with loading():
            notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("60000000", None, 30.0),
        ("60000000", "self", 30.0),
        ("60000000", "1", None),
        ("0", None, None),
        ("x", None, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, seconds: float | None
) -> None:
    """And only if this very process is meant."""
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "self" else pid)
    assert watchdog_seconds() == seconds


def test_slow_pictures_and_large_batches_are_not_taken_for_a_hang() -> None:
    """What the user allowed a picture, each of its tries, and a batch to take."""
    assert patience(Config()) == STUCK_SECONDS + 4 * 20 + 32
    slow = Config(
        decode=DecodeSettings(timeout_seconds=600.0), model=ModelSettings(batch_size=1024)
    )
    assert patience(slow) == STUCK_SECONDS + 4 * 600 + 1024


def test_the_status_line_says_what_is_wrong_on_one_line() -> None:
    """`systemctl status` shows it."""
    health = Heartbeat(1, "paused", "", queue="1,204", model=3, paused_reason="the disk\nis full")
    assert status_line(health) == "paused: 1,204 waiting, model v3; the disk is full"
    hangs = Heartbeat(1, "running", "", queue="7", model=3, stuck="infer")
    assert status_line(hangs) == "running: 7 waiting, model v3; infer does not get on"
