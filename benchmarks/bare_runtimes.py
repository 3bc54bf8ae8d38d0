"""Images per second of the bare backbones: OpenVINO in float32 and bfloat16 beside TensorFlow.

    python benchmarks/bare_runtimes.py [--backbone NAME] [--batch 32] [--rounds 4] [--json]

Nothing is read or decoded: random uint8 images lie in memory. The runtimes take turns, and each
one's best round counts, so that a disturbance hits all of them alike.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import BACKBONES, InstalledBackbone, install
from imgsort.models.runtimes import Images, Runtime
from imgsort.models.runtimes.choice import this_machine
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime
from imgsort.models.runtimes.on_tensorflow import TensorflowRuntime


@dataclass(frozen=True, slots=True)
class Rate:
    backbone: str
    runtime: str
    precision: str
    images_per_second: float
    ratio: float
    """To TensorFlow in float32 on the same device."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=[*BACKBONES], action="append")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rates = [
        rate
        for name in options.backbone or BACKBONES
        for rate in measure(name, options.batch, options.rounds)
    ]
    if options.json:
        json.dump([asdict(rate) for rate in rates], sys.stdout, indent=2)
        return
    for rate in rates:
        print(
            f"{rate.backbone:20} {rate.runtime:11} {rate.precision:9} "
            f"{rate.images_per_second:8.1f} images/s {rate.ratio:6.2f} x"
        )


def measure(name: str, batch: int, rounds: int) -> list[Rate]:
    """All runtimes that this machine has; the weights are random, which changes no speed."""
    images = np.random.default_rng(0).integers(0, 256, (batch, 224, 224, 3), np.uint8)
    with tempfile.TemporaryDirectory(prefix="imgsort-bare-") as folder:
        backbone = install(name, Path(folder), random_weights=True)
        runtimes = list(_runtimes(backbone, batch))
        for runtime in runtimes:  # the first batch compiles
            runtime.embed(images)
        best = [0.0] * len(runtimes)
        for _ in range(rounds):
            best = [
                max(rate, _rate(runtime, images))
                for rate, runtime in zip(best, runtimes, strict=True)
            ]
    return [
        Rate(name, runtime.name, runtime.precision, rate, rate / best[0])
        for rate, runtime in zip(best, runtimes, strict=True)
    ]


def _runtimes(backbone: InstalledBackbone, batch: int) -> Iterator[Runtime]:
    gpu = this_machine().nvidia
    yield TensorflowRuntime(backbone, "float32", batch_size=batch, gpu=gpu)
    if gpu:
        yield TensorflowRuntime(backbone, "float16", batch_size=batch, gpu=True)
    yield OpenvinoRuntime(backbone, "float32")
    try:
        yield OpenvinoRuntime(backbone, "bfloat16")
    except RuntimeUnavailable as reason:
        print(reason, file=sys.stderr)


def _rate(runtime: Runtime, images: Images) -> float:
    start = time.perf_counter()
    runtime.embed(images)
    return len(images) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
