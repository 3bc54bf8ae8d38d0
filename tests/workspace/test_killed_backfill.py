"""Backfills that are killed, or fed with poison: no row is lost, none is there twice."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgsort.workspace.workspace import Workspace
from tests.archives import each_once, in_units_of, pictures, query, rows, torn
from tests.cli_runner import REPOSITORY, asked, command, environment, imgsort

pytest.importorskip("pyarrow", reason="imgsort[backfill] is not installed")

POISON = {"PYTHONPATH": f"{REPOSITORY / 'tests/hooks/poison'}:{REPOSITORY}"}


@pytest.fixture
def photos(workspace: Workspace) -> Workspace:
    return in_units_of(workspace, 16)


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    return pictures(tmp_path / "archive", 64)


@pytest.fixture
def done(photos: Workspace, archive: list[Path]) -> list[dict[str, Any]]:
    """The rows of a job that nobody killed."""
    said = asked(
        *("-C", photos.root, "backfill", archive[0].parents[1], "--job", "calm", "--log", "none")
    )
    assert said.code == 0, said.err
    return rows(photos, "calm")


def begin(photos: Workspace, folder: Path, *more: str, **env: str) -> subprocess.Popen[bytes]:
    """A driver of job `killed`, with processes of its own to be killed with it."""
    words: list[str | Path] = ["-C", photos.root, "backfill", folder, "--job", "killed"]
    words += ["--log", "none", *more]
    return subprocess.Popen(
        command(*words),
        env=environment(IMGSORT_TEST_LOADED=os.devnull, **env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize("point", ["unit-judged:2", "unit-written:3", "unit-named:1"])
def test_a_driver_that_dies_at_a_unit_loses_nothing(
    photos: Workspace, archive: list[Path], done: list[dict[str, Any]], point: str
) -> None:
    """Before, in, and after the write: the next run judges what is left, and the rows are equal."""
    driver = begin(photos, archive[0].parents[1], IMGSORT_FAILPOINT=point)
    assert driver.wait(120) == -signal.SIGKILL
    parts = photos.backfill / "killed/parts"
    kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-*")}
    said = asked("-C", photos.root, "backfill", archive[0].parents[1], "--job", "killed", "--json")
    assert said.code == 0, said.err
    assert said.json["units"] == 4 - len(kept)
    assert {name: (parts / name).stat().st_mtime_ns for name in kept} == kept
    assert rows(photos, "killed") == done
    assert torn(photos, "killed") == []


@pytest.mark.slow
def test_a_driver_killed_at_ten_moments(
    photos: Workspace, archive: list[Path], done: list[dict[str, Any]]
) -> None:
    """Wherever it was: listing, loading, judging, writing."""
    chance = random.Random(20261128)  # noqa: S311 - when it dies is no secret
    for _ in range(10):
        driver = begin(photos, archive[0].parents[1])
        try:
            driver.wait(chance.uniform(0.5, 15))
        except subprocess.TimeoutExpired:
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()
    said = asked("-C", photos.root, "backfill", archive[0].parents[1], "--job", "killed")
    assert said.code in {0, 4}, said.err
    assert rows(photos, "killed") == done
    assert torn(photos, "killed") == []


@pytest.mark.parametrize("point", ["part-read:2", "part-taken-in:1"])
def test_an_ingest_that_dies_loses_nothing(
    photos: Workspace, done: list[dict[str, Any]], point: str
) -> None:
    """Each part is in the log whole or not at all, and once after the next."""
    died = imgsort(
        *("-C", photos.root, "backfill", "ingest", "calm"), env={"IMGSORT_FAILPOINT": point}
    )
    assert died.code == -signal.SIGKILL
    assert query(photos, "SELECT count(*) FROM archive_pictures") == [(16,)]
    assert asked("-C", photos.root, "backfill", "ingest", "calm").code == 0
    _require_each_once(photos, done)


@pytest.mark.slow
def test_an_ingest_killed_at_thirty_moments_and_by_two_at_once(
    photos: Workspace, done: list[dict[str, Any]]
) -> None:
    """Counts are equal to the parts', whoever took which in."""
    chance = random.Random(30)  # noqa: S311 - when it dies is no secret
    for _ in range(15):
        two = [
            subprocess.Popen(
                command("-C", photos.root, "backfill", "ingest", "calm"),
                env=environment(IMGSORT_TEST_LOADED=os.devnull),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        for process in two:
            try:
                process.wait(chance.uniform(0.2, 4))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert asked("-C", photos.root, "backfill", "ingest", "calm").code in {0, 4}
    _require_each_once(photos, done)


def _require_each_once(photos: Workspace, done: list[dict[str, Any]]) -> None:
    logged = query(photos, "SELECT path_bytes, decision FROM archive_pictures ORDER BY path_bytes")
    assert logged == [(row["path_bytes"], row["decision"]) for row in done]
    assert query(photos, "SELECT count(*) FROM archive_parts") == [(4,)]
    assert query(photos, "SELECT count(*) FROM predictions") == [(len(done),)]


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_filing_that_dies_files_each_once(
    photos: Workspace, archive: list[Path], done: list[dict[str, Any]], mode: str
) -> None:
    """After the move and before the log knows; the next run completes it."""
    words = ("-C", photos.root, "backfill", "ingest", "calm", "--file", mode)
    died = imgsort(*words, env={"IMGSORT_FAILPOINT": "after-place:20"})
    assert died.code == -signal.SIGKILL
    assert asked(*words).code == 0
    assert query(photos, "SELECT count(*), count(DISTINCT sha256) FROM prediction_log") == [
        (64, 64)
    ]
    filed = [path for place in (photos.sorted, photos.unsure) for path in place.rglob("*.jpg")]
    assert len(filed) == 64
    assert query(photos, "SELECT count(*) FROM moves WHERE state = 'planned'") == [(0,)]


@pytest.fixture
def poisoned(tmp_path: Path) -> tuple[list[Path], set[bytes]]:
    """Sixty pictures, and three among them that kill, hang or exhaust whoever decodes them."""
    paths = pictures(tmp_path / "archive", 60)
    bad = set()
    for path, how in zip(paths[5::20], ("segfault", "hang", "bomb"), strict=True):
        path.write_bytes(path.read_bytes() + f"POISON:{how}".encode())
        bad.add(os.fsencode(path))
    return paths, bad


@pytest.fixture
def cautious(workspace: Workspace) -> Workspace:
    """With little patience for a decoder."""
    made = in_units_of(workspace, 16)
    text = made.config_file.read_text()
    limits = "[decode]\ntimeout_seconds = 5.0\nmemory_mb = 512\n"
    made.config_file.write_text(text.replace("[decode]\n", limits))
    return Workspace.open(made.root)


@pytest.mark.slow
def test_poison_costs_itself(cautious: Workspace, poisoned: tuple[list[Path], set[bytes]]) -> None:
    """The job ends with exit 0; each poisonous picture is rejected with its reason, no other is."""
    paths, bad = poisoned
    said = imgsort(
        *("-C", cautious.root, "backfill", paths[0].parents[1], "--job", "bad", "--json"),
        env=POISON,
    )
    assert said.code == 0, said.err
    assert each_once(cautious, "bad", paths)
    rejected = {
        row["path_bytes"]: row["reason"]
        for row in rows(cautious, "bad")
        if row["decision"] == "rejected"
    }
    assert set(rejected) == bad
    reasons = " | ".join(sorted(rejected.values()))
    assert "the decoder crashed on it (2 tries)" in reasons
    assert "decoding it took longer than 5 s (2 tries)" in reasons
    assert "memory" in reasons


def test_a_bug_of_ours_at_one_picture_costs_that_picture(
    cautious: Workspace, archive: list[Path]
) -> None:
    """It is told as not read, for `retry` after an update; the others have their rows."""
    archive[7].write_bytes(archive[7].read_bytes() + b"POISON:bug")
    said = imgsort(
        *("-C", cautious.root, "backfill", archive[0].parents[1], "--job", "bug", "--json"),
        env=POISON,
    )
    assert (said.code, said.json["unread"], said.json["pictures"]) == (0, 1, 64), said.err
    (row,) = (row for row in rows(cautious, "bug") if row["decision"] == "unread")
    assert row["path_bytes"] == os.fsencode(archive[7])
    assert "imgsort has a bug that shows at it (LookupError: a bug)" in row["reason"]


def _quiet(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)


def wait_for_parts(workspace: Workspace, job: str, number: int, seconds: float = 180) -> None:
    """Until so many parts are there."""
    folder = workspace.backfill / job / "parts"
    for _ in _quiet(seconds):
        if folder.is_dir() and len(list(folder.glob("part-*"))) >= number:
            return
    raise AssertionError(f"no {number} parts after {seconds:g} s")
