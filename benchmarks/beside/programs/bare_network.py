"""The network alone, by OpenVINO in float32, on pixels that lie in memory: what can't be passed."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from answering import Answers, Judge, serve

from imgsort.daemon.bench.stages import decoded
from imgsort.models.backbones import install
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime


def prepare(settings: Any) -> tuple[Judge, str]:
    import openvino

    kept, random = Path(settings["kept"]) / "networks", settings["random_weights"]
    installed = install(settings["backbone"], kept, random_weights=random)
    runtime, size = OpenvinoRuntime(installed, "float32"), settings["batch_size"]

    def judge(folder: Path) -> tuple[float, Answers]:
        paths = sorted(folder.iterdir())
        pixels = np.stack([picture.pixels for picture in decoded(paths, installed.input_size)])
        began = time.perf_counter()
        parts = [runtime.embed(pixels[at : at + size]) for at in range(0, len(pixels), size)]
        seconds = time.perf_counter() - began
        strongest = np.concatenate(parts)[:, : installed.final].argmax(axis=1)
        return seconds, dict(zip([path.name for path in paths], map(str, strongest), strict=True))

    return judge, f"OpenVINO {openvino.__version__.split('-')[0]}"


if __name__ == "__main__":
    serve(prepare)
