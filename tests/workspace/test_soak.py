"""Many thousands of pictures through one run; `make test-all` has the long one at its end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runner import REPOSITORY, environment

IMAGES = int(os.environ.get("IMGSORT_SOAK_IMAGES", "100000"))


def soaked(out: Path, images: int) -> None:
    """Everything is there at the end, and the plot was drawn."""
    done = subprocess.run(
        [sys.executable, REPOSITORY / "benchmarks" / "soak.py", f"--images={images}", "--out", out],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(out.with_suffix(".json").read_text())["outcome"]
    assert outcome["rows"] == outcome["files"] == images
    assert out.with_suffix(".png").stat().st_size > 10_000


def test_a_thousand_pictures_are_a_thousand_rows(tmp_path: Path) -> None:
    """The bounded part: too short to tell what grows."""
    soaked(tmp_path / "soak", 1_000)


@pytest.mark.soak
def test_nothing_grows_and_nothing_is_lost(tmp_path: Path) -> None:
    """Pace at the end as at the start, memory flat, a row for every file and a file for every
    row; about a quarter of an hour for 100,000."""
    soaked(tmp_path / "soak", IMAGES)
