"""Pictures are opened wherever TMPDIR points, and where that can't be, one sentence says why."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

_OPEN = """
import sys
from pathlib import Path
from imgsort.images import ImageLimits, socket_folder
from imgsort.images.outcome import NoAttempts
from imgsort.images.pool import DecoderPool

if sys.argv[2] == "alone":
    socket_folder._OTHERS = ()
with DecoderPool(size=8, limits=ImageLimits(9**9, 9**9), timeout_seconds=60, memory_mb=512,
                 workers=1, attempts=NoAttempts()) as pool:
    print(type(pool.submit(Path(sys.argv[1])).result()).__name__)
"""


def opened_below(temporary: Path, picture: Path, how: str) -> subprocess.CompletedProcess[str]:
    temporary.mkdir(parents=True)
    return subprocess.run(
        [sys.executable, "-c", _OPEN, picture, how],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    assert cv2.imwrite(str(path), np.full((16, 16, 3), 128, np.uint8))
    return path


def test_a_long_tmpdir_keeps_no_picture_closed(tmp_path: Path, picture: Path) -> None:
    """As a cluster's job has it: the fork server's socket goes where its name fits."""
    done = opened_below(tmp_path / ("scratch" * 15), picture, "with others")

    assert (done.returncode, done.stdout) == (0, "Picture\n"), done.stderr


def test_where_no_folder_is_short_enough_one_sentence_says_so(
    tmp_path: Path, picture: Path
) -> None:
    """Rather than waiting for ever for a worker that can't come up."""
    done = opened_below(tmp_path / ("scratch" * 15), picture, "alone")

    last = done.stderr.splitlines()[-1]
    assert "set TMPDIR to a shorter one, such as /tmp" in last
    assert done.returncode == 1


def test_a_folder_that_just_fits_is_used(picture: Path) -> None:
    """75 bytes: the longest that the socket's 107 leave."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        longest = Path(short) / ("x" * (75 - len(short) - 1))
        done = opened_below(longest, picture, "alone")

    assert (done.returncode, done.stdout) == (0, "Picture\n"), done.stderr
