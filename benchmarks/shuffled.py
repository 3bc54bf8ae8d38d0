"""What becomes of wrong labels: does the gate refuse them, and are they suspected?

    python benchmarks/shuffled.py DATA [--sets cats_dogs_snakes=cat,dog,snake …] [--seeds 20]

The champion was trained on right labels of the same pictures (and, once more, is the first model).
Then all labels are shuffled, which must be refused each time; or 30 % of them: what does the gate
say, and are the suspected labels really wrong? Exit status 1 unless all shuffled are refused, and
0.6 of the first 30 % of the suspects are wrong.
"""

from collections.abc import Sequence

import numpy as np
from school import Lesson, Photo, School, arguments, end, lesson, schools, seeds_of

from imgsort.trainer.evaluation.label_errors import doubtful
from imgsort.trainer.head.champion import Champion

SETS = (
    "cats_dogs_snakes=cat,dog,snake",
    "ants_bees=ant,bee",
    "cifar10_tiny=airplane,bird,cat,dog,frog,ship",
)
PART, LEADING, PRECISION = 0.3, 0.3, 0.6


def main() -> None:
    options = arguments(__doc__, SETS, 20).parse_args()
    seeds = seeds_of(options)
    failures = []
    for school, name in schools(options):
        photos, first = school.photos(name), school.first()
        clean = school.promoted(lesson(school.material(photos), first))
        failures += all_wrong(school, photos, clean, f"{name}, all shuffled", seeds)
        failures += all_wrong(school, photos, first, f"{name}, all shuffled, after v1", seeds)
        failures += some_wrong(school, photos, clean, name, seeds)
    end(failures)


def all_wrong(
    school: School, photos: Sequence[Photo], champion: Champion, of: str, seeds: range
) -> list[str]:
    lessons = [relabelled(school, photos, champion, 1.0, seed)[0] for seed in seeds]
    refused = sum(not each.verdict.promoted for each in lessons)
    right = [each.verdict.challenger_right / each.verdict.images for each in lessons]
    print(f"{of}: refused {refused} of {len(seeds)}; out of fold {np.mean(right):.3f}", flush=True)
    return [] if refused == len(seeds) else [f"{of}: {refused} of {len(seeds)}"]


def some_wrong(
    school: School, photos: Sequence[Photo], champion: Champion, name: str, seeds: range
) -> list[str]:
    refused = suspected = leading = leading_wrong = found = wrong_in_all = 0
    for seed in seeds:
        taught, wrong = relabelled(school, photos, champion, PART, seed)
        suspects = [each.sha256 for each in doubtful(taught.trained)]
        first = suspects[: max(round(LEADING * len(suspects)), 1)]
        refused += not taught.verdict.promoted
        suspected += len(suspects)
        found += len(wrong & {*suspects})
        leading += len(first)
        leading_wrong += len(wrong & {*first})
        wrong_in_all += len(wrong)
    precision = leading_wrong / max(leading, 1)
    print(
        f"{name}, {PART:.0%} shuffled: refused {refused} of {len(seeds)}; "
        f"{wrong_in_all / len(seeds):.0f} of {len(photos)} labels wrong, "
        f"{suspected / len(seeds):.0f} suspected, of these {found / max(suspected, 1):.2f} wrong, "
        f"{precision:.2f} of the first {LEADING:.0%}; {found / wrong_in_all:.2f} of the wrong",
        flush=True,
    )
    return [] if precision >= PRECISION else [f"{name}: {precision:.2f} of the first are wrong"]


def relabelled(
    school: School, photos: Sequence[Photo], champion: Champion, share: float, seed: int
) -> tuple[Lesson, set[str]]:
    """A lesson with that share of the labels shuffled, and which are wrong then."""
    rng = np.random.default_rng(seed)
    chosen = [photos[at] for at in rng.permutation(len(photos))[: round(share * len(photos))]]
    words = rng.permutation([each.truth for each in chosen]).tolist()
    said = {each.sha256: word for each, word in zip(chosen, words, strict=True)}
    wrong = {each.sha256 for each in chosen if said[each.sha256] != each.truth}
    return lesson(school.material(photos, said), champion), wrong


if __name__ == "__main__":
    main()
