"""How long does `imgsort retrain` take with thousands of labels whose embeddings are stored?

    python benchmarks/retrain_speed.py [--labels 10000] [--classes 20]

A real workspace with efficientnet-lite0; tiny pictures of noise, imported as a folder a class, and
made-up embeddings in embeddings.db, inner layers among them, so that nothing needs to be decoded.
Prints seconds by step, the seconds of processor time, which tell more on a machine that does other
things too, and the most memory that was held.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.serving import open_serving
from imgsort.store import Store
from imgsort.trainer.retrain import Options, retrain
from imgsort.workspace.workspace import Workspace

PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")
SIDE = 24
OVERLAP = 0.14
"""Distance of the class centres, in standard deviations of each of the embedding's numbers."""
AT_ONCE = 1_000


class Clock:
    """A ``Watch`` that tells how long each step took."""

    def __init__(self) -> None:
        self.name, self.since = "", time.monotonic()
        self.decoded = 0

    def tell(self, sentence: str) -> None:
        pass

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if self.name:
            print(f"{now - self.since:7.1f} s  {self.name}", flush=True)
        self.name, self.since = name, now

    def progress(self, done: int, total: int) -> None:  # noqa: ARG002
        if self.name.startswith("embedding"):
            self.decoded = done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labels", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsort-speed-") as folder:
        workspace = prepared(Path(folder), options.labels, options.classes)
        clock, start, worked = Clock(), time.monotonic(), time.process_time()
        found = retrain(workspace, Options(), clock).findings
        clock.stage("")
        print(
            f"{time.monotonic() - start:7.1f} s in all, {time.process_time() - worked:.1f} s of "
            f"processor time; {clock.decoded} pictures decoded; "
            f"{found.material.labels} labels, accuracy {found.evaluation.accuracy:.3f}, "
            f"{found.recipe}; "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB of memory at most"
        )


def prepared(folder: Path, labels: int, classes: int) -> Workspace:
    """A workspace with so many imported pictures, and an embedding of each."""
    rng = np.random.default_rng(0)
    centres: dict[str, int] = {}
    for number in range(labels):
        path = folder / "set" / f"class{number % classes:02}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
        centres[hashlib.sha256(path.read_bytes()).hexdigest()] = number % classes
    for words in (
        ("init", "--classes", "cat,dog", "--backbone", "efficientnet-lite0"),
        ("import", str(folder / "set")),
    ):
        command = [*PROGRAM, "-C", str(folder / "ws"), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    workspace = Workspace.open(folder / "ws")
    with Store.open(workspace.database, root=workspace.root) as log:
        serving = open_serving(workspace, log)
    space, width = (serving.backbone.id, serving.runtime.precision), serving.backbone.width
    means = rng.normal(0, OVERLAP, (classes, width)).astype(np.float32)
    with EmbeddingStore.open(workspace.embeddings) as store:
        for at in range(0, labels, AT_ONCE):
            part = [*centres.items()][at : at + AT_ONCE]
            noise = rng.standard_normal((len(part), width), np.float32)
            rows = zip(part, noise, strict=True)
            store.put(*space, {name: means[centre] + row for (name, centre), row in rows})
    return workspace


if __name__ == "__main__":
    main()
