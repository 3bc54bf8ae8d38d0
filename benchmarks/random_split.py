"""What does a random split claim that the product's grouped one doesn't?

    python benchmarks/random_split.py DATA [--set magnetic_tile] [--splits 10]

The head as `retrain` fits it, on embeddings of efficientnet-lite0, with every picture labelled:
tested on a random fifth of each class, and on a fifth as imgsort draws it, which shares no
near-duplicate with what is trained on. Beside it: how many pairs that are alike pixel by pixel
(correlation of 32 x 32 grey pixels at least 0.99) lie across each split.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from imgsort.backbones import install
from imgsort.dense_head import DenseHead
from imgsort.images import ImageLimits, decode
from imgsort.runtime import open_runtime
from imgsort.trainer.dataset import Labelled, Split, split
from imgsort.trainer.fit import Examples, fit_head
from imgsort.trainer.groups import Grouping, group
from imgsort.trainer.links import Shot

BATCH, SHARE, ALIKE = 32, 0.2, 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    embeddings: NDArray[np.float32]
    grey: NDArray[np.float64]
    """[N, 1024], each of length 1 around 0."""
    dhashes: Sequence[int]
    labels: NDArray[np.intp]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="magnetic_tile")
    parser.add_argument("--splits", type=int, default=10)
    options = parser.parse_args()
    pictures = read(options.data / options.set)
    print(f"{options.set}: {len(pictures.labels)} images, {options.splits} splits each")
    for name in ("random", "grouped"):
        found = [tested(pictures, seed, name == "grouped") for seed in range(options.splits)]
        accuracy, macro_f1, across, held = np.array(found).T
        error = accuracy.std(ddof=1) / len(found) ** 0.5
        print(
            f"{name}: accuracy {accuracy.mean():.3f} (standard error {error:.3f}), macro F1 "
            f"{macro_f1.mean():.3f}, {held.mean():.0f} tested on, {across.mean():.1f} pairs across",
            flush=True,
        )


def read(folder: Path) -> Pictures:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    with tempfile.TemporaryDirectory() as place:
        backbone = install("efficientnet-lite0", Path(place))
        runtime = open_runtime(backbone, device="cpu", precision="float32", batch_size=BATCH)
        decoded = [decode(path.read_bytes(), backbone.input_size, limits) for path in paths]
        pixels = np.stack([one for one, _ in decoded])
        parts = [pixels[at : at + BATCH] for at in range(0, len(pixels), BATCH)]
        embeddings = np.concatenate([runtime.embed(part) for part in parts])
    _, labels = np.unique([path.parent.name for path in paths], return_inverse=True)
    dhashes = [facts.dhash for _, facts in decoded]
    return Pictures(embeddings, np.stack([outline(one) for one in pixels]), dhashes, labels)


def outline(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-9), np.float64)


def tested(pictures: Pictures, seed: int, grouped: bool) -> tuple[float, float, int, int]:
    """Accuracy, macro F1, pairs across the split, test pictures."""
    # The split goes by the hash of the content; other names are another draw.
    names = [
        hashlib.sha256(f"{seed} {at}".encode()).hexdigest() for at in range(len(pictures.labels))
    ]
    rows = {name: at for at, name in enumerate(names)}
    grouping = Grouping(tuple((name,) for name in names), ())
    if grouped:
        shots = [Shot(name, dhash) for name, dhash in zip(names, pictures.dhashes, strict=True)]
        grouping = group(shots, pictures.embeddings)
    labelled = [Labelled(name, int(pictures.labels[at]), True) for name, at in rows.items()]
    parts: Split = split(labelled, grouping, SHARE)
    train, test = ([rows[one.sha256] for one in part] for part in (parts.training, parts.holdout))
    home = {name: number for number, members in enumerate(grouping.groups) for name in members}
    groups = np.array([home[names[at]] for at in train], np.intp)
    x, y = pictures.embeddings[train], pictures.labels[train]
    fitted = fit_head(Examples(x, y, groups, np.ones(len(y), np.float32)), seed)
    classes = tuple(str(label) for label in np.unique(pictures.labels))
    answers = (
        DenseHead(classes, fitted.layers, 1.0).scores(pictures.embeddings[test]).argmax(axis=1)
    )
    truth = pictures.labels[test]
    across = int((pictures.grey[train] @ pictures.grey[test].T >= ALIKE).sum())
    macro_f1 = float(f1_score(truth, answers, average="macro"))
    return float((answers == truth).mean()), macro_f1, across, len(test)


if __name__ == "__main__":
    main()
