"""Troubles that pass: named in `status` and by `health`, told in the log, over by themselves."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.cli.test_run import filled
from tests.cli_runner import asked, environment, imgsort, read_until, wait_for

IMPATIENT = """
import signal, sys, time
from pathlib import Path
from imgsort.cli import main
from imgsort.daemon.pipeline import active_model as active, pipeline
from imgsort.daemon.service import startup as beginning
from imgsort.models.runtimes import DeviceMemoryExhausted
from imgsort.models.serving import Serving
from imgsort.store import engine
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's is ignored
engine.BUSY_SECONDS = 0.5
active.LOOK_SECONDS = 0.0
active.RETRY_SECONDS = beginning.RETRY_SECONDS = pipeline.RETRY_SECONDS = 0.3
embed, used_up, slow = Serving.embed, Path(sys.argv[2], "used up"), Path(sys.argv[2], "slow")
def checked(self, pixels):
    if used_up.exists():
        raise DeviceMemoryExhausted
    if slow.exists():
        time.sleep(0.3)
    return embed(self, pixels)
Serving.embed = checked
main()
"""
"""`imgsort`, with the seconds of waiting cut short, and a model that can be made to fail."""


@contextmanager
def impatient(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`imgsort -C root run ARGUMENTS`; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, "-C", os.fspath(root), "run", *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def paused_for(home: Path) -> str | None:
    said: dict[str, Any] = json.loads((home / "state" / "status.json").read_text())
    return said["paused_reason"] if said["state"] == "paused" else None


def dropped(home: Path, pictures: list[Path]) -> list[Path]:
    return [Path(shutil.copy(picture, home / "inbox")) for picture in pictures]


def filed_at_last(waiting: list[Path]) -> None:
    wait_for(lambda: not any(path.exists() for path in waiting), "the pictures to be filed")


@contextmanager
def used_up(home: Path) -> Iterator[None]:
    (home / "used up").touch()
    yield
    (home / "used up").unlink()


@contextmanager
def locked(home: Path) -> Iterator[None]:
    with closing(sqlite3.connect(home / "state" / "imgsort.db")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def away(folder: Path) -> Iterator[None]:
    folder.rename(folder.with_name("elsewhere"))
    yield
    folder.with_name("elsewhere").rename(folder)


def test_each_trouble_passes(home: Path, pictures: list[Path]) -> None:
    """Pictures wait for it, `status` and `health` name it, and all of them are filed."""
    troubles = {
        "The GPU's memory is used up": used_up(home),
        "state/imgsort.db locked for 0.5 seconds": locked(home),
        "sorted is missing or can't be reached": away(home / "sorted"),
    }
    began = time.monotonic()
    with impatient(home) as process:
        read_until(process, "ready: watching ")
        assert asked("-C", home, "health").out == f"healthy: running, pid {process.pid}\n"
        for (words, trouble), picture in zip(troubles.items(), pictures, strict=True):
            with trouble:
                waiting = dropped(home, [picture])
                wait_for(lambda: words in (paused_for(home) or ""), words)  # noqa: B023
                assert waiting[0].exists()
                answer = asked("-C", home, "health", "--json")
                assert (answer.code, answer.json["healthy"]) == (1, False)
                assert answer.json["problems"][0].startswith("Nothing is filed at present: ")
                assert words in answer.json["problems"][0]
                if "missing" not in words:
                    assert words in asked("-C", home, "status").out
            filed_at_last(waiting)
            wait_for(lambda: paused_for(home) is None, "the end of the pause")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.splitlines()[-1][:12]) == (0, "3 images in ")
    told = [line for line in out.splitlines() if " paused: " in line]
    assert [line.endswith("; imgsort goes on by itself") for line in told] == [True] * len(told)
    assert 1 <= len(told) <= 1 + (time.monotonic() - began) // 60  # once a minute, whatever it is


def test_an_inbox_that_goes_and_comes_back(home: Path, pictures: list[Path]) -> None:
    """What lies in it then is filed; a naked mount point is never looked into."""
    with impatient(home) as process:
        read_until(process, "ready: watching ")
        with away(home / "inbox"):
            read_until(process, "inbox is missing or can't be reached")
            wait_for(lambda: paused_for(home), "the status")
            shutil.copy(pictures[0], home / "elsewhere")
        filed_at_last([home / "inbox" / pictures[0].name])


def test_a_model_that_goes_and_comes_back(home: Path, pictures: list[Path]) -> None:
    """It is in memory: pictures need not wait, and the trouble is named as long as it lasts."""

    def last_error() -> str | None:
        error: str | None = json.loads((home / "state" / "status.json").read_text())["last_error"]
        return error

    with impatient(home) as process:
        read_until(process, "ready: watching ")
        with away(home / "state" / "models" / "v0001"):
            filed_at_last(dropped(home, pictures[:1]))
            wait_for(last_error, "the trouble in the status")
            assert "the files of model v1 are missing" in (last_error() or "")
        filed_at_last(dropped(home, pictures[1:2]))
        wait_for(lambda: last_error() is None, "the trouble to be over")


def test_it_waits_for_a_model_to_begin_with(home: Path, pictures: list[Path]) -> None:
    """Nobody has to start it again once one is there; a stop is obeyed meanwhile."""
    waiting = dropped(home, pictures)
    with away(home / "state" / "models" / "v0001"):
        with impatient(home) as process:
            assert "imgsort goes on by itself" in read_until(process, "paused: There is no model")
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
            assert (process.returncode, out.splitlines()[-1][:12]) == (0, "0 images in ")
        assert imgsort("-C", home, "run", "--once").code == 1
    with ExitStack() as stack:
        with away(home / "state" / "models" / "v0001"):
            process = stack.enter_context(impatient(home))
            read_until(process, "paused: There is no model")
            assert (paused_for(home) or "").startswith("There is no model")
        filed_at_last(waiting)


def test_it_waits_for_room_to_begin_with(
    home: Path, small_disk: Callable[[str], Path], pictures: list[Path]
) -> None:
    """A disk that is full from the start: it says so, waits, and goes on."""
    disk = small_disk("90m")
    root = Path(shutil.copytree(home, disk / "photos", symlinks=True))
    imgsort("-C", root, "run", "--once")  # leaves a status.json that can be written over
    waiting = dropped(root, pictures)
    fill = filled(disk)
    with impatient(root) as process:
        assert "is full; make room on it" in read_until(process, "paused: ")
        assert "is full; make room on it" in (paused_for(root) or "")
        assert "is full; make room on it" in asked("-C", root, "health").err
        fill.unlink()
        filed_at_last(waiting)


def test_an_interrupted_once_says_so(home: Path) -> None:
    """Exit code 130 while pictures wait, and they do; what was in hand is filed."""
    noise = np.random.default_rng(3)
    config = home / "config.toml"
    config.write_text(config.read_text().replace("[model]", "[model]\nbatch_size = 1"))
    for number in range(60):
        pixels = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(home / "inbox" / f"{number}.png")
    (home / "slow").touch()
    with impatient(home, "--once") as process:
        read_until(process, " of 1 in ")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    left = len(list((home / "inbox").iterdir()))
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith(f"{60 - left} images in ")
    assert out.endswith("Stopped before the inbox was empty; run it again for the rest.\n")
    assert 0 < left < 60
    (home / "slow").unlink()
    assert imgsort("-C", home, "run", "--once", "--json").json["images"] == left


def test_health_without_a_daemon(home: Path) -> None:
    """One sentence, no library of the model's, and little time."""
    answer = imgsort("-C", home, "health")
    assert answer.said == (1, f"No daemon runs on {home}; start it with `imgsort run`.")
    assert (answer.out, answer.loaded) == ("", frozenset())


def test_the_log_may_be_json(home: Path, pictures: list[Path]) -> None:
    """Every line is an object, the batch's with its figures; stdout stays for results."""
    with (home / "config.toml").open("a") as config:
        config.write('\n[log]\nformat = "json"\n')
    dropped(home, pictures)
    answer = imgsort("-C", home, "run", "--once")
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert all({"time", "level", "message"} <= line.keys() for line in lines)
    batches = [line for line in lines if line.get("event") == "batch"]
    assert sum(line["images"] for line in batches) == len(pictures)
    assert answer.out.startswith("3 images in ")


def test_a_daemon_writes_its_metrics(home: Path, pictures: list[Path]) -> None:
    """The textfile has the last figures when the daemon has ended."""
    with impatient(home) as process:
        read_until(process, "ready: watching ")
        filed_at_last(dropped(home, pictures))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    text = (home / "state" / "metrics.prom").read_text()
    outcomes = [line for line in text.splitlines() if line.startswith("imgsort_images_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in outcomes) == len(pictures)
    assert 'imgsort_stage_seconds_count{stage="decode"} 3.0' in text
