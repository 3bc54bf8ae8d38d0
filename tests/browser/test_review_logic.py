"""The page's own decisions, without a browser: keys, window, queue, undo's order."""

import shutil
import subprocess
from pathlib import Path

import pytest

LOGIC = Path(__file__).parent / "logic"


def test_the_page_decides_as_it_should() -> None:
    """What `node --test` finds in the modules that touch neither page nor network."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node isn't installed; the browser's tests try the same from outside")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"node {version.stdout.strip()} can't test these modules; 20 or newer can")
    files = sorted(str(path) for path in LOGIC.glob("*.test.mjs"))
    answer = subprocess.run(
        [node, "--experimental-default-type=module", "--test", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-1000:]
    assert "# fail 0" in answer.stdout
