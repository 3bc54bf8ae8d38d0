"""Does imgsort get better with a user who isn't perfect?

    python benchmarks/simulated_user.py DATA [--sets cats_dogs_snakes=cat,dog,snake …]
        [--ways corrections confirm audit] [--rounds 4] [--seeds 1]

DATA has a folder a set, and in it (however deep) a folder a class, named as the class or its
plural. Of each set 40 % is never shown to imgsort: there the serving model's true accuracy is
measured, and also over all pictures. The rest arrives in equal parts, one a round. Each round the
daemon files it; the user moves 60 % of what is filed wrongly to the right folder and empties
unsure/; then, by the way he chose, does nothing else, confirms every class folder as it is now
(with what he overlooked), or answers an audit; and retrains. All through the commands, on real
workspaces with efficientnet-lite0. Exit status 1 if a serving model was ever more than 1 point
less accurate than the first one.
"""

import argparse
import csv
import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imgsort.images import BadImage, ImageLimits, decode
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.registry import Registry
from imgsort.models.runtimes import open_runtime
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

Way = Literal["corrections", "confirm", "audit"]
UNSEEN, NOTICED, AUDITED = 0.4, 0.6, 25
ALLOWED = 0.01
"""How much less accurate than v1 a serving model may be."""
PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    truth: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the unseen pictures, but for ``overall``."""

    accuracy: float
    """Best guess right, whether filed or not."""
    filed: float
    precision: float
    """Rightly, of what is filed."""
    overall: float
    """Accuracy over all pictures, those trained on among them."""

    def lost_to(self, first: "Score") -> float:
        return max(first.accuracy - self.accuracy, first.overall - self.overall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--sets", nargs="+", default=["cats_dogs_snakes=cat,dog,snake", "ants_bees=ant,bee"]
    )
    parser.add_argument("--ways", nargs="+", default=["corrections", "confirm", "audit"])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    worst = 0.0
    for chosen in options.sets:
        name, _, classes = chosen.partition("=")
        photos = read(options.data / name, classes.split(","))
        for way in options.ways:
            for seed in range(options.seeds):
                with tempfile.TemporaryDirectory(prefix="imgsort-user-") as folder:
                    print(f"\n{name}, {way}, seed {seed}", flush=True)
                    user = User(Path(folder) / "ws", photos, way, seed)
                    worst = max(worst, user.live(classes, options.rounds))
    print(f"\nAt worst a serving model was {100 * worst:.1f} points less accurate than v1.")
    if worst > ALLOWED:
        raise SystemExit(1)


def read(folder: Path, classes: Sequence[str]) -> list[Photo]:
    """The pictures of a set, each content once."""
    found: dict[str, Photo] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        truth = path.parent.name if path.parent.name in classes else path.parent.name[:-1]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found.setdefault(digest, Photo(path, truth, digest))
    return list(found.values())


class User:
    def __init__(self, root: Path, photos: Sequence[Photo], way: Way, seed: int) -> None:
        self.root, self.way, self.seed = root, way, seed
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        shuffled = self.random.sample(photos, len(photos))
        cut = int(UNSEEN * len(shuffled))
        self.unseen, self.arriving = shuffled[:cut], shuffled[cut:]
        self.truth = {photo.sha256: photo.truth for photo in photos}
        self.overlooked: set[str] = set()

    def live(self, classes: str, rounds: int) -> float:
        """How much less accurate than v1 the serving model was in its worst round."""
        self.imgsort("init", "--classes", classes, "--backbone", "efficientnet-lite0")
        judge = Judge(Workspace.open(self.root), self.unseen, self.arriving)
        first, worst = judge.score(), 0.0
        print(f"  {len(self.unseen)} unseen; v1: {told(first)}", flush=True)
        for number in range(rounds):
            for photo in self.arriving[number::rounds]:
                target = self.root / "inbox" / f"{photo.sha256[:12]}{photo.path.suffix}"
                target.write_bytes(photo.path.read_bytes())
            self.imgsort("run", "--once")
            moved = self.correct()
            said = self.speak(number)
            answer = self.imgsort("retrain", "--json", fails=True)
            serving = judge.score()
            worst = max(worst, serving.lost_to(first))
            print(
                f"  round {number + 1}: {moved}; {said}; {outcome(answer)}\n"
                f"    v{judge.registry.active()} serves: {told(serving)}",
                flush=True,
            )
            newest = judge.registry.versions()[-1].version
            if newest != judge.registry.active() and answer.stdout.strip():
                print(
                    f"    v{newest}, refused, would have: {told(judge.score(newest))}", flush=True
                )
        return worst

    def correct(self) -> str:
        """Move what is noticed to be wrong, and everything out of unsure/."""
        wrong = fixed = 0
        for path in sorted((self.root / "sorted").rglob("*")):
            if not path.is_file():
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if self.truth[digest] == path.parent.name or digest in self.overlooked:
                continue
            wrong += 1
            if self.random.random() < NOTICED:
                fixed += 1
                self.move(path)
            else:
                self.overlooked.add(digest)
        unsure = [path for path in sorted((self.root / "unsure").rglob("*")) if path.is_file()]
        for path in unsure:
            self.move(path)
        return f"{wrong} filed wrongly, {fixed} moved, {len(unsure)} sorted out of unsure/"

    def move(self, path: Path) -> None:
        truth = self.truth[hashlib.sha256(path.read_bytes()).hexdigest()]
        path.rename(self.root / "sorted" / truth / path.name)

    def speak(self, number: int) -> str:
        if self.way == "confirm":
            folders = [
                folder for folder in (self.root / "sorted").iterdir() if any(folder.iterdir())
            ]
            answer = self.imgsort("confirm", *(f"sorted/{folder.name}" for folder in folders))
            return answer.stdout.splitlines()[-1]
        if self.way == "audit":
            return self.audit(number)
        return "nothing else"

    def audit(self, number: int) -> str:
        drawn = self.imgsort(
            "audit", str(AUDITED), "--links", "--seed", str(number), "--json", fails=True
        )
        if drawn.returncode:
            return drawn.stderr.strip()
        folder = Path(json.loads(drawn.stdout)["folder"])
        with (folder / "audit.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["label"] = self.truth[row["sha256"]]
        with (folder / "audit.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self.imgsort("audit", "--answers", str(folder / "audit.csv"))
        return f"{len(rows)} audited"

    def imgsort(self, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(  # noqa: S603 - our own program
            [*PROGRAM, "-C", str(self.root), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root.parent if not self.root.exists() else self.root,
        )
        if answer.returncode and not fails:
            raise SystemExit(f"{words}: {answer.stderr}")
        return answer


class Judge:
    """Knows the truth of all pictures."""

    def __init__(
        self, workspace: Workspace, unseen: Sequence[Photo], arriving: Sequence[Photo]
    ) -> None:
        self.registry, self.workspace = Registry(workspace.models), workspace
        version = self.registry.active()
        assert version is not None  # noqa: S101 - init has just made it
        backbone = InstalledBackbone.open(
            workspace.backbones, self.registry.card(version).backbone_id
        )
        runtime = open_runtime(backbone, device="cpu", precision="float32", batch_size=32)
        limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
        pixels, self.truth, self.unseen = [], [], 0
        for position, photo in enumerate((*unseen, *arriving)):
            try:
                pixels.append(decode(photo.path.read_bytes(), backbone.input_size, limits)[0])
            except BadImage:
                continue
            self.truth.append(photo.truth)
            self.unseen += position < len(unseen)
        self.embeddings = runtime.embed(np.stack(pixels))

    def score(self, version: int | None = None) -> Score:
        """Of the serving model, or of another."""
        version = version or self.registry.active()
        assert version is not None  # noqa: S101
        with Store.open(self.workspace.database, root=self.workspace.root) as store:
            model = self.registry.load(version, store.classes.names(), 0.7)
        verdicts = model.judge(self.embeddings, 1)
        right = np.array(
            [one.label == truth for one, truth in zip(verdicts, self.truth, strict=True)]
        )
        filed = np.array([verdict.decision == "filed" for verdict in verdicts[: self.unseen]])
        unseen = right[: self.unseen]
        return Score(
            accuracy=float(unseen.mean()),
            filed=float(filed.mean()),
            precision=float(unseen[filed].mean()) if filed.any() else 0.0,
            overall=float(right.mean()),
        )


def outcome(answer: subprocess.CompletedProcess[str]) -> str:
    if not answer.stdout.strip():
        return answer.stderr.strip()
    found: Mapping[str, Any] = json.loads(answer.stdout)
    material = found["material"]
    return (
        f"{material['labels']} labels ({material['representative']} representative, "
        f"{material['held_out']} judged): {found['summary'][0]}"
    )


def told(score: Score) -> str:
    return (
        f"accuracy {score.accuracy:.1%} (over all {score.overall:.1%}), files {score.filed:.1%}, "
        f"of it {score.precision:.1%} rightly"
    )


if __name__ == "__main__":
    main()
