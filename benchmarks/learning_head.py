"""How good is the learned head, with every picture of a data set labelled?

    python benchmarks/learning_head.py DATA [--sets ants_bees …] [--splits 20] [--against 10]

DATA has a folder a set, and in it (however deep) a folder a class. Per grouped split of 80 to 20:
accuracy of the head; accuracy of scikit-learn's LogisticRegression, its C and scaling tuned by
grouped cross-validation, on the same embeddings and split (first ``--against`` splits); and what
thresholds for a precision of 0.95 file.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.backbones import install
from imgsort.classifier import softmax
from imgsort.dense_head import DenseHead
from imgsort.images import BadImage, ImageLimits, decode
from imgsort.runtime import open_runtime
from imgsort.trainer.calibrate import temperature, thresholds
from imgsort.trainer.dataset import cross_folds
from imgsort.trainer.fit import Examples, fit_head
from imgsort.trainer.groups import group
from imgsort.trainer.links import Shot

BATCH = 32
TARGET = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    embeddings: NDArray[np.float32]
    labels: NDArray[np.intp]
    groups: NDArray[np.intp]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    head: float
    logistic: float | None
    images: int
    filed: int
    right: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--sets", nargs="+", default=["ants_bees", "cats_dogs_snakes", "cifar10_tiny"]
    )
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--against", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        backbone = install("efficientnet-lite0", Path(folder))
        runtime = open_runtime(backbone, device="cpu", precision="float32", batch_size=BATCH)
        for name in options.sets:
            pictures = embedded(options.data / name, runtime, backbone.input_size)
            outcomes = [
                one_split(pictures, seed, seed < options.against) for seed in range(options.splits)
            ]
            print(summary(name, pictures, outcomes), flush=True)


def embedded(folder: Path, runtime: Any, size: int) -> Pictures:
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    pixels, shots, names = [], [], []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            picture, facts = decode(path.read_bytes(), size, limits)
        except BadImage:
            continue
        pixels.append(picture)
        shots.append(Shot(f"{len(shots):064x}", facts.dhash))
        names.append(path.parent.name)
    parts = [np.stack(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    embeddings = np.concatenate([runtime.embed(part) for part in parts])
    classes, labels = np.unique(names, return_inverse=True)
    groups = np.zeros(len(shots), np.intp)
    for number, members in enumerate(group(shots, embeddings).groups):
        groups[[int(member, 16) for member in members]] = number
    return Pictures(embeddings, labels, groups, tuple(classes.tolist()))


def one_split(pictures: Pictures, seed: int, against: bool) -> Outcome:
    order = np.random.default_rng(seed).permutation(len(pictures.labels))
    folds = np.zeros(len(order), np.intp)
    folds[order] = cross_folds(pictures.labels[order].tolist(), pictures.groups[order].tolist(), 5)
    train, unseen = folds != 0, folds == 0
    x, y, groups = pictures.embeddings[train], pictures.labels[train], pictures.groups[train]
    fitted = fit_head(Examples(x, y, groups, np.ones(len(y), np.float32)), seed)
    heat = temperature(fitted.chosen.logits, y)
    scores = DenseHead(pictures.classes, fitted.layers, heat).scores(pictures.embeddings[unseen])
    cuts = thresholds(softmax(fitted.chosen.logits / heat), y, TARGET, np.bincount(y).tolist())
    limits = np.array([2.0 if cut.confidence is None else cut.confidence for cut in cuts])
    winner, truth = scores.argmax(axis=1), pictures.labels[unseen]
    filed = scores.max(axis=1) >= limits[winner]
    logistic = None
    if against:
        predicted = tuned_logistic(x, y, groups).predict(pictures.embeddings[unseen])
        logistic = float((predicted == truth).mean())
    right = winner == truth
    return Outcome(
        float(right.mean()), logistic, len(truth), int(filed.sum()), int((filed & right).sum())
    )


def tuned_logistic(x: NDArray[np.float32], y: NDArray[np.intp], groups: NDArray[np.intp]) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    folds = PredefinedSplit(cross_folds(y.tolist(), groups.tolist(), 5))
    # Turning onto all principal axes leaves the penalised solution as it is, and is much quicker.
    steps = [
        ("scale", StandardScaler()),
        ("turn", PCA()),
        ("fit", LogisticRegression(max_iter=200)),
    ]
    model = Pipeline(steps)
    scaled = {"scale": [StandardScaler()], "fit__C": [1e-4, 1e-3, 1e-2, 0.1, 1]}
    plain = {"scale": ["passthrough"], "fit__C": [1e-3, 1e-2, 0.1, 1]}
    return GridSearchCV(model, [scaled, plain], cv=folds).fit(x, y)


def summary(name: str, pictures: Pictures, outcomes: Sequence[Outcome]) -> str:
    compared = [outcome for outcome in outcomes if outcome.logistic is not None]
    head = np.mean([outcome.head for outcome in compared])
    logistic = np.mean([outcome.logistic for outcome in compared])
    filed = sum(outcome.filed for outcome in outcomes)
    right = sum(outcome.right for outcome in outcomes)
    images = sum(outcome.images for outcome in outcomes)
    return (
        f"{name}: {len(pictures.labels)} images in {pictures.groups.max() + 1} groups; "
        f"accuracy over {len(compared)} splits: head {head:.4f}, LogisticRegression "
        f"{logistic:.4f}; at a target precision of {TARGET} over {len(outcomes)} splits: "
        f"{right} of {filed} filed are right ({right / max(filed, 1):.4f}), "
        f"{filed / images:.3f} of the unseen images filed"
    )


if __name__ == "__main__":
    main()
