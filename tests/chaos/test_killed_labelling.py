"""Kill the commands that label, at their durable steps and at any moment, and type them again.

Whatever the moment: a command's labels are all there or none is, no file is lost or doubled, and
the same command typed again completes what is missing and repeats nothing.
"""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgsort.disk import failpoints
from tests.desk import Desk

REPOSITORY = Path(__file__).parent.parent.parent
FILED = [f"{name}-{number}.jpg" for name in ("cat", "dog", "unsure-cat") for number in range(4)]
TRUTH = {name: "snake" if name.endswith("1.jpg") else "dog" for name in FILED}
MOVING = [*failpoints.FILING[:4], *failpoints.FILING[5:8], "after-place:3"]
COPYING = [
    *failpoints.COPYING,
    *("after-place:3", "after-target-fsync", "after-tx2"),
]
NOTHING_TO_DO, KILLED = -4, int(signal.SIGKILL)


class Typist:
    """Types commands, each in a process of its own."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "typing_child.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )

    def type(self, root: Path, *words: object, failpoint: str = "", after: float = 0.0) -> int:
        """The signal it died of, or minus its exit status; ``after`` seconds it is killed."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        order = {
            "root": str(root),
            "words": [str(word) for word in words],
            "failpoint": failpoint,
            "after": after,
        }
        print(json.dumps(order), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def close(self) -> None:
        self._server.communicate()


@pytest.fixture(scope="module")
def typist() -> Iterator[Typist]:
    typist = Typist()
    yield typist
    typist.close()


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with twelve pictures, to be copied."""
    desk = Desk.at(tmp_path_factory.mktemp("filed") / "photos")
    desk.file(*FILED)
    return desk.workspace.root


@dataclass(frozen=True)
class Scene:
    """A workspace, the command that is going to be killed, and what it shall come to."""

    desk: Desk
    words: tuple[object, ...]
    typist: Typist
    labels: dict[str, str]
    pictures: Counter[str]
    """sha256 of each file that shall lie in the folders at the end."""
    leaves: int = NOTHING_TO_DO
    """How the command ends when everything is done already."""

    def type(self, *, failpoint: str = "", after: float = 0.0) -> int:
        words = self.words
        return self.typist.type(self.desk.workspace.root, *words, failpoint=failpoint, after=after)

    def check_nothing_is_half_done(self) -> None:
        assert self.desk.count_labels() in {0, len(self.labels)}

    def check_complete(self) -> None:
        """Typed again until it says there is nothing to do, which may be at once."""
        again = [self.type(), self.type()]
        assert again[0] in {0, self.leaves}
        assert again[1] == self.leaves
        desk = self.desk
        assert {name: word for name, (word, *_) in desk.labels().items()} == self.labels
        assert desk.count_labels() == len(self.labels), "a word was written down twice"
        assert desk.agrees()
        assert _contents(desk) == self.pictures


def _contents(desk: Desk) -> Counter[str]:
    root = desk.workspace.root
    return Counter(_sha256(root / path) for path in desk.tree())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copied(filed: Path, tmp_path: Path) -> Desk:
    # The log knows its files by inode too; a copy has others, and a look sets that right.
    from imgsort.workspace.workspace import Workspace

    desk = Desk(Workspace.open(Path(shutil.copytree(filed, tmp_path / "photos", symlinks=True))))
    assert desk.type("audit", "1", stdin="").code == NOTHING_TO_DO * -1
    assert desk.count_labels() == 0
    return desk


def labelling(filed: Path, tmp_path: Path, typist: Typist) -> Scene:
    """`label --from-csv` of all pictures; eight of them have to move."""
    desk = copied(filed, tmp_path)
    file = tmp_path / "labels.csv"
    file.write_text("name,label\n" + "".join(f"{name},{TRUTH[name]}\n" for name in TRUTH))
    return Scene(desk, ("label", "--from-csv", file), typist, TRUTH, _contents(desk))


def auditing(filed: Path, tmp_path: Path, typist: Typist) -> Scene:
    """`audit --answers` of all pictures; the same answers again say nothing new, but are told."""
    desk = copied(filed, tmp_path)
    folder = Path(desk.type("audit", "50", "--links", "--json").json["folder"])
    with (folder / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "audit.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | {"label": TRUTH[row["name"]]} for row in rows)
    words = ("audit", "--answers", folder / "audit.csv")
    return Scene(desk, words, typist, TRUTH, _contents(desk), leaves=0)


def importing(filed: Path, tmp_path: Path, typist: Typist) -> Scene:
    """`import` of nine pictures into a workspace that has others."""
    desk = copied(filed, tmp_path)
    labels, contents = {}, Counter[str]()
    for number in range(9):
        name = ("cat", "dog", "newt")[number % 3]
        path = tmp_path / "set" / name / f"{name} {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((9, 9, 3), 20 * number, np.uint8))
        labels[path.name] = name
        contents[_sha256(path)] += 1
    words = ("import", tmp_path / "set")
    return Scene(desk, words, typist, labels, _contents(desk) + contents)


def looking(filed: Path, tmp_path: Path, typist: Typist) -> Scene:
    """A look at the folders after six pictures were moved by hand, in a class that is new too."""
    desk = copied(filed, tmp_path)
    labels, root = {}, desk.workspace.root
    for place in [path for path in desk.tree() if "cat" in Path(path).name][:6]:
        target = desk.workspace.sorted / "newt" / Path(place).name
        target.parent.mkdir(exist_ok=True)
        (root / place).rename(target)
        labels[target.name] = "newt"
    return Scene(desk, ("look",), typist, labels, _contents(desk), leaves=0)


Stage = Callable[[Path, Path, Typist], Scene]
STAGES: dict[str, tuple[Stage, Sequence[str]]] = {
    "label": (labelling, MOVING),
    "audit": (auditing, MOVING),
    "import": (importing, COPYING),
    "look": (looking, failpoints.LOOKING),
}


@pytest.mark.parametrize(
    ("command", "failpoint"),
    [(command, point) for command, (_, points) in STAGES.items() for point in points],
)
def test_killed_at_a_step(
    command: str, failpoint: str, filed: Path, tmp_path: Path, typist: Typist
) -> None:
    """Killed at any durable step, nothing is half-labelled, and typing it again completes it."""
    scene = STAGES[command][0](filed, tmp_path, typist)
    assert scene.type(failpoint=failpoint) == KILLED
    scene.check_nothing_is_half_done()
    scene.check_complete()


@pytest.mark.chaos
@pytest.mark.parametrize("command", STAGES)
@pytest.mark.parametrize("seed", range(12))
def test_killed_at_any_moment(
    command: str, seed: int, filed: Path, tmp_path: Path, typist: Typist
) -> None:
    """The same, killed three times over wherever it happened to be."""
    scene = STAGES[command][0](filed, tmp_path, typist)
    dice = random.Random(seed)  # noqa: S311 - a simulation
    for _ in range(3):
        assert scene.type(after=dice.uniform(0.005, 0.6)) in {KILLED, 0, scene.leaves}
        scene.check_nothing_is_half_done()
    scene.check_complete()
