"""The daemon end to end against `keras.Model.predict` fed by `image_dataset_from_directory`.

    python benchmarks/against_keras.py [--pictures 320] [--rounds 3] [--precision int8] [--json]

Both see the same generated 500 px JPEG files and compute the same ResNet50 embedding (random
weights: speed doesn't depend on them), Keras in float32 and imgsort at --precision, one after the
other, round by round in one run, so that the ratio holds on a noisy machine. Keras reads, decodes,
resizes and predicts; imgsort reads, hashes, decodes, resizes, predicts, records and files. Start-up
(int8's calibration with it) and Keras's first, compiling batch are left out.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from imgsort.daemon.bench import Stock, bench
from imgsort.daemon.log_output import log_to_stderr
from imgsort.models.backbones import InstalledBackbone, install
from imgsort.models.backbones.heavy_imports import import_keras, import_tensorflow
from imgsort.workspace.config import Config, ModelSettings

BATCH_SIZE = 32


def keras_rate(installed: InstalledBackbone, folder: Path, pictures: int) -> float:
    """Images per second of Keras's own way, all of it from file to embedding."""
    keras = import_keras()
    model = _model(keras, installed)
    files = keras.utils.image_dataset_from_directory(
        folder,
        labels=None,
        batch_size=BATCH_SIZE,
        image_size=(installed.input_size, installed.input_size),
        shuffle=False,
        verbose=False,
    ).prefetch(import_tensorflow().data.AUTOTUNE)
    model.predict(files.take(1), verbose=0)
    began = time.perf_counter()
    embeddings = model.predict(files, verbose=0)
    seconds = time.perf_counter() - began
    if len(embeddings) != pictures:
        raise SystemExit(f"Keras saw {len(embeddings)} of {pictures} pictures.")
    return pictures / seconds


def _model(keras: Any, installed: InstalledBackbone) -> Any:
    side = installed.input_size
    inputs = keras.Input((side, side, 3))
    preprocessed = keras.applications.resnet50.preprocess_input(inputs)
    network = keras.applications.ResNet50(include_top=False, weights=None, pooling="avg")
    return keras.Model(inputs, network(preprocessed))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("--pictures", type=int, default=320)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16", "int8"), default="auto"
    )
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    log_to_stderr("warning")
    config = Config(model=ModelSettings(precision=options.precision))
    stock = Stock.generated(500, 375, options.pictures)
    rows = []
    with tempfile.TemporaryDirectory(prefix="imgsort-bench-") as name:
        where = Path(name)
        installed = install("resnet50", where / "backbones", random_weights=True)
        for number in range(options.rounds):
            folder = where / f"keras-{number}"
            stock.lay_out(folder, options.pictures)
            keras = keras_rate(installed, folder, options.pictures)
            one = bench(installed, stock, config, where, images=options.pictures, rounds=1)
            rows.append(
                (one.middle("end_to_end"), keras, one.end_to_end_ratio, one.core_bound_ratio)
            )
    result = {
        "precision": one.machine["precision"],
        "imgsort": median(row[0] for row in rows),
        "keras": median(row[1] for row in rows),
        "ratio": median(row[0] / row[1] for row in rows),
        "end_to_end_ratio": median(row[2] for row in rows),
        "core_bound_ratio": median(row[3] for row in rows),
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"imgsort, end to end   {result['imgsort']:6.1f} images/s in {result['precision']}")
    print(f"Keras predict         {result['keras']:6.1f} images/s in float32")
    print(f"ratio                 {result['ratio']:6.2f}")


if __name__ == "__main__":
    main()
