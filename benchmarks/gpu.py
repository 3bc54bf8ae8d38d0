"""What a GPU makes of the network: rates by batch size, agreement with the CPU, end to end.

    python benchmarks/gpu.py --backbone resnet50 [--cpu] [--pictures 1024]

benchmarks/gpu.sh runs it and `imgsort bench` on a machine with a card, in under five minutes;
nothing is downloaded. ``--cpu`` tries the same code without one. Random weights will do: rates
don't depend on them, and rounding to float16 can be compared with any.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from imgsort.models.backbones import InstalledBackbone, install
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime
from imgsort.models.runtimes.on_tensorflow import TensorflowRuntime

SIZES = (8, 32, 64, 128, 256)
COMPARED = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--pictures", type=int, default=1024)
    options = parser.parse_args()
    print(f"card: {'none, the CPU' if options.cpu else card()}")
    with tempfile.TemporaryDirectory(prefix="imgsort-gpu-") as folder:
        random = options.backbone == "resnet50"
        backbone = install(options.backbone, Path(folder), random_weights=random)
        pixels = pictures(backbone, options.pictures)
        precision = "float32" if options.cpu else "float16"
        rates(backbone, pixels, precision, gpu=not options.cpu)
        compared(backbone, pixels[:COMPARED], precision, gpu=not options.cpu)


def card() -> str:
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603 - fixed
    return found.stdout.strip()


def pictures(backbone: InstalledBackbone, count: int) -> np.ndarray:
    side = backbone.input_size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def rates(backbone: InstalledBackbone, pixels: np.ndarray, precision: str, *, gpu: bool) -> None:
    """One line a batch size: how long both shapes take to compile, and embeddings a second."""
    for size in (size for size in SIZES if size <= len(pixels)):
        runtime = TensorflowRuntime(backbone, precision, batch_size=size, gpu=gpu)
        began = time.perf_counter()
        runtime.warm_up()
        compiled = time.perf_counter()
        for start in range(0, len(pixels), size):
            runtime.embed(pixels[start : start + size])
        rate = len(pixels) / (time.perf_counter() - compiled)
        print(
            f"{backbone.name}, {precision}, batches of {size}: {rate:,.0f} embeddings/s "
            f"(ready after {compiled - began:.1f} s)",
            flush=True,
        )


def compared(backbone: InstalledBackbone, pixels: np.ndarray, precision: str, *, gpu: bool) -> None:
    """The mean and the least cosine between the embeddings of a picture."""
    exact = OpenvinoRuntime(backbone, "float32").embed(pixels)[:, : backbone.final]
    runtime = TensorflowRuntime(backbone, precision, batch_size=len(pixels), gpu=gpu)
    other = runtime.embed(pixels)[:, : backbone.final]
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(other, axis=1)
    cosines = (exact * other).sum(axis=1) / lengths
    print(f"cosine with the CPU's float32: {cosines.mean():.6f}, at least {cosines.min():.6f}")


if __name__ == "__main__":
    main()
