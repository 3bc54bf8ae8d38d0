"""How often does the gate let a worse model in, and a better one, when many knock?

    python benchmarks/gate_tries.py [--runs 2000]

Made-up answers: a champion that is right on 90 % of pictures (and one on 75 %), and up to ten
challengers in a row, each truly three points worse or better: it is right on some pictures that
the champion is wrong on, and the other way round. Told is how often one of them goes live, in the
first try and within ten. ``the same pictures`` judge all ten tries, which is the harder case, or
``new pictures`` each. Exit status 1 unless with 60, 100 and 150 pictures at most 10 % of the worse
go live within ten tries, and of the better at least 70 % with 150.
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.evaluation.gate import Contest, ModelAnswer, decide
from imgsort.workspace.config import Config

PICTURES, TRIES, POINTS = (60, 100, 150), 10, 0.03
MOST_WORSE, LEAST_BETTER, ENOUGH = 0.10, 0.70, 150
CHAMPIONS = (0.90, 0.75)
CHANGED = (0.05, 0.10)
"""Of all pictures: answered rightly by one of the two models only."""
SURE_RIGHT, SURE_WRONG = 0.85, 0.2
"""Shares of right and of wrong answers that are filed."""
LEARNING = Config().learning


@dataclass(frozen=True, slots=True)
class Case:
    images: int
    champion: float
    """Its accuracy."""
    changed: float
    """Of all pictures: right under one of the two models only."""
    kept: bool
    """The same pictures judge every try."""

    def __str__(self) -> str:
        return (
            f"{self.images} {'same' if self.kept else 'new'} pictures, champion right on "
            f"{self.champion:.0%}, {self.changed:.0%} differ"
        )

    def challenged(
        self, rng: np.random.Generator, before: NDArray[np.bool_], points: float
    ) -> NDArray[np.bool_]:
        """A challenger's answers: on average ``points`` more of them are right."""
        gained, lost = (self.changed + points) / 2, (self.changed - points) / 2
        odds = np.where(before, lost / self.champion, gained / (1 - self.champion))
        return before ^ (rng.random(len(before)) < odds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    failures = []
    for case in (Case(*each) for each in product(PICTURES, CHAMPIONS, CHANGED, (True, False))):
        worse, better = (live(case, points, runs) for points in (-POINTS, POINTS))
        print(
            f"{case}: 3 points worse live {worse[0]:.3f} at once, {worse[1]:.3f} within {TRIES}; "
            f"3 points better {better[0]:.3f}, {better[1]:.3f}",
            flush=True,
        )
        if worse[1] > MOST_WORSE:
            failures.append(f"{case}: {worse[1]:.3f} of the worse go live")
        if case.images >= ENOUGH and better[1] < LEAST_BETTER:
            failures.append(f"{case}: {better[1]:.3f} of the better go live")
    print("\n".join(failures) or "kept")
    sys.exit(bool(failures))


def live(case: Case, points: float, runs: int) -> tuple[float, float]:
    """How often a challenger goes live: at the first try, and within all."""
    rng = np.random.default_rng(case.images)
    at = np.array([went_live(case, points, rng) for _ in range(runs)])
    return float((at == 0).mean()), float((at < TRIES).mean())


def went_live(case: Case, points: float, rng: np.random.Generator) -> int:
    """The try that went live, ``TRIES`` for none."""
    known = frozenset({"right", "wrong"})
    luck, sure = rng.random((2, case.images))
    for tries in range(TRIES):
        if tries and not case.kept:
            luck, sure = rng.random((2, case.images))
        before = luck < case.champion
        after = case.challenged(rng, before, points)
        answers = zip(before, after, sure, strict=True)
        contests = [contest(at, *each) for at, each in enumerate(answers)]
        margin, target = LEARNING.gate_margin, LEARNING.target_precision
        if decide(contests, known, margin, target, tries).promoted:
            return tries
    return TRIES


def contest(group: int, before: bool, after: bool, sure: float) -> Contest:
    return Contest("right", answer(before, sure), answer(after, sure), group)


def answer(right: bool, sure: float) -> ModelAnswer:
    return ModelAnswer("right" if right else "wrong", sure < (SURE_RIGHT if right else SURE_WRONG))


if __name__ == "__main__":
    main()
