"""Backfills on a Ray cluster: the same rows, whoever of it is killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from imgsort.workspace.workspace import Workspace
from tests.archives import each_once, in_units_of, pictures, rows, torn
from tests.cli_runner import REPOSITORY, asked, command, environment, imgsort
from tests.workspace.test_killed_backfill import POISON, wait_for_parts

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="imgsort[ray] is not installed")

ONE_CPU = "cpus_per_actor = 1.0\n"


@pytest.fixture
def photos(workspace: Workspace) -> Workspace:
    return in_units_of(workspace, 16, ONE_CPU)


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    return pictures(tmp_path / "archive", 100)


def calm(photos: Workspace, archive: list[Path]) -> list[dict[str, Any]]:
    """What this machine alone says."""
    words = ("backfill", archive[0].parents[1], "--job", "calm", "--log", "none")
    said = asked("-C", photos.root, *words)
    assert said.code == 0, said.err
    return rows(photos, "calm")


def on_ray(photos: Workspace, folder: Path, *more: str, **env: str) -> subprocess.Popen[str]:
    """A driver, in a session of its own."""
    words = ("-C", photos.root, "backfill", folder, "--job", "ray", "--engine", "ray", "--json")
    return subprocess.Popen(
        command(*words, *more),
        env=environment(IMGSORT_TEST_LOADED=os.devnull, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(driver: subprocess.Popen[str]) -> int:
    """Its exit code; what it said goes with a failure."""
    out, err = driver.communicate(timeout=300)
    assert driver.returncode in {0, 1, -signal.SIGKILL}, out + err
    return driver.returncode


def actors_of(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that judge."""
    found = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words and "JudgeActor" in words[0]:
            found.append(process)
    return found


def test_ray_says_what_this_machine_says(photos: Workspace, archive: list[Path]) -> None:
    """Row for row."""
    driver = on_ray(photos, archive[0].parents[1])
    assert ended(driver) == 0
    assert rows(photos, "ray") == calm(photos, archive)


def kill_an_actor(driver: subprocess.Popen[str]) -> bool:
    """False where there was none to kill."""
    for actor in actors_of(driver):
        actor.kill()
        return True
    return False


@pytest.mark.slow
def test_a_killed_actor_costs_nothing(photos: Workspace, archive: list[Path]) -> None:
    """Its unit is judged by another; each picture has one row."""
    driver = on_ray(photos, archive[0].parents[1])
    wait_for_parts(photos, "ray", 1)
    assert kill_an_actor(driver)
    assert ended(driver) == 0
    assert each_once(photos, "ray", archive)
    assert torn(photos, "ray") == []


@pytest.mark.slow
def test_ten_killed_actors(photos: Workspace, tmp_path: Path) -> None:
    """One after the other; only a unit that kills every actor of its own would be left out."""
    paths = pictures(tmp_path / "many", 1600)
    driver = on_ray(photos, tmp_path / "many")
    killed = 0
    for parts in range(1, 90, 9):
        wait_for_parts(photos, "ray", parts, 300)
        killed += kill_an_actor(driver)
    assert ended(driver) == 0
    assert killed >= 9
    assert each_once(photos, "ray", paths)
    again = asked("-C", photos.root, "backfill", tmp_path / "many", "--job", "ray")
    assert again.code in {0, 4}
    assert torn(photos, "ray") == []


@pytest.mark.slow
def test_a_unit_that_kills_its_actors_is_left_out(
    photos: Workspace, archive: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: decoded in the actor, one poisonous picture costs its unit. It is named, the
    job ends with exit 1, and every other unit is there."""
    archive[20].write_bytes(archive[20].read_bytes() + b"POISON:exit")
    driver = on_ray(photos, archive[0].parents[1], **POISON, IMGSORT_TEST_TRUSTING="1")
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 1, out + err
    assert re.search(r"Unit \d was left out after 3 tries, with 16 pictures from", err), err
    assert "imgsort backfill retry ray" in err
    assert len(rows(photos, "ray")) == 100 - 16


@pytest.mark.slow
def test_poison_costs_itself_on_ray(photos: Workspace, archive: list[Path]) -> None:
    """Decoded in the pool, the same picture is one rejected row, and the job ends with exit 0."""
    archive[20].write_bytes(archive[20].read_bytes() + b"POISON:exit")
    driver = on_ray(photos, archive[0].parents[1], **POISON)
    assert ended(driver) == 0
    rejected = [row for row in rows(photos, "ray") if row["decision"] == "rejected"]
    assert [row["path_bytes"] for row in rejected] == [os.fsencode(archive[20])]
    assert each_once(photos, "ray", archive)


@pytest.mark.slow
def test_a_killed_driver_is_followed_by_another(photos: Workspace, tmp_path: Path) -> None:
    """Ten times: what has a part is not judged again."""
    paths = pictures(tmp_path / "many", 640)
    for number in range(1, 11):
        driver = on_ray(photos, tmp_path / "many")
        folder = photos.backfill / "ray/parts"
        there = len(list(folder.glob("part-*"))) if folder.is_dir() else 0
        if there < 40:
            wait_for_parts(photos, "ray", there + 1, 300)
            time.sleep(number * 0.1)
        workers = psutil.Process(driver.pid).children(recursive=True)
        driver.kill()
        driver.communicate()
        for worker in workers:
            if worker.is_running():
                worker.kill()
    assert asked("-C", photos.root, "backfill", tmp_path / "many", "--job", "ray").code in {0, 4}
    assert each_once(photos, "ray", paths)
    assert torn(photos, "ray") == []


@pytest.fixture
def cluster() -> Iterator[subprocess.Popen[str]]:
    """Three nodes with a CPU each."""
    with subprocess.Popen(
        [sys.executable, REPOSITORY / "tests/ray_cluster.py", "3", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def address_of(cluster: subprocess.Popen[str]) -> str:
    assert cluster.stdout is not None
    for line in cluster.stdout:
        if line.startswith("address "):
            return line.split()[1]
    raise AssertionError("the cluster did not start")


@pytest.mark.slow
def test_a_node_that_is_lost_costs_nothing(
    photos: Workspace, tmp_path: Path, cluster: subprocess.Popen[str]
) -> None:
    """Of three one is taken away hard in the middle: its unit goes to another."""
    paths = pictures(tmp_path / "many", 640)
    driver = on_ray(photos, tmp_path / "many", "--address", address_of(cluster))
    wait_for_parts(photos, "ray", 4, 300)
    assert cluster.stdin is not None
    cluster.stdin.write("kill\n")
    cluster.stdin.flush()
    assert ended(driver) == 0
    assert each_once(photos, "ray", paths)
    assert (photos.backfill / "ray/backbones").is_dir()
    assert rows(photos, "ray") == sorted(rows(photos, "ray"), key=lambda row: row["path_bytes"])


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_told(photos: Workspace, archive: list[Path]) -> None:
    """In a sentence, with a way to go on."""
    said = imgsort(
        *("-C", photos.root, "backfill", archive[0].parent, "--engine", "ray"),
        *("--address", "127.0.0.1:9"),
        env={"RAY_gcs_rpc_server_connect_timeout_s": "1", "RAY_NUM_REDIS_GET_RETRIES": "1"},
    )
    assert said.code == 1
    assert "The Ray cluster 127.0.0.1:9 can't be used" in said.err
    assert "--engine local" in said.err
