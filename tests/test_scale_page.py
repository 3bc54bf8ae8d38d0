"""docs/scale.md: its examples run as they stand, and its arithmetic adds up."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from imgsort.backfill import parts

REPOSITORY = Path(__file__).parent.parent
PAGE = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
EXAMPLES = {
    re.findall(r"^import (\w+)", code, re.MULTILINE)[0]: code
    for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
}

pytest.importorskip("pyarrow", reason="imgsort[backfill] is not installed")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a workspace `photos` that has a job `archive` of two units."""
    folder = tmp_path / "photos/backfill/archive/parts"
    folder.mkdir(parents=True)
    decisions = ["filed", "filed", "unsure", "rejected"]
    rows: dict[str, list[object]] = {name: [None] * 4 for name in parts.schema(0).names}
    rows |= {
        "path": [f"/a/{n}.jpg" for n in range(4)],
        "path_bytes": [b"/a/%d.jpg" % n for n in range(4)],
        "decision": list(decisions),
        "reason": [None, None, "confidence 0.40 is below 0.70", "the file is cut short"],
        "label": ["cat", "dog", "cat", None],
        "confidence": [0.9, 0.8, 0.4, None],
        "top_k": [[{"label": "cat", "class_id": 1, "confidence": 0.9}]] * 3 + [None],
    }
    for unit in range(2):
        parts.write(folder, "job", unit, rows, 0)
    return tmp_path


@pytest.mark.parametrize(
    ("library", "shown"),
    [
        ("duckdb", [r"cat\s+│\s+2 │\s+0\.9", r"dog\s+│\s+2 │\s+0\.8"]),
        ("pandas", [r"the file is cut short\s+2"]),
        ("polars", [r"/a/2\.jpg\s+┆ cat\s+┆ 0\.4\s+┆ 1"]),
    ],
)
def test_the_example_reads_the_results(here: Path, library: str, shown: list[str]) -> None:
    """Every program that the page names shows what is in the parts."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[library]],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert [one for one in shown if not re.search(one, done.stdout)] == [], done.stdout


def test_there_is_an_example_of_each() -> None:
    assert set(EXAMPLES) == {"duckdb", "pandas", "polars"}


def test_each_column_of_a_part_is_documented() -> None:
    """None too few, none too many."""
    table = PAGE.partition("## The results")[2].partition("Any program")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    documented = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == {*parts.schema(8).names}


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ("all on CPUs, efficientnet-lite0", 0, 69e6 / 3600),
        ("all on CPUs, efficientnet-lite0", 1, 12.7e6 / 3600),
        ("all on CPUs, resnet50 in float32", 0, 117e6 / 3600),
        ("all on CPUs, resnet50 in float32", 1, 56e6 / 3600),
        ("reading, hashing and decoding alone", 0, 57e6 / 3600),
        ("reading, hashing and decoding alone", 1, 5e6 / 3600),
        ("network at 10 Gbit/s", 0, 4.5e15 * 8 / 1e10 / 86_400),
        ("network at 10 Gbit/s", 1, 6e13 * 8 / 1e10 / 3600),
        ("a GPU at 5,000 pictures a second, alone", 0, 1e9 / 5000 / 3600),
        ("cores that feed such a GPU", 0, 5000 * 0.057),
        ("cores that feed such a GPU", 1, 5000 * 0.005),
        ("400 cores, efficientnet-lite0", 0, 69e6 / 3600 / 400 / 24),
        ("400 cores, efficientnet-lite0", 1, 12.7e6 / 3600 / 400),
        ("100 machines of two cores", 0, 69e6 / 3600 / 200 / 24),
        ("100 machines of two cores", 1, 12.7e6 / 3600 / 200),
        ("units", 0, 1e9 / 4096),
        ("embeddings of 1,280 half floats", 0, 2.56),
    ],
)
def test_the_arithmetic_of_a_billion(row: str, column: int, expected: float) -> None:
    """What the table says is what its own numbers make, to a tenth."""
    line = re.search(rf"^\| {re.escape(row)} \|(.*)\|$", PAGE, re.MULTILINE)
    assert line is not None
    said = re.search(r"[\d,]+(?:\.\d+)?", line[1].split("|")[column])
    assert said is not None
    assert float(said[0].replace(",", "")) == pytest.approx(expected, rel=0.1)
