"""Labels arrive in batches, and after each there is a retrain: does what serves ever get worse?

    python benchmarks/gate_replay.py DATA [--sets cats_dogs_snakes=cat,dog,snake trashnet …]
        [--rounds 30] [--seeds 3]

Of each set 40 % is never labelled: there the true accuracy of the serving model is told after each
round. The others are labelled in batches, drawn at random, as an audit would, and each retrain
takes the trainer's own steps, the gate's word with all its tries among them. With words the first
model is that of `init --classes`, without them that of the thousand ImageNet classes. Exit status
1 if the serving model ever was more than 1 point below its running best; how much chance there is
in that says the standard error of the difference on these pictures.
"""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from school import Photo, School, arguments, drawn, lesson, schools, seeds_of

from imgsort.errors import NothingToDo
from imgsort.trainer.evaluation.gate import FEWEST
from imgsort.trainer.evaluation.preconditions import require_labels
from imgsort.trainer.head.champion import Champion

SETS = ("cats_dogs_snakes=cat,dog,snake", "cats_dogs_snakes", "cifar10_tiny", "trashnet")
UNSEEN, ALLOWED = 0.4, 0.01


def main() -> None:
    parser = arguments(__doc__, SETS, 3)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    falls = []
    for school, name in schools(options):
        photos, words = school.photos(name), ",".join(school.words)
        for seed in seeds_of(options):
            arriving, unseen = drawn(photos, seed, UNSEEN)
            told = f"{name}={words}" if words else name
            print(f"{told}, seed {seed}: {len(arriving)} + {len(unseen)}", flush=True)
            falls.append(replayed(school, arriving, unseen, options.rounds, seed))
    print(f"largest fall {max(falls):.4f}; more than allowed in {sum(f > ALLOWED for f in falls)}")
    sys.exit(max(falls) > ALLOWED)


def replayed(
    school: School, arriving: Sequence[Photo], unseen: Sequence[Photo], rounds: int, seed: int
) -> float:
    """The largest fall of the serving model below its running best."""
    order = np.random.default_rng(seed).permutation(len(arriving))
    champion, earlier = school.first(), []
    best = now = right(school, champion, unseen)
    fall, told = 0.0, [f"v1 {now.mean():.3f}"]
    for number in range(1, rounds + 1):
        labelled = [arriving[at] for at in order[: round(number * len(order) / rounds)]]
        promoted = next_champion(school, champion, labelled, earlier)
        if promoted is None:
            continue
        champion, earlier = promoted, []
        now = right(school, champion, unseen)
        told.append(f"{len(labelled)} labels {now.mean():.3f}")
        lost = float(best.mean() - now.mean())
        if lost > fall:
            fall, error = lost, float((best - now).std() / len(now) ** 0.5)
            told[-1] += f" (falls {lost:.3f}, standard error {error:.3f})"
        best = now if now.mean() > best.mean() else best
    print(f"  {', '.join(told)}; largest fall {fall:.4f}", flush=True)
    return fall


def next_champion(
    school: School, champion: Champion, labelled: Sequence[Photo], earlier: list[int]
) -> Champion | None:
    """What serves instead after a retrain, if anything. ``earlier``: labels of this champion's
    other challengers."""
    material = school.material(labelled)
    try:
        require_labels(material.labelled, material.names)
    except NothingToDo:
        return None
    if len(labelled) < FEWEST:
        return None
    tries = sum(2 * count >= len(labelled) for count in earlier)
    found = lesson(material, champion, tries)
    earlier.append(len(labelled))
    return school.promoted(found) if found.verdict.promoted else None


def right(school: School, champion: Champion, photos: Sequence[Photo]) -> NDArray[np.float64]:
    said = [verdict.label for verdict in champion.classifier.judge(school.rows(photos), 1)]
    return np.array([one == each.truth for one, each in zip(said, photos, strict=True)], np.float64)


if __name__ == "__main__":
    main()
