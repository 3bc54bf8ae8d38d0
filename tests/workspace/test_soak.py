"""Many thousands of pictures through one run: pytest -m soak, never by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runner import REPOSITORY, environment

IMAGES = int(os.environ.get("IMGSORT_SOAK_IMAGES", "100000"))


@pytest.mark.soak
def test_nothing_grows_and_nothing_is_lost(tmp_path: Path) -> None:
    """Pace at the end as at the start, memory flat, a row for every file and a file for every
    row; about a quarter of an hour for 100,000."""
    out = tmp_path / "soak"
    done = subprocess.run(
        [sys.executable, REPOSITORY / "benchmarks" / "soak.py", f"--images={IMAGES}", "--out", out],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(out.with_suffix(".json").read_text())["outcome"]
    assert outcome["rows"] == outcome["files"] == IMAGES
    assert out.with_suffix(".png").stat().st_size > 10_000
