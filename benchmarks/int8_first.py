"""int8 first, float32 where it is close: how many are asked again, and do the folders agree?

    python benchmarks/int8_first.py DATA

DATA holds cats_dogs_snakes, ants_bees and trashnet, each with one folder for each class. Of
each set the first model and one that has learned from 40 pictures a class judge all pictures that
neither the int8 form was calibrated on nor the model has learned from. The sums of int8 are
calculated exactly, as VNNI does, whatever this CPU has: its quantization is carried out in float32.
"""

import hashlib
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from imgsort.errors import NothingToDo
from imgsort.images import ImageLimits, decode
from imgsort.models import int8_graph
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_openvino
from imgsort.models.classify import pictures_in
from imgsort.models.quantize import LEAST_PROMISE, LEAST_SPEEDUP, MARGIN_SHARE
from imgsort.models.registry import Registry
from imgsort.models.runtimes.on_openvino import CHUNK, OpenvinoRuntime
from imgsort.models.screening import Pair, Promise, first_of
from imgsort.models.serving import load_classifier
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

SETS = {
    "cats_dogs_snakes": ["--classes", "cat,dog,snake"],
    "ants_bees": ["--classes", "ants,bees"],
    "trashnet": ["--classes", "cardboard,glass,metal,paper,plastic,trash", "--learn-only"],
}
CALIBRATED_ON, TAUGHT = 150, 40
LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="imgsort-int8-") as folder:
        workspaces = {name: learned(data / name, Path(folder), name) for name in SETS}
        files = {name: pictures_in([data / name]) for name in SETS}
        contents = {path: path.read_bytes() for paths in files.values() for path in paths}
        sha = {path: hashlib.sha256(each).hexdigest() for path, each in contents.items()}
        order = list(contents)
        random.Random(0).shuffle(order)  # noqa: S311 - a fair draw, nothing secret
        pixels = np.stack([decode(contents[path], 224, LIMITS)[0] for path in order])
        backbone = backbone_of(next(iter(workspaces.values())))
        exact = OpenvinoRuntime(backbone, "float32").embed(pixels)
        coarse = exactly_quantized(backbone, pixels, Path(folder))
        calibrated = {sha[path] for path in order[:CALIBRATED_ON]}
        for name, workspace in workspaces.items():
            own = [at for at, path in enumerate(order) if path in set(files[name])]
            for card, classifier, seen in models(workspace):
                rows = [at for at in own if sha[order[at]] not in calibrated | seen]
                report(f"{name}, v{card}", classifier, Pair(exact[rows], coarse[rows], 2.0))


def learned(source: Path, folder: Path, name: str) -> Workspace:
    """A workspace with a first model and one that has learned from every other picture."""
    half, root = folder / f"half-{name}", folder / name
    for path in pictures_in([source]):
        (half / path.parent.name).mkdir(parents=True, exist_ok=True)
    for place in half.iterdir():
        mine = sorted(path for path in pictures_in([source]) if path.parent.name == place.name)
        for path in itertools.islice(mine[::2], TAUGHT):
            shutil.copyfile(path, place / path.name)
    typed(root, "init", "--backbone", "efficientnet-lite0", *SETS[name])
    typed(root, "import", str(half), "--match")
    typed(root, "retrain")
    return Workspace.open(root)


def typed(root: Path, *words: str) -> None:
    command = [sys.executable, "-m", "imgsort", "-C", str(root), *words]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    if done.returncode not in {0, NothingToDo.exit_code}:  # as of a model that is no better
        sys.exit(done.returncode)


def backbone_of(workspace: Workspace) -> InstalledBackbone:
    registry = Registry(workspace.models)
    (card, *_) = registry.versions()
    return InstalledBackbone.open(workspace.backbones, card.backbone_id)


def models(workspace: Workspace):
    registry = Registry(workspace.models)
    with Store.open(workspace.database, root=workspace.root) as store:
        for card in sorted(registry.versions(), key=lambda card: card.version):
            classifier = load_classifier(workspace, store, card)
            seen = registry.tensors(card.version).get("seen.sha256", np.zeros((0, 32), np.uint8))
            yield card.version, classifier, {row.tobytes().hex() for row in seen}


def exactly_quantized(backbone: InstalledBackbone, pixels, folder: Path):
    """[N, D] as a CPU with VNNI would give them, calculated without it."""
    int8_graph.has_vnni = lambda: True
    openvino = import_openvino()
    path = int8_graph.quantize_graph(backbone, pixels[:CALIBRATED_ON], folder)
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([CHUNK, *pixels.shape[1:]])
    settings = {"LP_TRANSFORMS_MODE": "NO", "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    filled = np.concatenate([pixels, pixels[: -len(pixels) % CHUNK]])
    parts = [filled[start : start + CHUNK] for start in range(0, len(filled), CHUNK)]
    return np.concatenate([request.infer([part])[0].copy() for part in parts])[: len(pixels)]


def report(what: str, classifier, pair: Pair) -> None:
    if not classifier.classes:
        return
    count = len(pair.exact)
    promise = Promise(LEAST_PROMISE, LEAST_SPEEDUP)
    found = first_of(classifier, pair, "float32", round(count * MARGIN_SHARE), promise)
    both = classifier.judge(pair.exact, 1), classifier.judge(pair.coarse, 1)
    alone = sum(one.folder == other.folder for one, other in zip(*both, strict=True)) / count
    print(
        f"| {what} | {found.pictures} | {alone:.1%} | {found.share_asked:.1%} | "
        f"{found.same_decisions} of {found.pictures} | {found.lower_bound:.1%} |",
        flush=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
