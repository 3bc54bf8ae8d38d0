"""Does imgsort get better with a user who isn't perfect?

    python benchmarks/simulated_user.py DATA [--sets cats_dogs_snakes=cat,dog,snake …]
        [--ways corrections confirm audit] [--rounds 4] [--seeds 1]

DATA has a folder a set, and in it (however deep) a folder a class, named as the class or its
plural. Of each set 40 % is never shown to imgsort: there the serving model's true accuracy is
measured. The rest arrives in equal parts, one a round. Each round the daemon files it; the user
moves 60 % of what is filed wrongly to the right folder and empties unsure/; then, by the way he
chose, does nothing else, confirms every class folder as it is now (with what he overlooked), or
answers an audit; and retrains. All through the commands, on real workspaces with
efficientnet-lite0.
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

from imgsort.backbones import InstalledBackbone
from imgsort.images import BadImage, ImageLimits, decode
from imgsort.registry import Registry
from imgsort.runtime import open_runtime
from imgsort.store import Store
from imgsort.workspace import Workspace

Way = Literal["corrections", "confirm", "audit"]
UNSEEN, NOTICED, AUDITED = 0.4, 0.6, 25
PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    truth: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Score:
    """Of the unseen pictures."""

    accuracy: float
    filed: float
    precision: float


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
    for chosen in options.sets:
        name, _, classes = chosen.partition("=")
        photos = read(options.data / name, classes.split(","))
        for way in options.ways:
            for seed in range(options.seeds):
                with tempfile.TemporaryDirectory(prefix="imgsort-user-") as folder:
                    print(f"\n{name}, {way}, seed {seed}", flush=True)
                    User(Path(folder) / "ws", photos, way, seed).live(classes, options.rounds)


def read(folder: Path, classes: Sequence[str]) -> list[Photo]:
    """The pictures of a set, each content once."""
    found = {}
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

    def live(self, classes: str, rounds: int) -> None:
        self.imgsort("init", "--classes", classes, "--backbone", "efficientnet-lite0")
        judge = Judge(Workspace.open(self.root), self.unseen)
        print(f"  {len(self.unseen)} unseen; v1: {told(judge.score())}", flush=True)
        for number in range(rounds):
            for photo in self.arriving[number::rounds]:
                target = self.root / "inbox" / f"{photo.sha256[:12]}{photo.path.suffix}"
                target.write_bytes(photo.path.read_bytes())
            self.imgsort("run", "--once")
            moved = self.correct()
            said = self.speak(number)
            answer = self.imgsort("retrain", "--json", fails=True)
            print(
                f"  round {number + 1}: {moved}; {said}; {outcome(answer)}\n"
                f"    v{Registry(self.root / 'state' / 'models').active()} serves: "
                f"{told(judge.score())}",
                flush=True,
            )

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
    """Knows the truth of the unseen pictures."""

    def __init__(self, workspace: Workspace, photos: Sequence[Photo]) -> None:
        self.registry, self.workspace = Registry(workspace.models), workspace
        version = self.registry.active()
        assert version is not None  # noqa: S101 - init has just made it
        backbone = InstalledBackbone.open(
            workspace.backbones, self.registry.card(version).backbone_id
        )
        runtime = open_runtime(backbone, device="cpu", precision="float32", batch_size=32)
        limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
        pixels, self.truth = [], []
        for photo in photos:
            try:
                pixels.append(decode(photo.path.read_bytes(), backbone.input_size, limits)[0])
            except BadImage:
                continue
            self.truth.append(photo.truth)
        self.embeddings = runtime.embed(np.stack(pixels))

    def score(self) -> Score:
        version = self.registry.active()
        assert version is not None  # noqa: S101
        with Store.open(self.workspace.database, root=self.workspace.root) as store:
            model = self.registry.load(version, store.class_names(), 0.7)
        verdicts = model.judge(self.embeddings, 1)
        right = [
            verdict.label == truth for verdict, truth in zip(verdicts, self.truth, strict=True)
        ]
        filed = [verdict.decision == "filed" for verdict in verdicts]
        both = sum(one and other for one, other in zip(right, filed, strict=True))
        return Score(sum(right) / len(right), sum(filed) / len(filed), both / max(sum(filed), 1))


def outcome(answer: subprocess.CompletedProcess[str]) -> str:
    if not answer.stdout.strip():
        return answer.stderr.strip()
    found: Mapping[str, Any] = json.loads(answer.stdout)
    material = found["material"]
    return (
        f"{material['labels']} labels ({material['representative']} representative, "
        f"{material['held_out']} held out): {found['summary'][0]}"
    )


def told(score: Score) -> str:
    return (
        f"accuracy {score.accuracy:.1%}, files {score.filed:.1%}, "
        f"of it {score.precision:.1%} rightly"
    )


if __name__ == "__main__":
    main()
