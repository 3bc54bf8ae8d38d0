"""What the means of inner layers cost: each backbone with them and without, turn and turn about.

    python benchmarks/inner_layers.py [--backbone NAME] [--batch 32] [--rounds 40] [--json]

Random uint8 images lie in memory, and the weights are random, which changes no speed. Both forms
run in every round, in alternating order, so that a disturbance hits them alike; the figures are
the medians over the rounds of their ratio, in time and in time of all processor cores.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import BACKBONES, InstalledBackbone, install
from imgsort.models.runtimes import Images
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime


@dataclass(frozen=True, slots=True)
class Cost:
    """Ratios are of the form with inner layers to the one without."""

    backbone: str
    precision: str
    width: int
    width_without: int
    images_per_second: float
    """Of the form with inner layers, in the median round."""
    time: float
    core_time: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds for one batch."""

    elapsed: float
    cores: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=[*BACKBONES], action="append")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (options.batch, 224, 224, 3), np.uint8)
    costs = [
        cost
        for name in options.backbone or BACKBONES
        for cost in measured(name, images, options.rounds)
    ]
    if options.json:
        json.dump([asdict(cost) for cost in costs], sys.stdout, indent=2)
        return
    for cost in costs:
        print(
            f"{cost.backbone:20} {cost.precision:9} {cost.width_without:5} -> {cost.width:5} "
            f"{cost.images_per_second:7.1f} images/s  {cost.time - 1:+.1%} time  "
            f"{cost.core_time - 1:+.1%} core time"
        )


def measured(name: str, images: Images, rounds: int) -> Iterator[Cost]:
    """At each precision that this CPU computes in."""
    with tempfile.TemporaryDirectory(prefix="imgsort-inner-") as folder:
        forms = [
            install(name, Path(folder), random_weights=True, inner=inner) for inner in (True, False)
        ]
        for precision in ("float32", "bfloat16"):
            try:
                yield compared(forms, precision, images, rounds)
            except RuntimeUnavailable as reason:
                print(reason, file=sys.stderr)


def compared(forms: list[InstalledBackbone], precision: str, images: Images, rounds: int) -> Cost:
    runtimes = [OpenvinoRuntime(form, precision) for form in forms]
    for runtime in runtimes:  # the first batch is slower
        runtime.embed(images)
    both = []
    for turn in range(rounds):
        order = (0, 1) if turn % 2 else (1, 0)
        taken = {which: timed(runtimes[which], images) for which in order}
        both.append((taken[0], taken[1]))
    return Cost(
        forms[0].name,
        precision,
        forms[0].width,
        forms[1].width,
        len(images) / median(with_.elapsed for with_, _ in both),
        median(with_.elapsed / without.elapsed for with_, without in both),
        median(with_.cores / without.cores for with_, without in both),
    )


def timed(runtime: OpenvinoRuntime, images: Images) -> Taken:
    elapsed, cores = time.perf_counter(), time.process_time()
    runtime.embed(images)
    return Taken(time.perf_counter() - elapsed, time.process_time() - cores)


if __name__ == "__main__":
    main()
