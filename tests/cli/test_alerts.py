"""Alarms and drift, as a script and a daemon see them: told once, and at nobody's cost."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from imgsort.store import Store
from tests.cli_runner import asked, command, daemon_of, environment, wait_for
from tests.logbook import Workplace, file_all, verdict


def test_health_tells_drift_only_when_asked(home: Path) -> None:
    """Exit 0 while the pictures are as before, 1 with the sentence when they aren't."""
    with daemon_of(home):
        filed(home, cat=200, unsure=20, days_ago=10)
        filed(home, cat=180, unsure=20, days_ago=3)
        assert asked("-C", home, "health", "--drift").code == 0
        filed(home, cat=60, unsure=140, days_ago=2)
        answer = asked("-C", home, "health", "--drift")
        assert answer.code == 1
        assert answer.err.startswith(
            "The model is unsure of 40% of this week's pictures, 9% before;"
        )
        assert asked("-C", home, "health", "--drift", "--json").json["healthy"] is False
        assert asked("-C", home, "health").code == 0


def filed(home: Path, *, cat: int, unsure: int, days_ago: float) -> None:
    """Rows of the log alone."""
    first = round(1000 * days_ago)
    said = [verdict("cat")] * cat + [verdict("cat", 0.3)] * unsure
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    with Store.open(home / "state/imgsort.db", root=home) as store:
        place = Workplace(home)
        file_all(
            store,
            [place.plan(first + at, one, arrived_at=moment) for at, one in enumerate(said)],
        )


@contextmanager
def webhook(kind: str) -> Iterator[int]:
    """A port on which nobody listens, or one that takes a connection and never answers."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        if kind == "hangs":
            door.listen(64)
        yield door.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "why"), [("refuses", "Connection refused"), ("hangs", "it takes too long")]
)
def test_a_webhook_that_is_down_costs_nobody_anything(home: Path, kind: str, why: str) -> None:
    """The daemon files on at its pace and is well, no thread piles up, the log has one line."""
    with webhook(kind) as port, (home / "run.log").open("w") as log:
        with (home / "config.toml").open("a") as config:
            config.write(f'\n[alert]\nwebhook = "http://127.0.0.1:{port}/x"\nunsure_over = 0.01\n')
        direct = {"http_proxy": "", "no_proxy": "*", "IMGSORT_TEST_LOADED": os.devnull}
        run = command("-C", home, "run")
        daemon = subprocess.Popen(run, env=environment(**direct), stdout=log, stderr=log)
        try:
            wait_for(lambda: "ready: watching" in logged(home), "the daemon")
            before = seconds_to_file(home, "before")
            threads = psutil.Process(daemon.pid).num_threads()
            wait_for(lambda: f"alert.webhook does not work ({why})" in logged(home), why)
            after = [seconds_to_file(home, f"after-{number}") for number in range(3)]
            assert min(after) < 2 * before + 1
            assert psutil.Process(daemon.pid).num_threads() <= threads
            live = asked("-C", home, "status", "--json").json
            assert (live["live"]["state"], live["last_error"]) == ("running", None)
            assert logged(home).count("alert.webhook does not work") == 1
            assert "Traceback" not in logged(home)
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(20) == 0
            assert time.monotonic() - began < 10
        finally:
            daemon.kill()
            daemon.wait()


def logged(home: Path) -> str:
    return (home / "run.log").read_text()


def seconds_to_file(home: Path, name: str) -> float:
    """Forty pictures that the model is unsure of, from their drop until the inbox is empty."""
    noise = np.random.default_rng([ord(letter) for letter in name])
    ready = home / name
    ready.mkdir()
    for number in range(40):
        pixels = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(ready / f"{name}-{number}.png")
    began = time.monotonic()
    ready.rename(home / "inbox" / name)
    wait_for(lambda: not any((home / "inbox" / name).iterdir()), "the inbox to be empty")
    return time.monotonic() - began
