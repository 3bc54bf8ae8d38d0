"""What does a random split claim that the product's grouped one doesn't?

    python benchmarks/random_split.py DATA [--sets magnetic_tile] [--seeds 10]

A model as `retrain` trains it, with every picture of a set labelled: tested on a random fifth of
each class, and on a fold as imgsort deals it, which shares no near-duplicate with what is trained
on. Beside it: how many pairs that are alike pixel by pixel (correlation of 32 x 32 grey pixels at
least 0.99) lie across each split.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from school import LIMITS, Photo, School, arguments, drawn, lesson, schools, seeds_of
from sklearn.metrics import f1_score

from imgsort.images import decode
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.split import LabelledImage, deal

ALIKE, TESTED = 0.99, 0.2
Greys = dict[str, NDArray[np.float64]]


def main() -> None:
    options = arguments(__doc__, ["magnetic_tile"], 10).parse_args()
    seeds = seeds_of(options)
    for school, name in schools(options):
        photos = school.photos(name)
        grey = {each.sha256: outline(each.path) for each in photos}
        print(f"{name}: {len(photos)} images, {len(seeds)} splits each")
        for told, split in (("random", at_random), ("grouped", grouped)):
            found = [tested(school, grey, *split(school, photos, seed)) for seed in seeds]
            print(f"{told}: {summary(np.array(found))}", flush=True)


def at_random(_: School, photos: Sequence[Photo], seed: int) -> tuple[list[Photo], list[Photo]]:
    """Training and test."""
    return drawn(photos, seed, TESTED)


def grouped(school: School, photos: Sequence[Photo], seed: int) -> tuple[list[Photo], list[Photo]]:
    """Training and test, as the product deals them."""
    grouping = school.material(photos).grouping()
    # Folds go by the hash of a group's first member; other names are another draw.
    order = np.random.default_rng(seed).permutation(len(photos)).tolist()
    names = {photo.sha256: f"{at:064x}" for photo, at in zip(photos, order, strict=True)}
    groups = tuple(tuple(sorted(names[each] for each in group)) for group in grouping.groups)
    truths = sorted({photo.truth for photo in photos})
    labelled = [
        LabelledImage(names[each.sha256], truths.index(each.truth), True) for each in photos
    ]
    folds = deal(labelled, Grouping(groups, ()), {}).folds
    training, test = [], []
    for photo in photos:
        (training if folds[names[photo.sha256]] else test).append(photo)
    return training, test


def tested(
    school: School, grey: Greys, training: Sequence[Photo], test: Sequence[Photo]
) -> tuple[float, float, int, int]:
    """Accuracy, macro F1, pairs across the split, test pictures."""
    model = lesson(school.material(training), school.first()).challenger.classifier
    said = np.array([verdict.label for verdict in model.judge(school.rows(test), 1)])
    truth = np.array([each.truth for each in test])
    rows, others = (np.stack([grey[each.sha256] for each in part]) for part in (training, test))
    across = int((rows @ others.T >= ALIKE).sum())
    macro_f1 = float(f1_score(truth, said, average="macro"))
    return float((said == truth).mean()), macro_f1, across, len(test)


def outline(path: Path) -> NDArray[np.float64]:
    """[1024] grey pixels, of length 1 around 0."""
    pixels, _ = decode(path.read_bytes(), 224, LIMITS)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-9), np.float64)


def summary(found: NDArray[np.float64]) -> str:
    accuracy, macro_f1, across, held = found.T
    error = accuracy.std(ddof=1) / len(found) ** 0.5
    return (
        f"accuracy {accuracy.mean():.3f} (standard error {error:.3f}), macro F1 "
        f"{macro_f1.mean():.3f}, {held.mean():.0f} tested on, {across.mean():.1f} pairs across"
    )


if __name__ == "__main__":
    main()
