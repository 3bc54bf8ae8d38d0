"""Does labelling what `imgsort next` lists teach faster than labelling pictures at random?

    python benchmarks/next_against_random.py DATA [--sets cats_dogs_snakes …] [--seeds 20]

DATA has a folder a set, and in it a folder a class. Per seed half of the pictures are labelled step
by step (the first five at random in every order, as there is no model before them), the other half
is only ever judged. The head is scikit-learn's LogisticRegression, so that
the order is measured and not imgsort's own training. Printed: the mean area under the curve of
macro F1 over the number of labels (1 would be a perfect model from the first step on), and the mean
difference to the random order with its 95 % bootstrap interval over the seeds.
"""

import argparse
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.images import BadImage, ImageLimits, decode
from imgsort.labels.next_pictures import most_telling, uncertainty
from imgsort.models.backbones import InstalledBackbone, install
from imgsort.models.heads.learned import unit
from imgsort.models.runtimes import Runtime, open_runtime

Floats = NDArray[np.float32]
Order = Callable[["Round", np.random.Generator], NDArray[np.intp]]
BATCH = 32
STEP = 5
LABELS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    embeddings: Floats
    labels: NDArray[np.intp]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What an order may look at: the pictures not labelled yet, and what the model says of them."""

    pool: Floats
    scores: Floats
    labelled: Floats


def at_random(now: Round, random: np.random.Generator) -> NDArray[np.intp]:
    return random.permutation(len(now.pool))[:STEP]


def as_next_lists(now: Round, _: np.random.Generator) -> NDArray[np.intp]:
    return most_telling(now.pool, uncertainty(now.scores), now.labelled, STEP)


def uncertain_only(now: Round, _: np.random.Generator) -> NDArray[np.intp]:
    return np.argsort(-uncertainty(now.scores), kind="stable")[:STEP]


def different_only(now: Round, _: np.random.Generator) -> NDArray[np.intp]:
    return most_telling(now.pool, np.ones(len(now.pool), np.float32), now.labelled, STEP)


ORDERS: dict[str, Order] = {
    "random": at_random,
    "next": as_next_lists,
    "uncertainty alone": uncertain_only,
    "diversity alone": different_only,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["cats_dogs_snakes"])
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        backbone = install("efficientnet-lite0", Path(folder))
        runtime = open_runtime(backbone, device="cpu", precision="float32", batch_size=BATCH)
        for name in options.sets:
            pictures = embedded(options.data / name, runtime, backbone)
            areas = {
                order: np.array([area(pictures, ask, seed) for seed in range(options.seeds)])
                for order, ask in ORDERS.items()
            }
            print(summary(name, pictures, areas), flush=True)


def embedded(folder: Path, runtime: Runtime, backbone: InstalledBackbone) -> Pictures:
    """Their final embeddings, by which `next` goes too."""
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    pixels, names = [], []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            pixels.append(decode(path.read_bytes(), backbone.input_size, limits)[0])
        except BadImage:
            continue
        names.append(path.parent.name)
    parts = [np.stack(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    classes, labels = np.unique(names, return_inverse=True)
    vectors = np.concatenate([runtime.embed(part) for part in parts])
    return Pictures(vectors[:, : backbone.final], labels, tuple(classes.tolist()))


def area(pictures: Pictures, ask: Order, seed: int) -> float:
    """Mean macro F1 on the unseen half after 5, 10, 15… labels."""
    from sklearn.metrics import f1_score

    random = np.random.default_rng(seed)
    order = random.permutation(len(pictures.labels))
    half = len(order) // 2
    unseen, waiting = order[:half], list(order[half:])
    rows, count = unit(pictures.embeddings), len(pictures.classes)
    labelled: list[int] = []
    scores = np.zeros((len(waiting), 0), np.float32)
    values = []
    while waiting and len(labelled) < LABELS:
        now = Round(pictures.embeddings[waiting], scores, pictures.embeddings[labelled])
        asked = [waiting[place] for place in (ask if labelled else at_random)(now, random)]
        labelled += asked
        waiting = [one for one in waiting if one not in asked]
        model = fitted(rows[labelled], pictures.labels[labelled])
        truth, said = pictures.labels[unseen], chances(model, rows[unseen], count).argmax(axis=1)
        values.append(f1_score(truth, said, labels=range(count), average="macro", zero_division=0))
        scores = chances(model, rows[waiting], count) if waiting else scores[:0]
    return float(np.mean(values))


def fitted(rows: Floats, labels: NDArray[np.intp]) -> Any:
    """A model, or the one class there is."""
    from sklearn.linear_model import LogisticRegression

    if len(set(labels.tolist())) == 1:
        return int(labels[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LogisticRegression(C=10, max_iter=300).fit(rows, labels)


def chances(model: Any, rows: Floats, count: int) -> Floats:
    """[N, K]; a class without a label has none."""
    answer = np.zeros((len(rows), count), np.float32)
    if isinstance(model, int):
        answer[:, model] = 1
    else:
        answer[:, model.classes_] = model.predict_proba(rows)
    return answer


def summary(name: str, pictures: Pictures, areas: dict[str, NDArray[np.float64]]) -> str:
    seeds = len(areas["random"])
    lines = [
        f"{name}: {len(pictures.labels)} images, {len(pictures.classes)} classes, half of them "
        f"labelled up to {LABELS} in steps of {STEP}, {seeds} seeds"
    ]
    random = np.random.default_rng(0)
    for order, values in areas.items():
        better = values - areas["random"]
        means = better[random.integers(0, seeds, (10_000, seeds))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        against = f", {better.mean():+.4f} ({low:+.4f} to {high:+.4f}) against random"
        won = f", better in {int((better > 0).sum())} of {seeds}"
        lines.append(
            f"  {order:<18} area {values.mean():.4f}{'' if order == 'random' else against + won}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
