"""Do a few labels help, and do classes without labels stay where they were?

    python benchmarks/few_labels.py DATA [--sets cats_dogs_snakes=cat,dog,snake] [--seeds 10]

The first model knows the three words; some pictures of each class, or of two of the three, are
drawn and labelled, and the trainer's own steps make a model of them (the gate is not asked). Told
is how it does on the pictures not drawn, beside the first model on the same ones; of a class
without labels its recall, as a share of the first model's. Exit status 1 unless with 2, 5, 10 and
20 labels a class the mean is never below the first model's and at least .93, .93, .94 and .95, and
unless a class without labels keeps 0.95 of its recall.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from school import Photo, School, arguments, end, lesson, schools, seeds_of

from imgsort.models.heads.classifier import Classifier

SETS = ("cats_dogs_snakes=cat,dog,snake",)
LEAST = {2: 0.93, 5: 0.93, 10: 0.94, 20: 0.95}
OF_TWO, KEPT = (2, 10, 40), 0.95


def main() -> None:
    options = arguments(__doc__, SETS, 10).parse_args()
    seeds = seeds_of(options)
    failures = []
    for school, name in schools(options):
        photos = school.photos(name)
        for each in LEAST:
            failures += of_all(school, photos, school.words, each, seeds)
        for pair in combinations(school.words, len(school.words) - 1):
            for each in OF_TWO:
                failures += of_two(school, photos, pair, each, seeds)
    end(failures)


def of_all(
    school: School, photos: Sequence[Photo], classes: Sequence[str], each: int, seeds: range
) -> list[str]:
    """Labels for every class."""
    found = []
    for seed in seeds:
        labelled, rest = parted(photos, classes, each, seed)
        model = taught(school, labelled)
        found.append((right(school, model, rest), right(school, first(school), rest)))
    after, before = np.array(found).T
    print(
        f"{each} labels a class: {after.mean():.3f} (from {after.min():.3f} to {after.max():.3f}), "
        f"v1 {before.mean():.3f}; below v1 in {(after < before).sum()} of {len(seeds)}",
        flush=True,
    )
    if after.mean() >= max(LEAST[each], before.mean()):
        return []
    return [f"{each} labels a class: {after.mean():.4f} of {LEAST[each]}, v1 {before.mean():.4f}"]


def of_two(
    school: School, photos: Sequence[Photo], pair: Sequence[str], each: int, seeds: range
) -> list[str]:
    """Labels for all classes but one."""
    left = [photo for photo in photos if photo.truth not in pair]
    before = right(school, first(school), left)
    recalls, others = [], []
    for seed in seeds:
        labelled, rest = parted(photos, pair, each, seed)
        model = taught(school, labelled)
        recalls.append(right(school, model, left))
        others.append(right(school, model, rest))
    kept, name = float(np.mean(recalls)) / before, left[0].truth
    print(
        f"{each} labels of {', '.join(pair)}: {name} recall {np.mean(recalls):.3f} (lowest "
        f"{min(recalls):.3f}), v1 {before:.3f}, kept {kept:.3f}; all {np.mean(others):.3f}",
        flush=True,
    )
    return [f"{each} labels of {', '.join(pair)}: {name} keeps {kept:.3f}"] if kept < KEPT else []


def parted(
    photos: Sequence[Photo], classes: Sequence[str], each: int, seed: int
) -> tuple[list[Photo], list[Photo]]:
    """So many of each class, and the others."""
    order = np.random.default_rng(seed).permutation(len(photos))
    shuffled = [photos[at] for at in order]
    chosen = [
        photo for name in classes for photo in [one for one in shuffled if one.truth == name][:each]
    ]
    return chosen, [photo for photo in photos if photo not in chosen]


def taught(school: School, labelled: Sequence[Photo]) -> Classifier:
    return lesson(school.material(labelled), school.first()).challenger.classifier


def first(school: School) -> Classifier:
    return school.first().classifier


def right(school: School, model: Classifier, photos: Sequence[Photo]) -> float:
    said = [verdict.label for verdict in model.judge(school.rows(photos), 1)]
    return float(np.mean([one == each.truth for one, each in zip(said, photos, strict=True)]))


if __name__ == "__main__":
    main()
